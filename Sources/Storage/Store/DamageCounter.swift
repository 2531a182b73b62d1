/// Damage seen since start, by database and kind of file. Counted where an error surfaces, which is once: a place that is known
/// is left out from then on.
package final class DamageCounter: Sendable {
  package enum Kind: String, Sendable, CaseIterable { case table, wal, manifest }

  private struct Key: Hashable {
    var database: String
    var kind: Kind
  }
  private let counts = Lock<[Key: UInt64]>([:])

  package init() {}

  /// Counts an error if it is damage; its file says of what.
  ///
  /// - Parameter database: the database of a keyspace, where it is still there.
  package func note(_ error: StorageError, database: (KeyspaceID) -> String?) {
    if error.code == .corrupt { count(error, database: database) }
  }

  /// Counts an error that came of reading a file of the store.
  package func count(_ error: StorageError, database: (KeyspaceID) -> String?) {
    let parts = error.file.split(separator: "/")
    let key: Key
    switch parts.first {
    case "tables":
      let keyspace = parts.count > 1 ? UInt32(parts[1]).map { KeyspaceID($0) } : nil
      key = Key(database: keyspace.flatMap(database) ?? "", kind: .table)
    case "wal": key = Key(database: "", kind: .wal)
    default: key = Key(database: "", kind: .manifest)
    }
    counts.withLock { $0[key, default: 0] += 1 }
  }

  /// Every count, and a zero for each kind that was never met: log and manifest belong to no database.
  package func counts(databases: [String]) -> [(database: String, kind: Kind, count: UInt64)] {
    let found = counts.withLock { $0 }
    var all = found
    for database in databases { all[Key(database: database, kind: .table), default: 0] += 0 }
    for kind in [Kind.wal, .manifest] { all[Key(database: "", kind: kind), default: 0] += 0 }
    return all.map { ($0.key.database, $0.key.kind, $0.value) }
      .sorted { ($0.0, $0.1.rawValue) < ($1.0, $1.1.rawValue) }
  }
}

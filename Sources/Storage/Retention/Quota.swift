/// What databases may take of the disk, as a pure function over the manifest's state: beyond that their oldest windows go, whole and
/// unread.
package struct Quota: Sendable, Equatable {
  /// Bytes of tables by database.
  package var byteCounts: [String: UInt64] = [:]
  /// Where the disk has less than this free, windows of databases with a quota go, the oldest first; 0: that is not looked at.
  package var reserveByteCount: UInt64 = 0

  package init() {}

  /// The windows of one keyspace that go.
  package struct Drop: Sendable, Equatable {
    package var keyspace: KeyspaceID
    /// Starts, ascending.
    package var starts: [Int64]
    /// Where the last of them ends.
    package var horizon: Int64
    package var byteCount: UInt64
  }

  /// What must go. A database's newest window stays, whatever it weighs.
  ///
  /// - Parameter freeByteCount: of the disk; `nil` where it is not known.
  package func drops(in keyspaces: [KeyspaceState], freeByteCount: UInt64?) -> [Drop] {
    if byteCounts.isEmpty { return [] }
    var candidates: [Candidate] = []
    var gone: [Candidate] = []
    for (database, quota) in byteCounts.sorted(by: { $0.key < $1.key }) {
      let held = Self.windows(of: database, in: keyspaces)
      var total = held.reduce(0) { $0 + $1.byteCount }
      for window in held.dropLast() {
        if total > quota {
          gone.append(window)
          total -= window.byteCount
        } else {
          candidates.append(window)
        }
      }
    }
    var free = (freeByteCount ?? .max).addingClamped(gone.reduce(0) { $0 + $1.byteCount })
    for window in candidates.sorted(by: { $0.end < $1.end }) where free < reserveByteCount {
      gone.append(window)
      free = free.addingClamped(window.byteCount)
    }
    return Dictionary(grouping: gone, by: \.keyspace).sorted { $0.key < $1.key }.map { keyspace, windows in
      Drop(
        keyspace: keyspace, starts: windows.map(\.start).sorted(), horizon: windows.map(\.end).max() ?? .min,
        byteCount: windows.reduce(0) { $0 + $1.byteCount })
    }
  }

  private struct Candidate {
    var keyspace: KeyspaceID
    var start: Int64
    var end: Int64
    var byteCount: UInt64
  }

  /// The windows of all policies of a database that hold tables, the oldest first.
  private static func windows(of database: String, in keyspaces: [KeyspaceState]) -> [Candidate] {
    keyspaces.filter { $0.database == database }.flatMap { keyspace in
      keyspace.windows.filter { !$0.runs.isEmpty }.map {
        Candidate(keyspace: keyspace.id, start: $0.start, end: $0.end, byteCount: $0.byteCount)
      }
    }.sorted { ($0.end, $0.keyspace) < ($1.end, $1.keyspace) }
  }
}

extension UInt64 {
  fileprivate func addingClamped(_ other: UInt64) -> UInt64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}

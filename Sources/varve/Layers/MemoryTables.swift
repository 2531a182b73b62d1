import LineProtocol
import Storage

/// A memtable and tables of one window, on a disk in memory, without a store around them.
final class MemoryTables {
  static let window: Range<Int64> = 0..<(1 << 62)
  private let fileSystem = MemoryFileSystem()
  private let cache = BlockCache(byteCountMax: 64 << 20)
  private var lastNumber: UInt64 = 0

  /// Merges runs to tables; only that is on the watch.
  func merge(_ runs: [any SortedRun], _ watch: inout Stopwatch) throws -> [Table] {
    let sequences = runs.map(\.sequenceRange)
    let identity = TableIdentity(
      number: 0, keyspace: KeyspaceID(1), database: "bench", policy: "autogen", window: Self.window,
      sequenceRange: (sequences.map(\.lowerBound).min() ?? 0)...(sequences.map(\.upperBound).max() ?? 0),
      horizon: .min)
    let merge = TableMerge(runs: runs, identity: identity, floor: .min, fileSystem: fileSystem) { [self] in
      lastNumber += 1
      return lastNumber
    }
    let result = try watch.time { try merge.run() }
    return try result.tables.map { state in
      let name = tableFileName(
        keyspace: KeyspaceID(1), windowStart: Self.window.lowerBound, number: state.number)
      return try Table.open(file: try fileSystem.open(name), state: state, cache: cache)
    }
  }

  /// What runs hold.
  static func tally(_ runs: [any SortedRun]) throws -> RunTally {
    var unwatched = Stopwatch()
    return try RunTally(WindowSnapshot(range: window, runs: runs), &unwatched)
  }
}

/// A memtable with one receiver, driven as the store drives it.
final class FilledMemtable {
  private let memtable = Memtable(clock: { 0 })
  private let inserter: RowInserter
  private var placement = RowPlacement()
  private var parts: [Part] = []
  private var sequence: UInt64

  /// - Parameter firstSequence: the number of its first batch.
  init(firstSequence: UInt64 = 1) {
    inserter = memtable.makeInserter(for: KeyspaceID(1))
    sequence = firstSequence - 1
  }

  func insert(_ batch: LineBatch, names: Vocabulary) throws {
    try placement.place(batch, valid: .min ..< .max) { (_) throws(StorageError) in MemoryTables.window }
    inserter.admit(batch, names: names, nameCount: names.seriesCount, placement: &placement)
    sequence += 1
    memtable.hold(KeyspaceID(1), windows: placement.windows, sequence: sequence, parts: &parts)
    inserter.insert(batch, names: names, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
  }

  /// Forgets the rows; the series stay known, as in a server.
  func empty() {
    for part in memtable.parts() { memtable.remove(part) }
  }

  /// Seals what is there.
  func sealedRuns() -> [any SortedRun] {
    memtable.parts().compactMap { part in
      memtable.seal(part)
      return part.makeRun()
    }
  }
}

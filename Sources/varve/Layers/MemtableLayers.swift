import Storage

/// Batches into a memtable that knows their series from the second round on, without a log.
final class InsertLayer: Layer {
  let name = "insert"
  let unit = "values"
  private let load: ParsedLoad
  private let memtable = FilledMemtable()

  init(_ load: ParsedLoad) { self.load = load }

  var count: Int { load.valueCount }
  var byteCount: Int { 0 }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    for batch in load.batches { try watch.time { try memtable.insert(batch, names: load.vocabulary) } }
    defer { memtable.empty() }
    return try MemoryTables.tally(memtable.sealedRuns()) == load.tally
  }
}

/// Sorted runs to tables: of one part of the memtable a flush, of several tables a merge.
final class MergeLayer: Layer {
  let name: String
  let unit = "values"
  private(set) var byteCount = 0
  private let load: ParsedLoad
  private let runs: [any SortedRun]

  /// - Parameter runs: all of the load.
  init(_ name: String, _ load: ParsedLoad, _ runs: [any SortedRun]) {
    (self.name, self.load, self.runs) = (name, load, runs)
  }

  var count: Int { load.valueCount }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    let tables = try MemoryTables().merge(runs, &watch)
    byteCount = tables.reduce(0) { $0 + Int($1.tableByteCount ?? 0) }
    return try MemoryTables.tally(tables) == load.tally
  }

  static func flush(_ load: ParsedLoad) throws -> MergeLayer {
    let memtable = FilledMemtable()
    for batch in load.batches { try memtable.insert(batch, names: load.vocabulary) }
    return MergeLayer("flush", load, memtable.sealedRuns())
  }

  /// Four tables that follow one another in time, as flushes leave them.
  static func merge(_ load: ParsedLoad, of tables: MemoryTables) throws -> MergeLayer {
    MergeLayer("merge", load, try fourTables(load, tables).map(StreamedTable.init))
  }

  static func fourTables(_ load: ParsedLoad, _ tables: MemoryTables) throws -> [Table] {
    var (made, unwatched) = ([Table](), Stopwatch())
    let share = (load.batches.count + 3) / 4
    for start in stride(from: 0, to: load.batches.count, by: max(share, 1)) {
      let memtable = FilledMemtable(firstSequence: UInt64(start + 1))
      for batch in load.batches[start..<min(start + share, load.batches.count)] {
        try memtable.insert(batch, names: load.vocabulary)
      }
      made += try tables.merge(memtable.sealedRuns(), &unwatched)
    }
    return made
  }
}

/// Tables to columns.
final class ScanLayer: Layer {
  let name = "scan"
  let unit = "values"
  private let load: ParsedLoad
  private let tables: [Table]

  init(_ load: ParsedLoad, of tables: MemoryTables) throws {
    self.load = load
    var unwatched = Stopwatch()
    self.tables = try tables.merge(try MergeLayer.fourTables(load, tables), &unwatched)
  }

  var count: Int { load.valueCount }
  var byteCount: Int { tables.reduce(0) { $0 + Int($1.tableByteCount ?? 0) } }

  func run(_ watch: inout Stopwatch) throws -> Bool {
    try RunTally(WindowSnapshot(range: MemoryTables.window, runs: tables), &watch) == load.tally
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Merge to tables")
struct TableMergeTests {
  @Test("tables hold what a scan of the runs before them gave", arguments: 0..<40 as Range<UInt64>)
  func equalsScan(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let batches = (0..<Int.random(in: 1...5, using: &random)).map { _ in randomBatch(&random) }
    let fileSystem = MemoryFileSystem()
    let bench = MergeBench(fileSystem)
    // Some runs as they are, some as tables of their own.
    let runs: [any SortedRun] = try batches.enumerated().map { index, batch in
      let run = MemoryRun(batch, sequence: UInt64(index + 1)...UInt64(index + 1), groupRowCount: 5)
      guard Bool.random(using: &random) else { return run }
      return try #require(try bench.merge([run], floor: .min).first)
    }
    let floor = Bool.random(using: &random) ? Int64.min : Int64.random(in: -50...50, using: &random)
    let merged = try bench.merge(
      runs, floor: floor, byteCountTarget: Bool.random(using: &random) ? 1 : 1 << 20)
    #expect(
      try rows(merged.map { $0 as any SortedRun }, floor: .min) == rows(runs, floor: floor), "seed \(seed)")
    #expect(try fileSystem.list("tables/0000007").count == bench.tableCount)
  }

  @Test(
    "every merge of adjacent runs, in any order, ends in the same rows", arguments: 0..<12 as Range<UInt64>)
  func anyOrder(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let bench = MergeBench(MemoryFileSystem())
    let runs = (1...6 as ClosedRange<UInt64>).map { MemoryRun(randomBatch(&random), sequence: $0...$0) }
    let wanted = try rows(runs, floor: .min)
    // Each element is the tables of one run.
    var standing: [[any SortedRun]] = runs.map { [$0] }
    while standing.count > 1 {
      let first = Int.random(in: 0..<standing.count - 1, using: &random)
      let count = Int.random(in: 2...standing.count - first, using: &random)
      let tables = try bench.merge(
        standing[first..<first + count].flatMap { $0 }, floor: .min, byteCountTarget: 1)
      standing.replaceSubrange(first..<first + count, with: [tables])
      #expect(
        try rows(standing.flatMap { $0 }, floor: .min) == wanted, "seed \(seed), \(standing.count) runs left")
    }
  }

  @Test("tables of the same series, of nearly the same and of others merge to the rows of all", arguments: 0..<20 as Range<UInt64>)
  func sameSeries(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let bench = MergeBench(MemoryFileSystem())
    // More series than a table's dictionary is kept of, more than a piece has, or few.
    let seriesCount = seed == 0 ? 4_200 : Int.random(in: 1...(seed % 5 == 0 ? 1_500 : 60), using: &random)
    var all: [any SortedRun] = []
    for sequence in 1...(seed == 0 ? 2 : Int.random(in: 2...5, using: &random)) {
      let odd = seed > 0 && Int.random(in: 0..<4, using: &random) == 0 ? Int.random(in: 0..<seriesCount, using: &random) : nil
      let run = hostRun(seriesCount, odd: odd, sequence: UInt64(sequence), &random)
      // Into a table a series, where they are few.
      let isCut = seriesCount <= 60 && Int.random(in: 0..<4, using: &random) == 0
      all += try bench.merge([run], floor: .min, byteCountTarget: isCut ? 1 : 1 << 20)
    }
    let merged = try bench.merge(all, floor: .min)
    #expect(try rows(merged.map { $0 as any SortedRun }, floor: .min) == rows(all, floor: .min), "seed \(seed)")
  }

  @Test("tables are told to have the same series where all keys are the same, and only there")
  func hasSeries() throws {
    var random = SplitMix64(seed: 3)
    let bench = MergeBench(MemoryFileSystem())
    let m = Array("m".utf8)
    func table(_ seriesCount: Int, odd: Int? = nil) throws -> any SeriesCursor {
      let run = hostRun(seriesCount, odd: odd, sequence: 1, &random)
      return try #require(try bench.merge([run], floor: .min).first).seriesCursor(of: m, where: nil)
    }
    for seriesCount in [1, 300, 1_500] {
      let first = try table(seriesCount)
      #expect(try table(seriesCount).hasSeries(of: first))
      // A value as long as the one in its place.
      #expect(try !table(seriesCount, odd: seriesCount - 1).hasSeries(of: first))
      #expect(try !table(seriesCount, odd: 0).hasSeries(of: first))
      #expect(try !table(seriesCount + 1).hasSeries(of: first))
    }
  }

  /// A few points of each of some hosts; `odd` has another name.
  private func hostRun(_ seriesCount: Int, odd: Int?, sequence: UInt64, _ random: inout SplitMix64) -> MemoryRun {
    var points: [ModelPoint] = []
    for series in 0..<seriesCount {
      let host = series == odd ? 90_000 : 10_000 + series
      let tags = [(key: Array("h".utf8), value: Array("host\(host)".utf8)), (key: Array("r".utf8), value: Array("r\(series % 7)".utf8))]
      let key = SeriesKey(measurement: Array("m".utf8), tags: tags)
      let step = Int.random(in: 1...9, using: &random)
      for row in 0..<Int.random(in: 1...3, using: &random) {
        let time = Int64(sequence) * 10 + Int64(row * step)
        points.append(ModelPoint(key: key, timestamp: time, fields: ["x": .integer(Int64(row))]))
      }
    }
    return MemoryRun(points, sequence: sequence...sequence)
  }

  @Test("full row groups of one series that nothing meets are copied undecoded")
  func copies() throws {
    let bench = MergeBench(MemoryFileSystem(), window: 0..<1_000_000)
    let key = SeriesKey(measurement: Array("m".utf8), tags: [])
    func run(_ times: Range<Int64>, _ sequence: UInt64) -> MemoryRun {
      let points = times.map { time in
        ModelPoint(
          key: key, timestamp: time, fields: ["x": .float(Double(time)), "s": .string("t\(time % 7)")])
      }
      return MemoryRun(points, sequence: sequence...sequence, groupRowCount: 8_192)
    }
    let first = try bench.merge([run(0..<32_768, 1)], floor: .min)
    let second = try bench.merge([run(40_000..<56_384, 2), run(60_000..<60_010, 3)], floor: .min)
    let runs = (first + second).map { $0 as any SortedRun }
    let result = try bench.result(runs, floor: .min, byteCountTarget: 1 << 30)
    // Two full groups, and 16,394 rows in halves.
    #expect(result.copiedGroupCount == 4)
    let merged = try bench.open(result)
    #expect(try rows(merged.map { $0 as any SortedRun }, floor: .min) == rows(runs, floor: .min))
    // A floor inside a row group lets it be read and cut.
    let cut = try bench.result(runs, floor: 10, byteCountTarget: 1 << 30)
    #expect(cut.copiedGroupCount == 3)
    #expect(try rows(bench.open(cut).map { $0 as any SortedRun }, floor: .min) == rows(runs, floor: 10))
  }

  @Test("nothing left makes no table")
  func empty() throws {
    let fileSystem = MemoryFileSystem()
    let bench = MergeBench(fileSystem)
    let run = MemoryRun("m x=1 10\nm x=1 20")
    #expect(try bench.merge([run], floor: 21).isEmpty)
    #expect(bench.tableCount == 0)
  }

  @Test("stopped or failing at any call, a merge leaves no file that it can remove", arguments: 1..<40)
  func failures(call: Int) throws {
    let memory = MemoryFileSystem()
    let failing = FailingFileSystem(wrapping: memory)
    let bench = MergeBench(failing)
    var random = SplitMix64(seed: 5)
    let runs = [
      MemoryRun(randomBatch(&random), sequence: 1...1), MemoryRun(randomBatch(&random), sequence: 2...2),
    ]
    failing.fail(at: call, with: .full)
    do {
      let result = try bench.result(runs, floor: .min, byteCountTarget: 1)
      failing.fail(where: nil)
      #expect(try rows(bench.open(result), floor: .min) == rows(runs, floor: .min))
    } catch let error as StorageError {
      #expect(error.code == .full)
      let left = try memory.exists("tables/0000007") ? memory.list("tables/0000007") : []
      #expect(left.isEmpty, "call \(call)")
    }
  }

  @Test("pace hears of every byte, and may stop the merge")
  func pace() throws {
    let fileSystem = MemoryFileSystem()
    let bench = MergeBench(fileSystem)
    var random = SplitMix64(seed: 9)
    let runs = (1...3 as ClosedRange<UInt64>).map { MemoryRun(randomBatch(&random), sequence: $0...$0) }
    #expect(throws: StorageError(.cancelled, "stopped")) {
      try bench.result(runs, floor: .min, byteCountTarget: 1) { _ throws(StorageError) in
        throw StorageError(.cancelled, "stopped")
      }
    }
    #expect(try fileSystem.list("tables/0000007").isEmpty)
    for target in [1, 256 << 20] as [UInt64] {
      var heard: UInt64 = 0
      let result = try bench.result(runs, floor: .min, byteCountTarget: target) { heard += $0 }
      #expect(result.tables.count > (target == 1 ? 1 : 0) && heard == result.byteCount)
    }
  }

  private func rows(_ runs: [any SortedRun], floor: Int64) throws -> ModelRows {
    let window = WindowSnapshot(range: MergeBench.window, runs: runs)
    let snapshot = Snapshot(windows: [window], floor: floor, pin: nil)
    let columns = FieldType.allCases.flatMap { type in
      ["x", "y", "z", "s"].map { ScanColumn(name: Array($0.utf8), type: type) }
    }
    return try ScanDump(snapshot, columns, .min ..< .max, descending: false, converts: false).rows
  }
}

/// Merges runs of one window into tables and opens them.
final class MergeBench {
  static let window: Range<Int64> = -1_000..<1_000_000
  private let fileSystem: any FileSystem
  private let window: Range<Int64>
  private let cache = BlockCache(byteCountMax: 1 << 20)
  private(set) var tableCount = 0
  private var lastNumber: UInt64 = 0

  init(_ fileSystem: any FileSystem, window: Range<Int64> = MergeBench.window) {
    self.fileSystem = fileSystem
    self.window = window
  }

  func merge(_ runs: [any SortedRun], floor: Int64, byteCountTarget: UInt64 = 256 << 20) throws -> [Table] {
    try open(try result(runs, floor: floor, byteCountTarget: byteCountTarget))
  }

  func result(
    _ runs: [any SortedRun], floor: Int64, byteCountTarget: UInt64,
    pace: @escaping (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }
  ) throws -> TableMerge.Result {
    let identity = TableIdentity(
      number: 0, keyspace: KeyspaceID(7), database: "d", policy: "p", window: window,
      sequenceRange: (runs.map(\.sequenceRange.lowerBound).min() ?? 0)...(runs.map(\.sequenceRange.upperBound)
        .max() ?? 0),
      horizon: floor)
    var merge = TableMerge(runs: runs, identity: identity, floor: floor, fileSystem: fileSystem) { [self] in
      lastNumber += 1
      return lastNumber
    }
    merge.options.byteCountTarget = byteCountTarget
    merge.pace = pace
    let result = try merge.run()
    tableCount += result.tables.count
    return result
  }

  func open(_ result: TableMerge.Result) throws -> [Table] {
    try result.tables.map { state in
      let name = tableFileName(keyspace: KeyspaceID(7), windowStart: window.lowerBound, number: state.number)
      return try Table.open(file: try fileSystem.open(name), state: state, cache: cache)
    }
  }
}

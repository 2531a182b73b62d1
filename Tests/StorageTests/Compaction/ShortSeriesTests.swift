import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Short series in merges", .tags(.property))
struct ShortSeriesTests {
  @Test("taken many at a time they make the same file as one at a time", arguments: 0..<16 as Range<UInt64>)
  func sameBytes(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let floor: Int64 = seed % 3 == 0 ? 100 : .min
    let source = ShortSeriesSource(seed: seed)
    let disks = (many: MemoryFileSystem(), single: MemoryFileSystem())
    let (many, single) = (MergeBench(disks.many), MergeBench(disks.single))
    var runs: [any SortedRun] = []
    var points: [ModelPoint] = []
    for round in 0..<Int.random(in: 1...4, using: &random) {
      let (part, sent) = try source.part(round, &random)
      let run = try #require(part.makeRun())
      points += sent
      let tables = try many.merge([run], floor: floor)
      let same = try single.merge([SingleSeriesRun(run)], floor: floor)
      #expect(try bytes(tables, on: disks.many) == bytes(same, on: disks.single), "flush \(round)")
      runs += tables.map { StreamedTable($0) }
    }
    let merged = try many.merge(runs, floor: floor)
    let same = try single.merge(runs.map(SingleSeriesRun.init), floor: floor)
    #expect(try bytes(merged, on: disks.many) == bytes(same, on: disks.single))
    let wanted = MemoryRun(points.filter { $0.timestamp >= floor }, sequence: 1...100)
    #expect(try merged.count == 1 && RunContents(merged[0]) == RunContents(wanted))
  }

  @Test("a table ends where it is full, between two of them")
  func fullTables() throws {
    var random = SplitMix64(seed: 3)
    let (part, points) = try ShortSeriesSource(seed: 1).part(0, &random)
    let run = try #require(part.makeRun())
    let bench = MergeBench(MemoryFileSystem())
    let tables = try bench.merge([run], floor: .min, byteCountTarget: 1)
    // Each has its header from the start.
    #expect(tables.allSatisfy { $0.seriesCountMax == 1 })
    #expect(tables.map(\.rowCount).reduce(0, +) == MemoryRun(points, sequence: 1...1).series.reduce(0) { $0 + $1.points.count })
    let some = tables.prefix(20)
    let again = try bench.merge(some.map { StreamedTable($0) }, floor: .min, byteCountTarget: 1)
    #expect(again.map(\.rowCount) == some.map(\.rowCount))
  }

  @Test("tags of many values, alike in their first bytes and of any bytes: keys and rows of tables and of their merge are those written")
  func manyValues() throws {
    var random = SplitMix64(seed: 9)
    let bench = MergeBench(MemoryFileSystem())
    // Blocks of values hold some 500 of these. Keys come in more pieces than one, of which each goes through many blocks.
    let keys = (0..<6_000).map { number in
      let letters: [UInt8] = [0x61, 0x62, 0, 0xff]
      let head = number % 2 == 0 ? [] : Array("value-of-".utf8)
      let value = head + (0..<Int.random(in: 6...60, using: &random)).map { _ in letters.randomElement(using: &random) ?? 0 }
      var tags = [(key: Array("a".utf8), value: Array("\(number % 3)".utf8)), (key: Array("id".utf8), value: value)]
      if number % 5 == 0 { tags.append((key: Array("z".utf8), value: Array("\(number % 200)".utf8))) }
      return SeriesKey(measurement: Array("m".utf8), tags: tags)
    }
    var points: [ModelPoint] = []
    var runs: [any SortedRun] = []
    for sequence in 1...3 as ClosedRange<UInt64> {
      let some = keys.filter { _ in Int.random(in: 0..<3, using: &random) > 0 }
        .map { ModelPoint(key: $0, timestamp: Int64(sequence), fields: ["v": .integer(Int64(sequence))]) }
      let model = MemoryRun(some, sequence: sequence...sequence)
      let table = try #require(bench.merge([model], floor: .min).first)
      #expect(try RunContents(table) == RunContents(model), "run \(sequence)")
      points += some
      runs.append(StreamedTable(table))
    }
    let merged = try #require(bench.merge(runs, floor: .min).first)
    try merged.verify()
    #expect(try RunContents(merged) == RunContents(MemoryRun(points, sequence: 1...3)))
  }

  private func bytes(_ tables: [Table], on disk: MemoryFileSystem) throws -> [[UInt8]] {
    try tables.map { table in
      try disk.contents(table.name).stored
    }
  }
}

/// Parts of many short series, a long one, and such as have to be sorted or joined.
private final class ShortSeriesSource {
  private let hasTypes: Bool
  private let hasStrings: Bool
  private let names = [BatchMaker(), BatchMaker()]
  private var sequence: UInt64 = 0

  init(seed: UInt64) {
    hasStrings = seed % 5 == 4
    hasTypes = seed % 4 == 3
  }

  /// Half of a round's points lie between those of the one before.
  func part(_ round: Int, _ random: inout SplitMix64) throws -> (part: Part, points: [ModelPoint]) {
    let memtable = Memtable(clock: { 0 })
    // Two receivers, whose rows of a series lie between one another.
    let writers = names.map { Writer(memtable, names: $0, windowLength: 1_000_000) }
    var points: [ModelPoint] = []
    for batch in 0..<6 {
      sequence += 1
      var lines: [SentLine] = []
      for host in 0..<400 where Int.random(in: 0..<4, using: &random) > 0 {
        // Of every other series no two rows have one time; those of the others meet between rounds.
        lines.append(line(host, time: Int64(1_000 + round * 30 + batch * 10 + (host % 2 == 1 ? round : 0)), &random))
      }
      if batch == 0, round % 2 == 0 {
        lines += (0..<1_500).map { line(7, time: Int64(20_000 + round * 10_000 + $0), &random) }
      }
      try writers[batch % 2].write(lines, sequence: sequence)
      points += lines.map(\.point)
    }
    return (try #require(memtable.parts().first), points)
  }

  private func line(_ host: Int, time: Int64, _ random: inout SplitMix64) -> SentLine {
    var tags = [(key: Array("host".utf8), value: Array("h\(host)".utf8))]
    if host % 3 > 0 { tags.append((Array("rack".utf8), Array("r\(host % 10)".utf8))) }
    if host % 50 == 0 { tags.append((Array("zone".utf8), Array("z\(host / 100)".utf8))) }
    let key = SeriesKey(measurement: Array((host % 7 == 0 ? "cpu" : "disk").utf8), tags: tags)
    var fields: [(name: String, value: ModelValue)] = [
      ("a", .integer(Int64.random(in: 0..<100, using: &random))),
      ("b", .float(Double(Int.random(in: 0..<1_000, using: &random)) / 10)),
    ]
    if host % 11 == 0 { fields.append(("c", .boolean(Bool.random(using: &random)))) }
    if hasTypes, host % 5 == 0 { fields[0].value = .float(0.5) }
    if hasStrings, host % 13 == 0 { fields.append(("s", .string("text \(time)"))) }
    // Some come late, and some twice.
    let late = host % 17 == 0 ? Int64.random(in: 0..<200, using: &random) : 0
    return SentLine(key: key, timestamp: time - late, fields: fields)
  }
}

/// Hides from a merge that a run has many short series at a time.
private final class SingleSeriesRun: SortedRun {
  private let base: any SortedRun

  init(_ base: any SortedRun) { self.base = base }

  var sequenceRange: ClosedRange<UInt64> { base.sequenceRange }
  var timeRange: ClosedRange<Int64> { base.timeRange }
  var rowCount: Int { base.rowCount }
  var seriesCountMax: Int { base.seriesCountMax }

  func measurements() throws(StorageError) -> [[UInt8]] { try base.measurements() }
  func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] { try base.fields(of: measurement) }
  func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] { try base.tagKeys(of: measurement) }

  func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError) -> SeriesList {
    try base.series(of: measurement, where: predicate)
  }

  func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    SingleSeriesReader(base.makeReader(of: measurement, fields: fields))
  }
}

private final class SingleSeriesReader: RunReader {
  private let base: any RunReader

  init(_ base: any RunReader) { self.base = base }

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
    try base.begin(ordinal, times: times, descending: descending)
  }

  func next() throws(StorageError) -> RowGroupSpan? { try base.next() }
  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? { try base.statistics(column) }
  func read(into batch: inout ColumnBatch) throws(StorageError) { try base.read(into: &batch) }
}

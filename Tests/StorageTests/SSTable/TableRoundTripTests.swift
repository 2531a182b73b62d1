import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: what is written is read back", .tags(.property))
struct TableRoundTripTests {
  @Test("names, series and rows are those of the model", arguments: 0..<4 as Range<UInt64>)
  func roundTrip(seed: UInt64) throws {
    let model = MemoryRun(TableSamples.points(seed: seed), sequence: 7...9)
    let table = try TableSamples.table(model, batchRowCount: seed % 2 == 0 ? 700 : 100_000)
    #expect(table.rowCount == model.rowCount && table.timeRange == model.timeRange, "seed \(seed)")
    #expect(table.sequenceRange == 7...9)
    try table.verify()
    #expect(try table.measurements() == model.measurements())
    for measurement in try model.measurements() {
      #expect(try table.fields(of: measurement) == model.fields(of: measurement))
      #expect(try table.tagKeys(of: measurement) == model.tagKeys(of: measurement))
      let (found, expected) = try (
        table.series(of: measurement, where: nil), model.series(of: measurement, where: nil)
      )
      #expect(found.keyBytes == expected.keyBytes && found.keyEnds == expected.keyEnds, "seed \(seed)")
      #expect(
        found.firstTimestamps == expected.firstTimestamps && found.lastTimestamps == expected.lastTimestamps)
      let fields = try model.fields(of: measurement)
      let reader = table.makeReader(of: measurement, fields: fields)
      for index in 0..<found.count {
        let series = model.series[Int(expected.ordinals[index])]
        let points = try readPoints(
          reader, found.ordinals[index], key: series.key, fields: fields, times: Int64.min..<Int64.max)
        if points != series.points { Issue.record("seed \(seed): series \(index) differs"); return }
      }
    }
    #expect(try table.fields(of: Array("none".utf8)).isEmpty)
    #expect(try table.series(of: Array("none".utf8), where: nil).count == 0)
  }

  @Test(
    "a time range gives its rows, ascending and descending, some columns", arguments: 10..<13 as Range<UInt64>
  )
  func timeRanges(seed: UInt64) throws {
    let model = MemoryRun(TableSamples.points(seed: seed), sequence: 1...1)
    let table = try TableSamples.table(model)
    var random = SplitMix64(seed: seed)
    for measurement in try model.measurements() {
      let fields =
        try model.fields(of: measurement).filter { _ in random.next() % 3 > 0 }
        + [FieldKey(name: Array("absent".utf8), type: .float)]
      let reader = table.makeReader(of: measurement, fields: fields)
      let (list, expected) = try (
        table.series(of: measurement, where: nil), model.series(of: measurement, where: nil)
      )
      for index in (0..<list.count).shuffled(using: &random) {
        let series = model.series[Int(expected.ordinals[index])]
        let (first, last) = (list.firstTimestamps[index], list.lastTimestamps[index])
        let from = Int64.random(in: first - 10...last, using: &random)
        let times = from..<Int64.random(in: from...last + 10, using: &random) + 1
        let wanted = series.points.filter { times.contains($0.timestamp) }.map { point in
          var kept = point
          kept.fields = point.fields.filter { field in
            fields.contains(FieldKey(name: Array(field.key.utf8), type: field.value.type))
          }
          return kept
        }
        let points = try readPoints(
          reader, list.ordinals[index], key: series.key, fields: fields, times: times,
          descending: random.next() % 2 == 0)
        if points != wanted {
          Issue.record(
            "seed \(seed), series \(index), times \(times): \(points.count) rows for \(wanted.count)")
          return
        }
      }
    }
  }
}

@Suite("Table: the edges of row groups")
struct TableEdgeTests {
  private static let field = FieldKey(name: Array("v".utf8), type: .integer)

  private static func write(_ series: [(id: Int, rowCount: Int)], batchRowCount: Int) throws -> Table {
    let file = try MemoryFileSystem().create("edge.sst")
    let writer = try TableWriter(file: file, identity: TableSamples.identity())
    for one in series {
      try writer.beginSeries(key(one.id))
      for start in stride(from: 0, to: one.rowCount, by: batchRowCount) {
        var batch = ColumnBatch(fields: [field])
        batch.timestamps = (start..<min(start + batchRowCount, one.rowCount)).map { Int64($0) * 7 }
        batch.columns[0].values = batch.timestamps.map { UInt64($0 * 3 + Int64(one.id)) }
        batch.columns[0].presentCount = batch.count
        try writer.append(batch)
      }
    }
    return try Table.open(file: file, state: try writer.finish(), cache: BlockCache(byteCountMax: 1 << 20))
  }

  private static func key(_ id: Int) -> SeriesKey {
    let digits = String(id + 100_000)
    return SeriesKey(measurement: Array("m".utf8), tags: [(Array("id".utf8), Array(digits.utf8))])
  }

  @Test(
    "row groups of a long series hold 1,024 to 16,384 rows, however the rows come",
    arguments: [
      1_024, 16_384, 16_385, 17_407, 17_408, 33_791, 33_792,
    ], [1_000, 60_000])
  func longSeries(rowCount: Int, batchRowCount: Int) throws {
    let table = try Self.write([(0, 5), (1, rowCount), (2, 5)], batchRowCount: batchRowCount)
    try table.verify()
    let reader = table.makeReader(of: Array("m".utf8), fields: [Self.field])
    try reader.begin(1, times: Int64.min..<Int64.max, descending: false)
    var counts: [Int] = []
    var (sum, batch) = (0, ColumnBatch(fields: [Self.field]))
    while let span = try reader.next() {
      counts.append(span.rowCount)
      try reader.read(into: &batch)
      sum += batch.columns[0].values.reduce(0) { $0 + Int($1) }
    }
    #expect(counts.allSatisfy { (1_024...16_384).contains($0) }, "\(counts)")
    #expect(counts.reduce(0, +) == rowCount && sum == 21 * rowCount * (rowCount - 1) / 2 + rowCount)
  }

  @Test("short series share row groups and are never cut; more series than one dictionary block holds")
  func shortSeries() throws {
    let rowCounts = [1, 2, 1_023, 3, 700]
    let series = (0..<17_000).map { (id: $0, rowCount: $0 < 200 ? rowCounts[$0 % 5] : 1) }
    let table = try Self.write(series, batchRowCount: 10_000)
    try table.verify()
    let list = try table.series(of: Array("m".utf8), where: nil)
    #expect(list.count == 17_000)
    let reader = table.makeReader(of: Array("m".utf8), fields: [Self.field])
    var (batch, wrong) = (ColumnBatch(fields: [Self.field]), 0)
    for one in series.reversed() where one.id < 200 || one.id % 1_000 < 3 {
      try reader.begin(UInt32(one.id), times: 0..<1_000_000, descending: true)
      let span = try reader.next()
      try reader.read(into: &batch)
      let expected = (0..<one.rowCount).map { UInt64($0 * 21 + one.id) }
      if span?.rowCount != one.rowCount || batch.columns[0].values != expected { wrong += 1 }
      if try reader.next() != nil { wrong += 1 }
    }
    #expect(wrong == 0)
  }

  @Test("more row groups than one stripe of the index holds", .tags(.slow), .enabled(if: runsSlowTests))
  func manyGroups() throws {
    let table = try Self.write((0..<2_500).map { (id: $0, rowCount: 1_024 + $0 % 3) }, batchRowCount: 20_000)
    try table.verify()
    let reader = table.makeReader(of: Array("m".utf8), fields: [Self.field])
    for id in stride(from: 2_499, through: 0, by: -37) {
      try reader.begin(UInt32(id), times: 0..<1_000_000, descending: false)
      #expect(try reader.next()?.rowCount == 1_024 + id % 3)
      #expect(try reader.statistics(0)?.first == UInt64(id))
    }
  }

  @Test("strings cut a row group before its rows do")
  func longStrings() throws {
    let file = try MemoryFileSystem().create("strings.sst")
    let writer = try TableWriter(file: file, identity: TableSamples.identity())
    let field = FieldKey(name: Array("s".utf8), type: .string)
    try writer.beginSeries(Self.key(1))
    for start in 0..<3 {
      let points = (0..<90).map { row in
        ModelPoint(
          key: Self.key(1), timestamp: Int64(start * 100 + row),
          fields: ["s": .string(String(repeating: "abc \(row) ", count: 20_000))])
      }
      try writer.append(TableSamples.batch(points, fields: [field]))
    }
    let table = try Table.open(file: file, state: try writer.finish(), cache: BlockCache(byteCountMax: 0))
    let reader = table.makeReader(of: Array("m".utf8), fields: [field])
    try reader.begin(0, times: 0..<1_000, descending: false)
    var (groups, rows, bytes, batch) = (0, 0, 0, ColumnBatch(fields: [field]))
    while try reader.next() != nil {
      try reader.read(into: &batch)
      (groups, rows, bytes) = (groups + 1, rows + batch.count, max(bytes, batch.columns[0].bytes.count))
      #expect(batch.columns[0].string(batch.count - 1).starts(with: Array("abc ".utf8)))
    }
    #expect(groups > 1 && rows == 270 && bytes <= 40 << 20, "\(groups) groups, \(rows) rows, \(bytes) bytes")
  }
}

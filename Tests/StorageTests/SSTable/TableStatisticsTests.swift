import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: statistics of row groups")
struct TableStatisticsTests {
  @Test(
    "they answer for whole row groups of one series, and are those of the rows", .tags(.property),
    arguments: 30..<32 as Range<UInt64>)
  func statistics(seed: UInt64) throws {
    let model = MemoryRun(TableSamples.points(seed: seed, longRowCount: 3_000), sequence: 1...1)
    let table = try TableSamples.table(model)
    var (answered, wrong) = (0, 0)
    for measurement in try model.measurements() {
      let fields = try model.fields(of: measurement)
      let reader = table.makeReader(of: measurement, fields: fields)
      var batch = ColumnBatch(fields: fields)
      let list = try table.series(of: measurement, where: nil)
      for index in 0..<list.count {
        try reader.begin(list.ordinals[index], times: Int64.min..<Int64.max, descending: false)
        while let span = try reader.next() {
          for column in fields.indices {
            guard let found = try reader.statistics(column) else { continue }
            try reader.read(into: &batch)
            let rows = (0..<batch.count).compactMap { row in
              modelValue(batch.columns[column], row).map { (timestamp: batch.timestamps[row], value: $0) }
            }
            var expected = modelStatistics(rows)
            if fields[column].type == .string {
              expected = ColumnStatistics()
              expected.count = rows.count
            }
            // The order of additions is free: the pair differs, its sum does not.
            let sums = (found.floatSum + found.floatError, expected.floatSum + expected.floatError)
            if (sums.0 - sums.1).magnitude > sums.0.ulp { wrong += 1 }
            (expected.floatSum, expected.floatError) = (found.floatSum, found.floatError)
            answered += 1
            if found != expected || span.rowCount != batch.count { wrong += 1 }
          }
        }
      }
    }
    #expect(answered > 0 && wrong == 0, "seed \(seed): \(wrong) of \(answered)")
  }

  @Test("a stretch that the times cut, and a short series among others, have none")
  func cut() throws {
    let long = (0..<5_000).map { "long,id=1 v=\($0)i \($0 * 10)" }
    let short = (0..<10).map { "short,id=\($0) v=\($0)i 5" }
    let table = try TableSamples.table(MemoryRun((long + short).joined(separator: "\n"), sequence: 1))
    let field = FieldKey(name: Array("v".utf8), type: .integer)
    let reader = table.makeReader(of: Array("long".utf8), fields: [field])
    for (times, isKnown) in [
      (0..<49_991, true), (0..<49_990, false), (1..<60_000, false), (-5..<60_000, true),
    ] as [(Range<Int64>, Bool)] {
      try reader.begin(0, times: times, descending: false)
      _ = try reader.next()
      #expect(try (reader.statistics(0) != nil) == isKnown, "\(times)")
    }
    let other = table.makeReader(of: Array("short".utf8), fields: [field])
    try other.begin(3, times: 0..<100, descending: false)
    #expect(try other.next() == RowGroupSpan(rowCount: 1, firstTimestamp: 5, lastTimestamp: 5))
    #expect(try other.statistics(0) == nil)
  }

  @Test("a column that the stretch lacks has count 0; sums of integers are exact beyond 64 bits; NaN is told")
  func extremes() throws {
    let key = SeriesKey(measurement: Array("m".utf8), tags: [])
    let points = (0..<1_024).map { (row: Int) -> ModelPoint in
      let integer: ModelValue = .integer(row % 2 == 0 ? Int64.max : Int64.max - 1)
      let float: ModelValue = .float(row == 5 ? Double.nan : Double(row))
      return ModelPoint(
        key: key, timestamp: Int64(row), fields: ["i": integer, "u": .unsigned(UInt64.max), "f": float])
    }
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    try table.verify()
    let fields = [
      FieldKey(name: Array("i".utf8), type: .integer), FieldKey(name: Array("u".utf8), type: .unsigned),
      FieldKey(name: Array("f".utf8), type: .float), FieldKey(name: Array("z".utf8), type: .float),
    ]
    let reader = table.makeReader(of: Array("m".utf8), fields: fields)
    try reader.begin(0, times: 0..<2_000, descending: true)
    _ = try reader.next()
    #expect(try reader.statistics(0)?.integerSum == Int128(Int64.max) * 1_024 - 512)
    #expect(try reader.statistics(1)?.integerSum == Int128(UInt64.max) * 1_024)
    let float = try #require(try reader.statistics(2))
    #expect(
      float.hasNaN && float.minimum == 0 && Double(bitPattern: float.maximum) == 1_023 && float.floatSum.isNaN
    )
    #expect(try reader.statistics(3) == ColumnStatistics())
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: what is written is read back", .tags(.property))
struct TableRoundTripTests {
  @Test("names, series and rows are those of the model", arguments: 0..<6 as Range<UInt64>)
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
      #expect(found.firstTimestamps == expected.firstTimestamps && found.lastTimestamps == expected.lastTimestamps)
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

  @Test("a time range gives its rows, ascending and descending, some columns", arguments: 10..<14 as Range<UInt64>)
  func timeRanges(seed: UInt64) throws {
    let model = MemoryRun(TableSamples.points(seed: seed), sequence: 1...1)
    let table = try TableSamples.table(model)
    var random = SplitMix64(seed: seed)
    for measurement in try model.measurements() {
      let fields = try model.fields(of: measurement).filter { _ in random.next() % 3 > 0 }
        + [FieldKey(name: Array("absent".utf8), type: .float)]
      let reader = table.makeReader(of: measurement, fields: fields)
      let (list, expected) = try (table.series(of: measurement, where: nil), model.series(of: measurement, where: nil))
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
          Issue.record("seed \(seed), series \(index), times \(times): \(points.count) rows for \(wanted.count)")
          return
        }
      }
    }
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Bloom filter of a table")
struct BloomFilterTests {
  private static func key(_ id: String) -> SeriesKey {
    SeriesKey(
      measurement: Array("http".utf8),
      tags: [(Array("id".utf8), Array(id.utf8)), (Array("zone".utf8), Array("z".utf8))])
  }

  @Test(
    "it has every series and tag value, and at most 1.2 in a hundred of those that are absent, of either kind",
    arguments: [300, 8_000])
  func falsePositives(seriesCount: Int) throws {
    let points = (0..<seriesCount).map {
      ModelPoint(key: Self.key("series-\($0)"), timestamp: 1, fields: ["v": .integer(1)])
    }
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    func mayHold(id: String) throws -> Bool {
      try table.mayContain(measurement: Array("http".utf8), tagKey: Array("id".utf8), value: Array(id.utf8))
    }
    var missing = 0
    for number in 0..<seriesCount {
      if try !table.mayContain(Self.key("series-\(number)").bytes) { missing += 1 }
      if try !mayHold(id: "series-\(number)") { missing += 1 }
    }
    #expect(missing == 0)
    let absentCount = 40_000
    var (wrongSeries, wrongTags) = (0, 0)
    for number in 0..<absentCount {
      if try table.mayContain(Self.key("other-\(number)").bytes) { wrongSeries += 1 }
      if try mayHold(id: "other-\(number)") { wrongTags += 1 }
    }
    #expect(wrongSeries * 1_000 <= absentCount * 12, "\(wrongSeries) of \(absentCount) series")
    #expect(wrongTags * 1_000 <= absentCount * 12, "\(wrongTags) of \(absentCount) tag values")
    print("Bloom filter of \(seriesCount) series: \(wrongSeries) series, \(wrongTags) tags of \(absentCount) pass")
  }
}

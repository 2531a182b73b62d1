import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Bloom filter of a table")
struct BloomFilterTests {
  @Test("it has every series and tag, and few others: at most 1.2 in a hundred")
  func falsePositives() throws {
    let points = (0..<8_000).map { series in
      ModelPoint(
        key: SeriesKey(
          measurement: Array("m".utf8), tags: [(Array("id".utf8), Array("series-\(series)".utf8))]),
        timestamp: 1, fields: ["v": .integer(1)])
    }
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    var (missing, wrong) = (0, 0)
    for point in points where try !table.mayContain(point.key.bytes) { missing += 1 }
    for other in 0..<20_000 {
      let value = Array("other-\(other)".utf8)
      if try table.mayContain(measurement: Array("m".utf8), tagKey: Array("id".utf8), value: value) {
        wrong += 1
      }
      let key = SeriesKey(measurement: Array("m".utf8), tags: [(Array("id".utf8), value)])
      if try table.mayContain(key.bytes) { wrong += 1 }
    }
    #expect(missing == 0)
    #expect(wrong <= 480, "\(wrong) of 40,000")
    print("Bloom filter: \(Double(wrong) / 400) % false positives")
  }
}

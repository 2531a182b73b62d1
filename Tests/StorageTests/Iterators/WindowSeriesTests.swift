import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Series of a window")
struct WindowSeriesTests {
  @Test(
    "the union of runs is in canonical order, each with its runs ascending",
    arguments: 0..<60 as Range<UInt64>)
  func union(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let batches = (0..<Int.random(in: 1...7, using: &random)).map { _ in
      (0..<Int.random(in: 1...40, using: &random)).map { _ in
        ModelPoint(
          key: randomKey(&random), timestamp: Int64.random(in: 0..<100, using: &random),
          fields: ["x": .integer(1)])
      }
    }
    let window = Snapshot.ofPoints(batches, windowLength: 100).windows[0]
    let times = Int64.random(in: 0..<50, using: &random)..<Int64.random(in: 50..<100, using: &random)
    let series = try window.series(of: Array("m".utf8), where: nil, times: times)
    let found = try (0..<series.count).map { try series.key($0) }
    var wanted: [SeriesKey: [Int]] = [:]
    for (run, batch) in batches.enumerated() {
      for (key, points) in Dictionary(grouping: batch, by: \.key) {
        let held = points.map(\.timestamp)
        if let first = held.min(), let last = held.max(), first < times.upperBound, last >= times.lowerBound {
          wanted[key, default: []].append(run)
        }
      }
    }
    #expect(found == wanted.keys.sorted(), "seed \(seed)")
    #expect(found.indices.allSatisfy { series.sources($0).map(\.run) == wanted[found[$0]] }, "seed \(seed)")
  }

  @Test("names are those of every run; expired windows are not asked")
  func names() throws {
    let snapshot = Snapshot.ofLines(
      ["m,t=a x=1 10\nold,u=b y=1 10", "m,v=c x=2i 110\nn x=1 210"], windowLength: 100, floor: 100)
    #expect(try snapshot.measurements().map { String(decoding: $0, as: UTF8.self) } == ["m", "n"])
    #expect(try snapshot.fields(of: Array("m".utf8)) == [FieldKey(name: Array("x".utf8), type: .integer)])
    #expect(try snapshot.tagKeys(of: Array("m".utf8)) == [Array("v".utf8)])
    #expect(try snapshot.fields(of: Array("n".utf8), times: 100..<200).isEmpty)
  }

  private func randomKey(_ random: inout SplitMix64) -> SeriesKey {
    let tags = ["a", "b", "c", "d"].filter { _ in Int.random(in: 0..<3, using: &random) > 0 }.map { tag in
      (key: Array(tag.utf8), value: Array(String(Int.random(in: 0...11, using: &random)).utf8))
    }
    return SeriesKey(measurement: Array("m".utf8), tags: tags)
  }
}

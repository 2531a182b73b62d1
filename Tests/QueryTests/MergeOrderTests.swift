import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// The order of rows of several series, computed here by sorting.
@Suite("Order of merged series")
struct MergeOrderTests {
  private struct Row {
    var time: Int64
    var tag: String
    var value: Int
  }

  /// Rows of series `t=s00…`, each at `share` of some times, moved by `skew` nanoseconds a series.
  private static func rows(seriesCount: Int, share: Int, skew: Int64, seed: UInt64) -> [Row] {
    var random = SplitMix64(seed: seed)
    return (0..<seriesCount).flatMap { series in
      (0..<60).compactMap { step in
        guard random.next() % 10 < UInt64(share) else { return nil }
        return Row(
          time: Int64(step) * 1_000 + Int64(series) * skew, tag: "s\(series / 10)\(series % 10)",
          value: Int(random.next() % 1_000))
      }
    }
  }

  private static func answer(_ text: String, _ rows: [Row], windowLength: Int64, isStreamed: Bool) throws -> String {
    let lines = rows.map { "m,t=\($0.tag) v=\($0.value)i \($0.time)" }.joined(separator: "\n")
    let engine = QueryEngine(
      catalog: FakeCatalog("d", Snapshot.ofPoints([modelPoints(lines)], windowLength: windowLength)))
    var request = QueryRequest(text: text, database: "d", now: 0)
    request.isStreamed = isStreamed
    var results: [StatementResult] = []
    try engine.run(request) { results.append($0) }
    return rendered(results, .csv, RenderOptions(precision: .nanoseconds))
  }

  @Test(
    "rows come by time and then by tag, at the same times or none, all or some",
    arguments: [(10, Int64(0)), (6, 0), (1, 0), (10, 1), (5, 7)], [1, 2, 40])
  func order(sampling: (share: Int, skew: Int64), seriesCount: Int) throws {
    for seed in UInt64(1)...3 {
      let rows = Self.rows(seriesCount: seriesCount, share: sampling.share, skew: sampling.skew, seed: seed)
      for (end, isDescending) in [("", false), (" ORDER BY time DESC", true)] {
        var sorted = rows.sorted { ($0.time, $0.tag) < ($1.time, $1.tag) }
        if isDescending { sorted.reverse() }
        for limit in [0, 1, 77] {
          let wanted = (limit == 0 ? sorted[...] : sorted.prefix(limit)).map { "\($0.time),\($0.tag),\($0.value)\n" }
          let text = "SELECT t, v FROM m" + end + (limit == 0 ? "" : " LIMIT \(limit)")
          for (length, isStreamed) in [(Int64(1) << 40, false), (1 << 40, true), (9_000, true)] {
            let found = try Self.answer(text, rows, windowLength: length, isStreamed: isStreamed)
            #expect(found == (wanted.isEmpty ? "" : "time,t,v\n" + wanted.joined()), "\(text), seed \(seed)")
          }
        }
      }
    }
  }
}

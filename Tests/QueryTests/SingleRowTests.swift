import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// The one row of each group, the last one or that of calls, gathered beside each other is what it is where each is a series of its own.
@Suite("Single rows side by side")
struct SingleRowTests {
  /// Series of hosts and racks; fields come and go, and one is text.
  private static func points(seed: UInt64, rackCount: Int) -> [ModelPoint] {
    var random = SplitMix64(seed: seed)
    var lines: [String] = []
    for host in ["a", "b\\\"", "c", "é", "<e>"] {
      for rack in 0..<rackCount {
        for step in 0..<Int.random(in: 1..<40, using: &random) {
          var fields: [String] = []
          if Int.random(in: 0..<3, using: &random) > 0 { fields.append("v=\(Int.random(in: 0..<100, using: &random))i") }
          if Int.random(in: 0..<3, using: &random) == 0 { fields.append("x=\(step).5") }
          if Int.random(in: 0..<4, using: &random) == 0 { fields.append("s=\"text-\(step)\"") }
          let tag = rack == 0 && rackCount == 1 ? "" : ",rack=\(rack)"
          if !fields.isEmpty { lines.append("m,host=\(host)\(tag),zone=z\(rack) \(fields.joined(separator: ",")) \(step * 10 + rack)") }
        }
      }
    }
    return modelPoints(lines.joined(separator: "\n"))
  }

  private static let statements = [
    "SELECT * FROM m GROUP BY host ORDER BY time DESC LIMIT 1", "SELECT * FROM m GROUP BY * ORDER BY time DESC LIMIT 1",
    "SELECT v FROM m GROUP BY zone, host ORDER BY time DESC LIMIT 1", "SELECT s, zone FROM m GROUP BY host ORDER BY time DESC LIMIT 1",
    "SELECT v + 1, x / v, s FROM m WHERE v > 50 GROUP BY host, zone ORDER BY time DESC LIMIT 1",
    "SELECT x, nosuch FROM m WHERE host != 'a' OR v = 3 GROUP BY host, zone ORDER BY time DESC LIMIT 1",
    "SELECT v FROM m WHERE time < 100 GROUP BY nosuch, zone, host ORDER BY time DESC LIMIT 1",
    "SELECT v FROM m WHERE v > 1000 GROUP BY host ORDER BY time DESC LIMIT 1", "SELECT nosuch FROM m GROUP BY host ORDER BY time DESC LIMIT 1",
    "SELECT v FROM m GROUP BY host ORDER BY time DESC LIMIT 1; SELECT x FROM m GROUP BY host LIMIT 1",
  ]

  private static let calls = [
    "SELECT max(v) FROM m GROUP BY host", "SELECT first(s) FROM m GROUP BY zone, host", "SELECT last(s), count(v), spread(x) FROM m GROUP BY host",
    "SELECT mean(v) * 2 + max(x), min(v) FROM m GROUP BY host, zone", "SELECT sum(v) AS total, count(nosuch) FROM m GROUP BY host",
    "SELECT count(*) FROM m GROUP BY rack ORDER BY time DESC", "SELECT min(x) FROM m WHERE time >= 50 AND time < 90 GROUP BY * LIMIT 3",
    "SELECT mean(v) FROM m WHERE time >= 50 GROUP BY host fill(none)", "SELECT max(v) + 1 FROM m WHERE v > 90 GROUP BY host",
    "SELECT count(nosuch) FROM m GROUP BY host", "SELECT max(v) FROM m WHERE v > 1000 GROUP BY host", "SELECT sum(s) FROM m GROUP BY host",
    "SELECT max(v) FROM m WHERE time > 5 AND time < 5 GROUP BY host", "SELECT last(v), last(v) FROM m GROUP BY nosuch, host",
  ]
  /// Of more or fewer rows a group, or of several measurements.
  private static let others = [
    "SELECT max(v) FROM m GROUP BY host LIMIT 1 OFFSET 1", "SELECT max(v), x FROM m GROUP BY host", "SELECT median(v) FROM m GROUP BY host",
    "SELECT mean(v), max(x) FROM m GROUP BY host fill(7)", "SELECT max(v) FROM m GROUP BY host SLIMIT 2", "SELECT max(v) FROM m",
    "SELECT mean(v) FROM m WHERE time >= 0 AND time < 90 GROUP BY time(30ns), host", "SELECT max(v) FROM (SELECT v FROM m) GROUP BY host",
  ]

  private func results(
    _ engine: QueryEngine, _ text: String, takesSingleRows: Bool, isStreamed: Bool
  ) throws -> [StatementResult] {
    var request = QueryRequest(text: text, database: "d", now: 10_000)
    (request.takesSingleRows, request.isStreamed) = (takesSingleRows, isStreamed)
    var results: [StatementResult] = []
    try engine.run(request) { results.append($0) }
    return results
  }

  private func json(_ results: [StatementResult]) -> String {
    var renderer = JSONRenderer(RenderOptions(precision: .nanoseconds))
    var out: [UInt8] = []
    renderer.begin(into: &out)
    for result in results { renderer.append(result, into: &out) }
    renderer.finish(into: &out)
    return String(decoding: out, as: UTF8.self)
  }

  @Test(
    "JSON is the same, of groups of one series and of several, in one window and in many",
    arguments: [(UInt64(1), Int64(70), 1), (2, 1 << 40, 1), (3, 70, 3), (4, 1 << 40, 3)])
  func same(seed: UInt64, windowLength: Int64, rackCount: Int) throws {
    let snapshot = Snapshot.ofPoints([Self.points(seed: seed, rackCount: rackCount)], windowLength: windowLength)
    let engine = QueryEngine(catalog: FakeCatalog("d", snapshot))
    for text in Self.statements + Self.calls + Self.others {
      for isStreamed in [false, true] {
        let wanted = try json(results(engine, text, takesSingleRows: false, isStreamed: isStreamed))
        let found = try results(engine, text, takesSingleRows: true, isStreamed: isStreamed)
        #expect(json(found) == wanted, "\(text)")
        #expect(found.allSatisfy { $0.singles == nil || $0.series.isEmpty }, "\(text)")
      }
    }
    for (texts, areSingles) in [(Self.calls, true), (Self.others, false)] {
      for text in texts {
        for result in try results(engine, text, takesSingleRows: true, isStreamed: true) {
          #expect(areSingles ? result.series.isEmpty : result.singles == nil, "\(text)")
        }
      }
    }
    let groupedByAll = try results(engine, Self.statements[1], takesSingleRows: true, isStreamed: true)
    #expect(groupedByAll.map { $0.singles?.rows.rowCount ?? 0 } == [5 * rackCount], "each series is a group")
    let grouped = try results(engine, Self.statements[0], takesSingleRows: true, isStreamed: true)
    // In short windows the last one of a host may have one series alone.
    let areSeveral = rackCount > 1 && windowLength > 1_000
    if areSeveral || rackCount == 1 { #expect((grouped[0].singles == nil) == areSeveral, "groups of several series are merged") }
  }

  @Test("last rows for which there is no memory at once are answered as any others, and it is given back")
  func crowded() throws {
    let lines = (0..<2_000).flatMap { host in (0..<3).map { "m,h=h\(host) v=\(host)i,s=\"a\(host)\" \($0)" } }
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines.joined(separator: "\n")], windowLength: 100))
    let text = "SELECT v, s FROM m GROUP BY h ORDER BY time DESC LIMIT 1"
    let whole = try json(results(QueryEngine(catalog: catalog), text, takesSingleRows: false, isStreamed: true))
    for (byteCount, areSingles) in [(200_000, false), (300_000, false), (400_000, true), (1 << 20, true)] {
      let memory = QueryMemory(byteCountMax: byteCount)
      let engine = QueryEngine(catalog: catalog, memory: memory)
      let wanted = areSingles ? whole : try json(results(engine, text, takesSingleRows: false, isStreamed: true))
      let found = try results(engine, text, takesSingleRows: true, isStreamed: true)
      #expect(found.allSatisfy { ($0.singles != nil) == areSingles })
      #expect(json(found) == wanted)
      #expect(memory.byteCount == 0)
    }
  }

  @Test("more than a thousand groups come in pieces", arguments: [999, 1_000, 1_001, 2_500])
  func pieces(groupCount: Int) throws {
    let lines = (0..<groupCount).flatMap { ["m,h=h\($0) v=\($0)i,s=\"a\($0)\" 1", "m,h=h\($0) v=\(groupCount - $0)i 2"] }
    let engine = QueryEngine(catalog: FakeCatalog("d", Snapshot.ofLines([lines.joined(separator: "\n")], windowLength: 100)))
    for text in ["SELECT max(v), last(s) FROM m GROUP BY h", "SELECT last(v) FROM m GROUP BY h", "SELECT v FROM m GROUP BY h ORDER BY time DESC LIMIT 1"] {
      let found = try results(engine, text, takesSingleRows: true, isStreamed: true)
      #expect(found.map { $0.singles?.rows.rowCount ?? 0 } == stride(from: 0, to: groupCount, by: 1_000).map { min(1_000, groupCount - $0) })
      #expect(found.dropLast().allSatisfy { $0.hasMore } && found.last?.hasMore == false)
      #expect(try json(found) == json(results(engine, text, takesSingleRows: false, isStreamed: false)))
    }
  }

  @Test("a group of a later window that has several series in an earlier one is not merged in vain")
  func laterWindow() throws {
    let points = modelPoints("m,h=a,r=1 v=1i 1\nm,h=a,r=2 v=2i 2\nm,h=a,r=1 v=3i 101\nm,h=b,r=1 v=4i 3")
    let engine = QueryEngine(catalog: FakeCatalog("d", Snapshot.ofPoints([points], windowLength: 100)))
    let text = "SELECT v FROM m GROUP BY h ORDER BY time DESC LIMIT 1"
    let found = try results(engine, text, takesSingleRows: true, isStreamed: false)
    #expect(found[0].singles?.rows.timestamps == [3, 101])
    #expect(try json(found) == json(results(engine, text, takesSingleRows: false, isStreamed: false)))
  }

  @Test("documents in chunks, over lines, or with types take no rows side by side")
  func documents() {
    var options = RenderOptions()
    #expect(JSONRenderer.takesSingleRows(options))
    options.isPretty = true
    #expect(!JSONRenderer.takesSingleRows(options))
    (options.isPretty, options.chunkRowCount) = (false, 10)
    #expect(!JSONRenderer.takesSingleRows(options))
    (options.chunkRowCount, options.includesTypes) = (nil, true)
    #expect(!JSONRenderer.takesSingleRows(options))
  }
}

import Query
import Storage
import TestSupport
import Testing

@Suite("Short answers, for a thread that must not wait")
struct ShortAnswerTests {
  private static let start = ClockedStore.start

  private static func bench() throws -> ClockedStore {
    let bench = try ClockedStore()
    let lines = (0..<100).map { "m,host=\($0 % 2 == 0 ? "a" : "b") v=\($0) \(start + Int64($0))\n" }
    try bench.driver.write(lines.joined())
    return bench
  }

  private static func request(_ text: String, isShort: Bool) -> QueryRequest {
    var request = QueryRequest(text: text, database: "metrics", now: start + 1_000)
    request.isShort = isShort
    return request
  }

  private static func ask(_ engine: QueryEngine, _ request: QueryRequest) throws -> [StatementResult] {
    var results: [StatementResult] = []
    try engine.run(request) { results.append($0) }
    return results
  }

  private static func rows(_ results: [StatementResult]) -> [[[ModelValue?]]] {
    results.flatMap(\.series).map { series in
      (0..<series.rowCount).map { row in [.integer(series.timestamps?[row] ?? 0)] + series.columns.map { modelValue($0, row) } }
    }
  }

  @Test(
    "from memory the answer is the same, and nothing is read from a file for it",
    arguments: [
      "SELECT v FROM m WHERE host = 'a'", "SELECT max(v), mean(v) FROM m GROUP BY host",
      "SELECT * FROM m ORDER BY time DESC LIMIT 3", "SELECT max(v) FROM (SELECT v FROM m WHERE v > 3) GROUP BY host",
    ])
  func same(text: String) throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store)
    let wanted = Self.rows(try Self.ask(engine, Self.request(text, isShort: false)))
    #expect(wanted.first?.isEmpty == false)
    #expect(Self.rows(try Self.ask(engine, Self.request(text, isShort: true))) == wanted)
    try bench.store.flush()
    #expect(throws: QueryEngine.NotShort.self) { try Self.ask(engine, Self.request(text, isShort: true)) }
    #expect(Self.rows(try Self.ask(engine, Self.request(text, isShort: false))) == wanted)
    #expect(Self.rows(try Self.ask(engine, Self.request(text, isShort: true))) == wanted)
    #expect(try Self.ask(engine, Self.request("SHOW QUERIES", isShort: false))[0].series[0].rowCount == 1)
  }

  @Test(
    "what is not one SELECT that only reads, or fails, is for others",
    arguments: [
      "SHOW DATABASES", "SELECT v FROM m; SELECT v FROM m", "SELECT v INTO copy FROM m", "DROP MEASUREMENT m",
      "SELECT v FROM nowhere..m", "SELECT foo(v) FROM m",
    ])
  func others(text: String) throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store)
    #expect(throws: QueryEngine.NotShort.self) { try Self.ask(engine, Self.request(text, isShort: true)) }
    #expect(Self.rows(try Self.ask(engine, Self.request("SELECT count(v) FROM m", isShort: true))).count == 1)
  }

  @Test("a text that does not parse is refused at once")
  func unparsed() throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store)
    #expect(throws: QueryParseError.self) { try Self.ask(engine, Self.request("SELECT", isShort: true)) }
  }

  @Test("what takes too long is for others, but what was killed is answered so")
  func ended() throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store)
    var request = Self.request("SELECT v FROM m", isShort: true)
    request.isCancelled = { true }
    #expect(throws: QueryEngine.NotShort.self) { try Self.ask(engine, request) }
    request.isCancelled = {
      let killing = try? Self.ask(engine, Self.request("KILL QUERY 2", isShort: false))
      return killing == nil
    }
    #expect(try Self.ask(engine, request).map(\.error) == ["query interrupted"])
  }
}

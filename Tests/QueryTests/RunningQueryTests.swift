import Query
import Storage
import TestSupport
import Testing

@Suite("Queries under way")
struct RunningQueryTests {
  private let engine = QueryEngine(
    catalog: FakeCatalog("d", Snapshot.ofLines(["m v=1 5"], windowLength: 1000)))

  private func run(_ text: String, _ emit: (StatementResult) throws -> Void) throws {
    try engine.run(QueryRequest(text: text, database: "d", now: 5), emit: emit)
  }

  private func answer(_ text: String) throws -> StatementResult {
    var results: [StatementResult] = []
    try run(text) { results.append($0) }
    return try #require(results.first)
  }

  private func rows(_ result: StatementResult) throws -> [[ModelValue?]] {
    let series = try #require(result.series.first)
    return (0..<series.rowCount).map { row in series.columns.map { modelValue($0, row) } }
  }

  @Test("all statements of one request are one query, with a number of its own")
  func listed() throws {
    try run("SELECT v FROM m; select mean(v) from m") { _ in
      let shown = try rows(answer("SHOW QUERIES"))
      #expect(shown.count == 2 && shown[0][0] == .integer(1) && shown[1][0] != .integer(1))
      #expect(
        shown.map { $0[1] } == [.string("SELECT v FROM m; SELECT mean(v) FROM m"), .string("SHOW QUERIES")])
      #expect(shown.allSatisfy { $0[2] == .string("d") && $0[4] == .string("running") })
    }
    #expect(try rows(answer("SHOW QUERIES")).count == 1)
  }

  @Test("a killed query fails, and so do its statements that have not run")
  func killed() throws {
    var errors: [String?] = []
    try run("SELECT v FROM m; SELECT v FROM m; SHOW DATABASES") { result in
      errors.append(result.error)
      guard result.statementID == 0 else { return }
      let killing = try answer("KILL QUERY 1 ON \"some host\"")
      let states = try rows(answer("SHOW QUERIES")).map { $0[4] }
      #expect(killing.error == nil && states == [.string("killed"), .string("running")])
    }
    #expect(errors == [nil, "query interrupted", "query interrupted"])
    #expect(try answer("KILL QUERY 1").error == "no such query id: 1")
    #expect(try answer("SELECT v FROM m").error == nil)
  }

  @Test(
    "only texts that ask for queries or end them pass those under way",
    arguments: [
      ("SHOW QUERIES", true), ("kill query 5", true), ("KILL QUERY 5; SHOW QUERIES", true),
      ("SHOW QUERIES; SELECT v FROM m", false), ("SELECT v FROM m", false), ("KILL", false), ("", false),
    ])
  func aboutQueries(text: String, expected: Bool) {
    #expect(QueryEngine.isAboutQueries(text) == expected)
  }

  /// Runs a statement that is cancelled when it asks for the `count`th time; returns its error, and how often it has asked.
  private func errors(of text: String, after count: Int, _ engine: QueryEngine) throws -> (
    [String?], asked: Int
  ) {
    var request = QueryRequest(text: text, database: "d", now: 5)
    let asked = Lock(0)
    request.isCancelled = {
      asked.withLock { asked in
        asked += 1
        return asked >= count
      }
    }
    var errors: [String?] = []
    try engine.run(request) { errors.append($0.error) }
    return (errors, asked.withLock { $0 })
  }

  @Test(
    "what reads, sorts or fits for long asks again and again whether it is to go on",
    arguments: [
      ("SELECT median(v) FROM m", 6), ("SELECT percentile(v, 50) FROM m", 6), ("SELECT mode(v) FROM m", 6),
      ("SELECT top(v, 5) FROM m", 6), ("SELECT median(v) FROM m WHERE time < 20000s GROUP BY time(1m)", 300),
      ("SELECT holt_winters(mean(v), 10, 4) FROM m WHERE time < 30s GROUP BY time(1s)", 500),
    ])
  func brokenOff(text: String, askedMin: Int) throws {
    var lines = ""
    for number in 0..<20_000 { lines += "m v=\(number * 48_271 % 65_521) \(number)000000000\n" }
    let engine = QueryEngine(catalog: FakeCatalog("d", Snapshot.ofLines([lines], windowLength: 1 << 60)))
    let (whole, count) = try errors(of: text, after: .max, engine)
    #expect(whole == [nil])
    #expect(count >= askedMin)
    for place in [1, 2, count / 2, count - 1, count] {
      let (found, asked) = try errors(of: text, after: place, engine)
      #expect(found == ["query interrupted"] && asked <= count, "asked \(asked) times, cancelled at \(place)")
    }
  }
}

import Query
import Storage
import TestSupport
import Testing

/// Failures of what statements mean say where in the text the words are that they are about.
@Suite("Places of failures")
struct FailurePlaceTests {
  private static let cases: [(text: String, error: String, place: String?)] = [
    ("SELECT foo(v) FROM m", "undefined function foo()", "line 1, char 8"),
    ("SELECT mean(v), foo(v) FROM m", "undefined function foo()", "line 1, char 17"),
    ("SELECT v FROM m; SELECT mean(v),\n\tbar(v) FROM m", "undefined function bar()", "line 2, char 2"),
    ("SELECT mean(foo), foo(v) FROM m", "undefined function foo()", "line 1, char 19"),
    ("SELECT abs((v)) + max(v) + min(v) FROM m", "mixing multiple selector functions with tags or fields is not supported", "line 1, char 13"),
    ("SELECT mean(v), v FROM m", "mixing aggregate and non-aggregate queries is not supported", "line 1, char 17"),
    ("SELECT distinct(v), v FROM m", "aggregate function distinct() cannot be combined with other functions or fields", "line 1, char 8"),
    ("SELECT max(v), top(v, 2) FROM m", "selector function top() cannot be combined with other functions", "line 1, char 16"),
    ("SELECT abs(v, v) FROM m", "invalid number of arguments for abs, expected 1, got 2", "line 1, char 8"),
    ("SELECT derivative(foo(v)) FROM m WHERE time > 0 GROUP BY time(1s)", "undefined function foo()", "line 1, char 19"),
    ("SELECT v + s FROM m", "type error: v::integer + s::string: incompatible types: integer and string", "line 1, char 8"),
    ("SELECT mean(s) FROM m", "unsupported mean iterator type: *query.stringInterruptIterator", "line 1, char 8"),
    ("SELECT v FROM m GROUP BY time(1s)", "GROUP BY requires at least one aggregate function", "line 1, char 17"),
    ("SELECT mean(v) FROM m GROUP BY time(1s), time(2s)", "multiple time dimensions not allowed", "line 1, char 23"),
    ("SELECT v FROM m WHERE v + 1", "invalid condition expression: v + 1", "line 1, char 17"),
    ("SELECT v FROM (SELECT mean(v), v FROM m)", "mixing aggregate and non-aggregate queries is not supported", "line 1, char 32"),
    ("DELETE FROM m WHERE v > 1", "fields not supported in WHERE clause during deletion", "line 1, char 15"),
    ("SHOW TAG KEYS WHERE time != 5", "invalid time comparison operator: !=", "line 1, char 15"),
    ("SELECT v FROM nosuchdb..m", "database not found: nosuchdb", "line 1, char 15"), ("SELECT v FROM m", "", nil),
    ("SELECT p FROM p.m WHERE p > 1", "retention policy not found: p", "line 1, char 15"),
    ("SHOW SERIES ON other", "database not found: other", "line 1, char 16"),
    // Of two equal words the one on the level that fails.
    ("SELECT x FROM (SELECT foo(v) AS x FROM m) WHERE foo > 1", "undefined function foo()", "line 1, char 23"),
    ("SELECT mean(v), foo(v) FROM (SELECT v FROM m), (SELECT max(v) AS v FROM m)", "undefined function foo()", "line 1, char 17"),
    ("SELECT mean(v) FROM (SELECT v FROM m), (SELECT mean(v), v FROM m)", "mixing aggregate and non-aggregate queries is not supported", "line 1, char 57"),
    ("SELECT max(v) FROM (SELECT v FROM (SELECT abs(v) AS v FROM m) WHERE v + 1) WHERE v > 1", "invalid condition expression: v + 1", "line 1, char 63"),
    ("SELECT max(v)\nFROM (SELECT v FROM ( /* in */ SELECT max(v, 2) AS v FROM m))", "invalid number of arguments for max, expected 1, got 2", "line 2, char 39"),
    ("SELECT mean(v) FROM (SELECT v FROM m GROUP BY time(1s)) GROUP BY time(1s)", "GROUP BY requires at least one aggregate function", "line 1, char 38"),
  ]

  private func results(_ text: String, isStreamed: Bool) throws -> [StatementResult] {
    let engine = QueryEngine(
      catalog: FakeCatalog("d", Snapshot.ofPoints([modelPoints("m,h=a v=1i,s=\"x\" 1")], windowLength: 100)))
    var request = QueryRequest(text: text, database: "d", now: 10_000)
    request.isStreamed = isStreamed
    var results: [StatementResult] = []
    try engine.run(request) { results.append($0) }
    return results
  }

  @Test("each is found in the text, and the error is InfluxDB's alone", arguments: cases)
  func places(text: String, error: String, place: String?) throws {
    for isStreamed in [false, true] {
      let failures = try results(text, isStreamed: isStreamed).filter { $0.error != nil }
      #expect(failures.map(\.error) == (error.isEmpty ? [] : [error]))
      #expect(failures.map(\.errorPlace) == (error.isEmpty ? [] : [place]))
    }
  }

  @Test("JSON with types has it beside the error, and what reads JSON finds it", arguments: [nil, 10])
  func documents(chunkRowCount: Int?) throws {
    var options = RenderOptions()
    (options.includesTypes, options.chunkRowCount) = (true, chunkRowCount)
    var renderer = JSONRenderer(options)
    var out: [UInt8] = []
    renderer.begin(into: &out)
    for result in try results("SELECT v FROM m; SELECT foo(v) FROM m", isStreamed: true) { renderer.append(result, into: &out) }
    renderer.finish(into: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.contains("{\"statement_id\":1,\"error\":\"undefined function foo()\",\"at\":\"line 1, char 25\"}"))
    let read = try ResultDocument(out)
    #expect(read.results.last?.errorPlace == "line 1, char 25" && read.results.first?.errorPlace == nil)
  }
}

import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// What no statement may do: end the process, take long to be refused, or be refused without a reason.
@Suite("Bad statements")
struct BadStatementTests {
  private static let catalog = FakeCatalog(
    "d",
    Snapshot.ofLines(
      ["m,h=a v=1,s=\"x\",b=true,i=5i 5\nm,h=b v=-2,s=\"y\",b=false,i=0i 1500"], windowLength: 1000))

  private func run(
    _ text: String, now: Int64 = 5000, parameters: [String: String] = [:], limits: QueryLimits = QueryLimits()
  ) throws -> [StatementResult] {
    var request = QueryRequest(text: text, database: "d", now: now)
    request.parameters = parameters
    var results: [StatementResult] = []
    try QueryEngine(catalog: Self.catalog, limits: limits).run(request) { results.append($0) }
    return results
  }

  private func parseError(_ text: String) -> String? {
    do {
      _ = try run(text)
      return nil
    } catch {
      return (error as? QueryParseError)?.message
    }
  }

  /// Far above what it takes, and far below what anything that grows with the square of its input would.
  private func quickly(_ body: () throws -> Void) rethrows {
    let time = try ContinuousClock().measure(body)
    #expect(time < .seconds(60), "\(time)")
  }

  @Test("long statements are parsed, and refused where they go wrong")
  func long() throws {
    let names = (0..<9_000).map { "f\($0)" }.joined(separator: ", ")
    let terms = (0..<40_000).map { "h = 'x\($0)'" }.joined(separator: " OR ")
    let string = String(repeating: "x", count: 1 << 20)
    try quickly {
      let many = try run("SELECT v, \(names) FROM m")
      let none = try run("SELECT v FROM m WHERE \(terms)") + run("SELECT v FROM m WHERE s = '\(string)'")
      let unknown = try run("SELECT v FROM \"\(string)\"")
      #expect((many + none + unknown).map(\.error) == [nil, nil, nil, nil])
      #expect(many[0].series.count == 1 && none.allSatisfy(\.series.isEmpty) && unknown[0].series.isEmpty)
      #expect(try run("SELECT v FROM m WHERE \(terms) OR h = 'b'").first?.series.first?.rowCount == 1)
      let others = terms.replacing("=", with: "!=").replacing("OR", with: "AND")
      #expect(try run("SELECT v FROM m WHERE h != 'a' AND \(others)").first?.series.first?.rowCount == 1)
      let several = try run(String(repeating: "SHOW DATABASES;", count: 10_000))
      #expect(several.count == 10_000)
    }
    quickly {
      let place = 24 + terms.utf8.count
      #expect(
        parseError("SELECT v FROM m WHERE \(terms) x")
          == "error parsing query: found x, expected ; at line 1, char \(place)")
      #expect(parseError(string)?.hasSuffix("at line 1, char 1") == true)
      #expect(parseError("SELECT v FROM m WHERE s = '\(string)")?.contains("at line 1, char") == true)
      #expect(parseError("SELECT \(string)(v FROM m")?.contains("expected )") == true)
    }
    #expect(parseError(String(repeating: "x", count: 5 << 20))?.contains("at most 4194304 are taken") == true)
  }

  /// A list of `count` elements.
  private static func list(_ count: Int, _ separator: String = ",", _ element: (Int) -> String) -> String {
    (0..<count).map(element).joined(separator: separator)
  }

  @Test(
    "lists have a longest length, and are refused with the place where they pass it",
    arguments: [
      ("SELECT ", 10_000, ",", "f", " FROM m", "more than 10000 columns at line 1, char 58898"),
      ("SELECT v FROM ", 10_000, ",", "m", "", "more than 10000 sources at line 1, char 58905"),
      ("SELECT mean(v) FROM m GROUP BY ", 10_000, ",", "t", "", "more than 10000 dimensions at line 1, char 58922"),
      ("SHOW TAG VALUES WITH KEY IN (", 10_000, ",", "k", ")", "more than 10000 keys at line 1, char 58920"),
      ("SELECT top(", 10_000, ",", "t", ") FROM m", "more than 10000 arguments at line 1, char 58902"),
      ("DROP SERIES FROM ", 10_000, ",", "m", "", "more than 10000 sources at line 1, char 58908"),
      ("", 10_000, ";", "SHOW DATABASES --", "", "more than 10000 statements"),
      ("SELECT v FROM m WHERE h = ", 119_998, " OR h = ", "h", "", "more than 120000 names and values"),
    ])
  func lists(head: String, count: Int, separator: String, element: String, tail: String, refusal: String) throws {
    func text(_ count: Int) -> String {
      let isStatement = separator == ";"
      return head + Self.list(count, separator) { isStatement ? "SHOW DATABASES" : "\(element)\($0)" } + tail
        + (isStatement ? ";" : "")
    }
    let taken = separator == " OR h = " ? count / 2 : count
    #expect(parseError(text(taken)) == nil, "\(head)")
    let message = parseError(text(taken + 2))
    #expect(message?.contains(refusal) == true, "\(message ?? "taken")")
  }

  @Test("the columns of a SELECT have a largest number of names and values together, those of a subquery too")
  func operands() throws {
    func columns(_ count: Int) -> String { Self.list(count) { _ in Self.list(200, "+") { _ in "v" } } }
    #expect(parseError("SELECT \(columns(100)) FROM m WHERE v > 1") == nil)
    #expect(parseError("SELECT \(columns(101)) FROM m")?.contains("more than 20000 names and values at line 1, char 40008") == true)
    let inner = String(repeating: "(SELECT \(columns(100)) FROM m),", count: 6)
    #expect(parseError("SELECT v FROM \(inner) m")?.contains("names and values at line 1, char") == true)
  }

  @Test("comparisons that are made of each row have a largest number, those of tags are a list")
  func comparisons() throws {
    func condition(_ count: Int) -> String { Self.list(count, " OR ") { "v = \($0 + 7)" } }
    #expect(try run("SELECT v FROM m WHERE \(condition(10_000))").first?.error == nil)
    let refused = try #require(try run("SELECT v FROM m\nWHERE \(condition(10_001))").first)
    #expect(refused.error == "more than 10000 comparisons of fields in a condition" && refused.errorPlace == "line 2, char 1")
  }

  @Test("a regular expression has a longest length, and is refused with its place beyond that")
  func longRegex() throws {
    for (count, isTaken) in [(256 << 10, true), (256 << 10 + 1, false), (1 << 20, false)] {
      let message = parseError("SELECT v FROM m\nWHERE h =~ /\(String(repeating: "(a|b)", count: count / 5))\(String(repeating: "c", count: count % 5))/")
      let refusal = "regular expression of \(count) bytes, at most 262144 are taken at line 2, char 11"
      #expect((message?.contains(refusal) ?? false) != isTaken, "\(count): \(message ?? "")")
    }
  }

  @Test(
    "regular expressions that are large once compiled are refused before they are",
    arguments: [
      ("x{1000}", 300), ("[^a]", 10_000), ("\\pL", 10_000), ("(?i)k.", 30_000), ("(ab){2,900}", 400),
      ("\\pL{1,900}", 28), ("(\\w{1,50}){1,50}", 10),
    ])
  func costlyRegex(piece: String, count: Int) throws {
    let text = "SELECT v FROM m\nWHERE h =~ /\(String(repeating: piece, count: count))/"
    #expect(parseError(text)?.contains("regular expressions too large") == true)
    #expect(parseError(text)?.hasSuffix("at line 2, char 11") == true)
  }

  @Test("thousands of regular expressions are refused together, hundreds are taken")
  func manyRegexes() throws {
    func text(_ count: Int) -> String { "SELECT v FROM m WHERE " + Self.list(count, " OR ") { "h =~ /^x\($0)$/" } }
    #expect(parseError(text(900)) == nil)
    #expect(parseError(text(2_000))?.contains("regular expressions too large") == true)
  }

  @Test(
    "deep nesting is refused with its place, whatever nests",
    arguments: [
      ("SELECT \(String(repeating: "(", count: 10_000))v", "levels deep at line 1, char"),
      ("SELECT \(String(repeating: "abs(", count: 10_000))v", "levels deep at line 1, char"),
      (
        "SELECT \(String(repeating: "-", count: 1))\(String(repeating: "(-", count: 10_000))v",
        "levels deep at line 1, char"
      ),
      ("SELECT v\(String(repeating: " + v", count: 10_000)) FROM m", "operators in a row at line 1, char"),
      ("SELECT v FROM m WHERE \(String(repeating: "(", count: 10_000))v > 1", "levels deep at line 1, char"),
      (
        "SELECT v FROM \(String(repeating: "(SELECT v FROM ", count: 10_000))m", "levels deep at line 1, char"
      ),
      (
        "SELECT v FROM m WHERE time > \(String(repeating: "(", count: 10_000))1",
        "levels deep at line 1, char"
      ),
      ("SELECT v FROM m GROUP BY \(String(repeating: "(", count: 10_000))h", "levels deep at line 1, char"),
    ])
  func deep(text: String, message: String) {
    quickly { #expect(parseError(text)?.contains(message) == true, "\(parseError(text) ?? "parsed")") }
  }

  @Test("what nests as deep as is taken runs")
  func nested() throws {
    for text in [
      "SELECT \(String(repeating: "(", count: 400))v\(String(repeating: ")", count: 400)) FROM m",
      "SELECT \(String(repeating: "abs(", count: 400))v\(String(repeating: ")", count: 400)) FROM m",
      "SELECT v\(String(repeating: " + v", count: 400)) FROM m",
      "SELECT v FROM m WHERE \(String(repeating: "(", count: 400))v > 0\(String(repeating: ")", count: 400))",
      "SELECT v FROM \(String(repeating: "(SELECT v FROM ", count: 40))m\(String(repeating: ")", count: 40))",
    ] {
      #expect(try run(text).first?.error == nil, "\(text.prefix(40))")
    }
  }

  @Test(
    "regular expressions that make other engines explode answer, or are refused for their size",
    arguments: [
      "(a+)+$", "(a|a)*b", "(x+x+)+y", "((a{0,100}){0,10}){0,10}", "(.*)*(.*)*(.*)*z", "(a{1000}){1000}", "[",
      "(", "*", "a**", "\\",
      "(?P<n>a", "\\C", "(?=a)",
    ])
  func regularExpressions(pattern: String) throws {
    let target = String(repeating: "a", count: 30_000)
    let catalog = FakeCatalog(
      "d", Snapshot.ofLines(["m,h=\(target) v=1,s=\"\(target)\" 5"], windowLength: 1000))
    let escaped = pattern.replacing("/", with: "\\/")
    try quickly {
      for text in [
        "SELECT v FROM m WHERE h =~ /\(escaped)/", "SELECT v FROM m WHERE s =~ /\(escaped)/",
        "SELECT v FROM /\(escaped)/",
        "SHOW TAG VALUES WITH KEY =~ /\(escaped)/", "SELECT mean(/\(escaped)/) FROM m",
      ] {
        do {
          try QueryEngine(catalog: catalog).run(QueryRequest(text: text, database: "d", now: 5)) { _ in }
        } catch let error as QueryParseError {
          #expect(["regex", "regular expressions too large"].contains(where: error.message.contains), "\(error.message)")
        }
      }
    }
  }

  @Test(
    "arithmetic without an answer is null, and aggregates of it go on",
    arguments: [
      "sqrt(v)", "v / 0", "ln(v)", "log(v, 0)", "acos(v * 9)", "exp(v * 9999)", "pow(v, 99999)", "i / 0",
      "i % 0", "v % 0", "0 / 0",
      "i * 9223372036854775807", "-9223372036854775808 / i", "-9223372036854775808 % i",
    ])
  func noNumbers(expression: String) throws {
    let text = expression.contains("v") || expression.contains("i") ? expression : "v + \(expression)"
    let results = try run(
      "SELECT \(text) AS x FROM m; SELECT mean(x), max(x), stddev(x) FROM (SELECT \(text) AS x FROM m); "
        + "SELECT spread(x), median(x), mode(x), percentile(x, 50), integral(x), derivative(mean(x)) FROM "
        + "(SELECT \(text) AS x FROM m) WHERE time < 5s GROUP BY time(1s)")
    var renderer = ResultFormat.json.makeRenderer(RenderOptions(precision: .nanoseconds))
    var out: [UInt8] = []
    for result in results { renderer.append(result, into: &out) }
    let document = String(decoding: out, as: UTF8.self)
    #expect(!document.contains("nan") && !document.contains("inf"), "\(document)")
  }

  @Test(
    "what cannot be done is said in a sentence",
    arguments: [
      ("SELECT foo(v) FROM m", "undefined function foo()"),
      ("SELECT foo(v, foo(v)) FROM m", "undefined function foo()"),
      ("SELECT mean(s) FROM m", "unsupported mean iterator type: *query.stringInterruptIterator"),
      ("SELECT sum(b) FROM m", "unsupported sum iterator type: *query.booleanInterruptIterator"),
      ("SELECT mean(v, v) FROM m", "invalid number of arguments for mean, expected 1, got 2"),
      ("SELECT mean() FROM m", "invalid number of arguments for mean, expected 1, got 0"),
      ("SELECT moving_average(v, 0) FROM m", "moving_average window must be greater than 1, got 0"),
      ("SELECT mean(v) FROM m GROUP BY time(-1s)", "time dimension must have duration argument"),
      ("SELECT mean(v) FROM m GROUP BY time(5)", "time dimension must have duration argument"),
      ("SELECT mean(v) FROM m GROUP BY time()", "time dimension expected 1 or 2 arguments"),
      ("SELECT mean(v) FROM m GROUP BY time(1s), time(2s)", "multiple time dimensions not allowed"),
      ("SELECT mean(v) FROM m GROUP BY time(101y)", "time dimension must have duration argument"),
      ("SELECT v FROM nowhere WHERE time > 5 AND time", "invalid condition expression: time"),
      (
        "SELECT v FROM m WHERE time > 'never'",
        "invalid operation: time and *influxql.StringLiteral are not compatible"
      ),
      (
        "SELECT mean(v) FROM m WHERE time >= now() - 1s AND time < now() GROUP BY time(1ns)",
        "max-select-buckets limit exceeded: (1000000000/10000000)"
      ),
      (
        "SELECT mean(v) FROM m WHERE time >= 0 AND time < 1000000000s GROUP BY time(1s)",
        "max-select-buckets limit exceeded: (1000000000/10000000)"
      ),
      (
        "SELECT holt_winters(mean(v), 1, 1) FROM m WHERE time < 1000000000s GROUP BY time(1s)",
        "max-select-buckets limit exceeded: (1000000000/10000000)"
      ),
      (
        "SELECT median(v) FROM m WHERE time >= -9000000000s AND time < 9000000000s GROUP BY time(1u)",
        "max-select-buckets limit exceeded"
      ),
      (
        "SELECT mean(v) FROM m WHERE time >= -9000000000s AND time < 9000000000s GROUP BY time(1ns)",
        "max-select-buckets limit exceeded"
      ),
    ])
  func refused(text: String, message: String) throws {
    try quickly {
      let results = try run(text + "; SHOW DATABASES")
      #expect(results.count == 2 && results[1].error == nil)
      #expect(results[0].error?.hasPrefix(message) == true, "\(results[0].error ?? "no error")")
    }
  }

  @Test(
    "times at the ends of their range, and past them, are only times",
    arguments: [
      "time > -9223372036854775808", "time < 9223372036854775807", "time >= 9223372036854775807",
      "time <= -9223372036854775808", "time > 18446744073709551615", "time > now() + 9223372036854775807ns",
      "time > now() - 9223372036854775807ns", "time > now() - 106751d - 106751d", "time = 1e300",
      "time > '0001-01-01'",
      "time < '9999-12-31T23:59:59.999999999Z'", "time > 9223372036854775807 + 1",
      "time < 5 OR time > 9223372036854775807",
      "time > 10 AND time < 5", "time > 99999999999999999999.5",
    ], [0, 5000, Int64.max, Int64.min])
  func extremeTimes(condition: String, now: Int64) throws {
    var limits = QueryLimits()
    limits.cellCountMax = 500
    for grouping in [
      "", "GROUP BY time(1h)", "GROUP BY time(1000d) fill(linear)", "GROUP BY time(20000w, 3d)",
      "GROUP BY time(2y)",
      "GROUP BY time(50y, 500d)",
    ] {
      for call in grouping.isEmpty ? ["v", "mean(v)"] : ["mean(v)", "median(v)", "derivative(mean(v), 1s)"] {
        for tail in ["", " tz('Europe/Berlin')", " ORDER BY time DESC LIMIT 3"] {
          let text = "SELECT \(call) FROM m WHERE \(condition) \(grouping)\(tail)"
          do {
            let result = try #require(try run(text, now: now, limits: limits).first)
            if let error = result.error {
              #expect(
                error.contains("limit exceeded") || error.contains("compatible") || error.contains("time"),
                "\(text): \(error)")
            }
          } catch let error as QueryParseError {
            #expect(error.message.contains("error parsing query: "), "\(text): \(error.message)")
          }
        }
      }
    }
  }

  @Test(
    "bound values are values, whatever they hold",
    arguments: [
      ("{\"x\":\"a'; DROP DATABASE d; --\"}", 0), ("{\"x\":\"a\"}", 1), ("{\"x\":{\"string\":\"b\"}}", 1),
      ("{\"x\":{\"identifier\":\"h\"}}", 0), ("{\"x\":\"\\\\\"}", 0), ("{\"x\":\"a\\n\"}", 0),
      ("{\"x\":5}", 0), ("{\"x\":true}", 0),
    ])
  func bound(json: String, rowCount: Int) throws {
    let parameters = try BindParameters.literals(json: Array(json.utf8))
    let result = try #require(try run("SELECT v FROM m WHERE h = $x", parameters: parameters).first)
    #expect(result.error == nil && result.series.reduce(0) { $0 + $1.rowCount } == rowCount)
    #expect(Self.catalog.databases() == ["d"])
  }

  @Test("parameters stand for numbers, times, durations, names and regular expressions")
  func boundKinds() throws {
    let json = """
      {"float":-1.5e0,"whole":1,"large":1e300,"small":1e-300,"span":{"duration":"1s"},"month":{"duration":"1mo"},"unit":{"duration":1000},
       "name":{"identifier":"m"},"field":{"identifier":"v"},"word":{"identifier":"select"},"like":{"regex":"^[a/]$"},"two words":{"integer":1},"yes":true}
      """
    let parameters = try BindParameters.literals(json: Array(json.utf8))
    let cases: [(String, Int)] = [
      ("SELECT v FROM m WHERE v > $float", 1), ("SELECT v FROM m WHERE v >= $whole", 1),
      ("SELECT v FROM m WHERE v < $large", 2),
      ("SELECT v FROM m WHERE v > $small", 1), ("SELECT v FROM m WHERE time < $span", 2),
      ("SELECT v FROM m WHERE time < $unit", 1),
      ("SELECT $field FROM $name", 2), ("SELECT v FROM m WHERE h =~ $like", 1),
      ("SELECT v FROM /x/, $name LIMIT $whole", 1),
      ("SELECT v FROM m WHERE b = $yes", 1), ("SELECT v FROM m LIMIT $\"two words\"", 1),
      ("SELECT count(v) FROM m WHERE time < 5s GROUP BY time($span)", 5),
      ("SELECT count(v) FROM m WHERE time < 5s GROUP BY time($month)", 1), ("SELECT v AS $word FROM m", 2),
    ]
    for (text, rowCount) in cases {
      let result = try #require(try run(text, parameters: parameters).first)
      #expect(
        result.error == nil && result.series.reduce(0) { $0 + $1.rowCount } == rowCount, "\(text): \(result)")
    }
  }

  @Test(
    "parameters that are none say why",
    arguments: [
      ("{\"x\":", "$x: the text ends early"), ("[1]", "byte 0: "), ("{\"x\":[1]}", "$x: "),
      ("{\"x\":null}", "$x: "),
      ("{\"x\":{}}", "$x: an object says one type and value"),
      ("{\"x\":{\"int\":5}}", "$x: unknown bind object type: int"),
      ("{\"x\":{\"integer\":\"1\"}}", "$x: integer literal must be an integer value"),
      ("{\"x\":{\"duration\":\"5\"}}", "$x: invalid duration: 5"),
      ("{\"x\":1} 2", "byte 8: more after the object"),
      ("{\"x\":{\"duration\":\"\"}}", "$x: invalid duration: "),
    ])
  func unbound(json: String, message: String) {
    #expect {
      _ = try BindParameters.literals(json: Array(json.utf8))
    } throws: { error in
      (error as? BindParameters.Failure)?.description.hasPrefix(message) == true
    }
  }
}

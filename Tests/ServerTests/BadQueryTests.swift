import Foundation
import TestSupport
import Testing

/// What no statement over HTTP may do to a server: end it, hold up others, or be refused without a reason.
///
/// Each is sent to a real server while a second connection asks, again and again, something small that must stay right and quick. The
/// times that all of them took are printed.
@Suite("Bad queries over HTTP", .serialized)
struct BadQueryTests {
  /// A statement with what must come of it.
  private struct Case {
    var name: String
    var text: String
    var status = 200
    /// What the answer says.
    var words: String
  }

  private static let mebibyte = 1 << 20
  private static let bounds = "time >= 1700000000s AND time < 1700020000s"
  private static let empty = "{\"results\":[{\"statement_id\":0}]}\n"

  private static func nested(_ open: String, _ inner: String = "v", _ close: String = "") -> String {
    String(repeating: open, count: 10_000) + inner + String(repeating: close, count: 10_000)
  }

  /// Texts of a mebibyte and deep ones: refused where they go wrong.
  private static let large: [Case] = [
    Case(name: "1 MiB of letters", text: String(repeating: "x", count: mebibyte), status: 400, words: "at line 1, char 1\""),
    Case(
      name: "1 MiB of fields", text: "SELECT " + (0..<95_000).map { "f\($0), " }.joined() + "v FROM m x", status: 400,
      words: "more than 10000 columns at line 1, char 68897"),
    Case(
      name: "1 MiB of alternatives", text: "SELECT v FROM m WHERE " + (0..<40_000).map { "h = 'host-number-\($0)' OR " }.joined() + "h = ''",
      words: empty),
    Case(
      name: "1 MiB of short alternatives", text: "SELECT v FROM m WHERE " + (0..<70_000).map { "h='\($0)' OR " }.joined() + "h = ''",
      status: 400, words: "more than 120000 names and values at line 1, char"),
    Case(
      name: "1 MiB of alternatives of a field", text: "SELECT v FROM m WHERE " + (0..<45_000).map { "v = \($0) OR " }.joined() + "h = ''",
      words: "more than 10000 comparisons of fields in a condition"),
    Case(
      name: "1 MiB of patterns", text: "SELECT v FROM m WHERE " + (0..<45_000).map { "h =~ /^x\($0)$/ OR " }.joined() + "h = ''",
      status: 400, words: "regular expressions too large"),
    Case(
      name: "1 MiB of sums", text: "SELECT " + (0..<1_300).map { _ in String(repeating: "v+", count: 400) + "v, " }.joined() + "v FROM m",
      status: 400, words: "more than 20000 names and values at line 1, char"),
    Case(
      name: "1 MiB of statements", text: String(repeating: "SHOW DATABASES;", count: 70_000), status: 400,
      words: "more than 10000 statements at line 1, char"),
    Case(
      name: "1 MiB of measurements", text: "SELECT v FROM " + (0..<130_000).map { "m\($0)," }.joined() + "m", status: 400,
      words: "more than 10000 sources at line 1, char"),
    Case(
      name: "1 MiB of dimensions", text: "SELECT mean(v) FROM m GROUP BY " + (0..<130_000).map { "t\($0)," }.joined() + "h", status: 400,
      words: "more than 10000 dimensions at line 1, char"),
    Case(
      name: "repetitions", text: "SELECT v FROM m WHERE h =~ /\(String(repeating: "x{1000}", count: 30_000))/", status: 400,
      words: "regular expressions too large"),
    Case(
      name: "1 MiB of an open string", text: "SELECT v FROM m WHERE s = '" + String(repeating: "y", count: mebibyte),
      status: 400, words: "at line 1, char 2"),
    Case(
      name: "1 MiB of a name", text: "SELECT v FROM \"" + String(repeating: "m", count: mebibyte) + "\"", words: empty),
    Case(
      name: "1 MiB of a pattern", text: "SELECT v FROM m WHERE h =~ /" + String(repeating: "a?", count: mebibyte / 2) + "/",
      status: 400, words: "regular expression of 1048576 bytes"),
    Case(name: "5 MiB", text: String(repeating: " ", count: 5 * mebibyte), status: 400, words: "at most 4194304 are taken"),
    Case(name: "10,000 parentheses", text: "SELECT \(nested("(", "v", ")")) FROM m", status: 400, words: "levels deep at line 1, char"),
    Case(name: "10,000 calls", text: "SELECT \(nested("abs(", "v", ")")) FROM m", status: 400, words: "levels deep at line 1, char"),
    Case(name: "10,000 operators", text: "SELECT v\(nested(" + v", "")) FROM m", status: 400, words: "operators in a row at line 1, char"),
    Case(
      name: "10,000 subqueries", text: "SELECT v FROM \(nested("(SELECT v FROM ", "m", ")"))", status: 400,
      words: "levels deep at line 1, char"),
    Case(
      name: "10,000 in a condition", text: "SELECT v FROM m WHERE \(nested("(", "v > 1", ")"))", status: 400,
      words: "levels deep at line 1, char"),
    Case(
      name: "10,000 in a second line", text: "SELECT v FROM m\nWHERE \(nested("(", "v > 1", ")"))", status: 400,
      words: "levels deep at line 2, char"),
  ]

  /// Patterns that take other engines exponential time, over a tag and a field of 30,000 letters.
  private static let patterns: [Case] = ["(a+)+$", "(a|a)*b", "(x+x+)+y", "(.*)*(.*)*(.*)*z"].flatMap { pattern in
    [
      Case(name: "tag =~ /\(pattern)/", text: "SELECT v FROM long WHERE h =~ /\(pattern)/ LIMIT 1", words: "\"results\""),
      Case(name: "field =~ /\(pattern)/", text: "SELECT v FROM long WHERE s =~ /\(pattern)/ LIMIT 1", words: "\"results\""),
    ]
  } + [
    Case(name: "a pattern too large", text: "SELECT v FROM m WHERE h =~ /(a{1000}){1000}/", status: 400, words: "regular expressions too large"),
    Case(name: "a broken pattern", text: "SELECT v FROM m WHERE h =~ /(/", status: 400, words: "error parsing regexp"),
  ]

  /// Arithmetic without an answer: null, and no word of it.
  private static let numbers: [Case] = ["v / 0", "0 / (v - v)", "sqrt(-1 - v)", "ln(0 - v)", "pow(v, 99999)", "exp(v * 9999)", "v % 0"].map {
    Case(
      name: $0, text: "SELECT mean(x), max(x), count(x) FROM (SELECT \($0) AS x FROM m WHERE v > 0)", words: "\"statement_id\":0")
  }

  private static let others: [Case] = [
    Case(name: "no measurement", text: "SELECT v FROM nosuch", words: empty),
    Case(name: "no field", text: "SELECT nosuch FROM m", words: empty),
    Case(name: "no rows", text: "SELECT mean(v) FROM m WHERE h = 'nosuch' GROUP BY h", words: empty),
    Case(name: "no statement", text: "", status: 400, words: "missing required parameter \\\"q\\\""),
    Case(name: "unknown function", text: "SELECT foo(v) FROM m", words: "undefined function foo()"),
    Case(name: "unknown word", text: "SELEKT v FROM m", status: 400, words: "found SELEKT, expected SELECT"),
    Case(name: "unknown database", text: "SELECT v FROM nosuch..m", words: "database not found: nosuch"),
    Case(name: "a text in a sum", text: "SELECT sum(s) FROM m", words: "unsupported sum iterator type"),
    Case(name: "a text and a number", text: "SELECT s + 1 FROM m", words: "type error: s::string + 1: incompatible types: string and integer"),
    Case(name: "a text as a number", text: "SELECT v FROM m WHERE s > 5", words: empty),
    Case(name: "a time too late", text: "SELECT v FROM m WHERE time > 99999999999999999999", status: 400, words: "unable to parse integer at line 1, char 30"),
    Case(
      name: "a date that is none", text: "SELECT v FROM m WHERE time > '2024-13-45'",
      words: "invalid operation: time and *influxql.StringLiteral are not compatible"),
    Case(
      name: "a time that is a field", text: "SELECT v FROM m WHERE time > v",
      words: "invalid operation: time and *influxql.VarRef are not compatible"),
    Case(name: "a date too early", text: "SELECT v FROM m WHERE time > '0001-01-01T00:00:00Z'", words: "time"),
    Case(name: "a duration too long", text: "SELECT v FROM m WHERE time > now() - 99999999w", status: 400, words: "overflowed duration"),
    Case(name: "now() far away", text: "SELECT v FROM m WHERE time > now() + 15000w", words: empty),
    Case(name: "now() long ago", text: "SELECT count(v) FROM m WHERE time > now() - 15000w", words: "\"count\""),
    Case(name: "buckets of no width", text: "SELECT mean(v) FROM m WHERE \(bounds) GROUP BY time(0s)", words: "\"mean\""),
    Case(name: "buckets of a negative width", text: "SELECT mean(v) FROM m WHERE \(bounds) GROUP BY time(-1s)", words: "time dimension must have duration argument"),
    Case(
      name: "a billion buckets", text: "SELECT mean(v) FROM m WHERE time >= 700010000s AND time < 1700010000s GROUP BY time(1s)",
      words: "max-select-buckets limit exceeded: (1000000000/"),
    Case(
      name: "a billion buckets, filled", text: "SELECT mean(v) FROM m WHERE time >= 700010000s AND time < 1700010000s GROUP BY time(1s) fill(previous)",
      words: "max-select-buckets limit exceeded: (1000000000/"),
    Case(
      name: "buckets of a nanosecond", text: "SELECT mean(v) FROM m WHERE time >= 0 GROUP BY time(1ns)",
      words: "max-select-buckets limit exceeded: ("),
    Case(
      name: "a billion buckets in a subquery",
      text: "SELECT sum(x) FROM (SELECT mean(v) AS x FROM m WHERE time >= 700010000s AND time < 1700010000s GROUP BY time(1s))",
      words: "max-select-buckets limit exceeded: (1000000000/"),
    Case(name: "a limit too large", text: "SELECT v FROM m LIMIT 99999999999999999999", words: "\"values\""),
    Case(name: "a parameter without a value", text: "SELECT $x FROM m", status: 400, words: "missing parameter: x"),
  ]

  private func withServer(_ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let long = String(repeating: "a", count: 30_000)
      let lines = (0..<20_000).map { "m,h=h\($0 % 5) v=\($0 % 100),s=\"x\" \(1_700_000_000 + $0)000000000" }
        + ["long,h=\(long) v=1,s=\"\(long)\" 1700000000000000000"]
      let answer = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array(lines.joined(separator: "\n").utf8))
      #expect(answer.status == 204)
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  /// The answer, and how long it took once the request was made.
  private static func ask(_ address: String, _ text: String) throws -> (answer: RawHTTP, milliseconds: Double) {
    let body = Array("q=\(percentEncoded(text))".utf8)
    let start = ContinuousClock.now
    let answer = try RawHTTP.ask(
      address, "POST", "/query?db=metrics", headers: ["Content-Type: application/x-www-form-urlencoded"], body: body)
    return (answer, (ContinuousClock.now - start) / .milliseconds(1))
  }

  @Test("each is refused with a reason or answers, and nobody else notices")
  func cases() throws {
    try withServer { server in
      let neighbour = Neighbour(server.http)
      neighbour.start()
      var times: [(name: String, milliseconds: Double)] = []
      for one in Self.large + Self.patterns + Self.numbers + Self.others {
        let (answer, milliseconds) = try Self.ask(server.http, one.text)
        times.append((one.name, milliseconds))
        #expect(
          answer.status == one.status && answer.text.contains(one.words),
          "\(one.name): \(answer.status) \(answer.text.prefix(300))")
        #expect(!answer.text.contains("NaN") && !answer.text.contains("Inf") && !answer.text.contains("inf,"), "\(one.name)")
      }
      let heard = neighbour.finish()
      #expect(heard.wrong == [] && heard.times.count > 10)
      let slowest = heard.times.max() ?? 0
      let shown = times.sorted { $0.milliseconds > $1.milliseconds }
        .map { "\(($0.milliseconds * 10).rounded() / 10) \($0.name)" }.joined(separator: ", ")
      print("bad queries, ms: \(shown); beside them \(heard.times.count) questions, slowest \(slowest)")
      // Generous: what one of them could hold up would be held for minutes.
      #expect(times.allSatisfy { $0.milliseconds < 30_000 } && slowest < 10_000)
    }
  }
}

/// A second connection that asks all the time.
private final class Neighbour: @unchecked Sendable {
  // Sendable: what is gathered is read only once the thread has ended, which the semaphore says.
  private let address: String
  private let done = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var isEnding = false
  private var times: [Double] = []
  private var wrong: [String] = []

  init(_ address: String) { self.address = address }

  func start() {
    Thread.detachNewThread { [self] in
      while !lock.withLock({ isEnding }) {
        let start = ContinuousClock.now
        do {
          let answer = try RawHTTP.ask(address, "POST", "/query?db=metrics&q=" + percentEncoded("SELECT count(v) FROM m"))
          if !answer.text.contains("20000") { wrong.append(answer.text) }
        } catch {
          wrong.append("\(error)")
        }
        times.append((ContinuousClock.now - start) / .milliseconds(1))
      }
      done.signal()
    }
  }

  /// How long each question took, in milliseconds, and the answers that were wrong.
  func finish() -> (times: [Double], wrong: [String]) {
    lock.withLock { isEnding = true }
    done.wait()
    return (times, wrong)
  }
}

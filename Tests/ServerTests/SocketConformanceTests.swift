import Foundation
import TestSupport
import Testing

/// What this suite needs of a line of `Fixtures/line-protocol.jsonl`.
private struct Case: Decodable {
  struct Point: Decodable {
    var timestamp: Int64?
    var tags: [String: String]
    var fields: [String: Field]
    var measurement: String
  }
  struct Field: Decodable {
    var type: String
    var value: AnsweredSeries.Value
  }
  /// Names that are not UTF-8 are objects; such cases are refused, so their points are not looked at.
  struct Points: Decodable {
    var list: [Point]
    init(from decoder: any Decoder) throws {
      list = (try? decoder.singleValueContainer().decode([Point].self)) ?? []
    }
  }

  var id: String
  var input: String?
  var input_b64: String?
  var precision: String
  var accept: Bool
  var points: Points
  var error: String?
  var quirk: Bool?
  var undefined_in_influxdb: Bool?
  var not_utf8: Bool?

  var bytes: [UInt8] {
    input.map { Array($0.utf8) } ?? input_b64.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
  }
  /// Cases that InfluxDB does not define: the store only has to refuse them.
  var isOnlyRefused: Bool { not_utf8 == true || undefined_in_influxdb == true }
}

/// The conformance table over real sockets: one server a precision, one connection a case.
@Suite("Line protocol conformance over TCP", .serialized)
struct SocketConformanceTests {
  private static let cases: [Case] = {
    guard let data = FileManager.default.contents(atPath: packageRoot + "/Fixtures/line-protocol.jsonl")
    else { return [] }
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? JSONDecoder().decode(Case.self, from: Data($0))
    }
  }()

  @Test("the table is there, whole, with its points")
  func table() {
    #expect(Self.cases.count == 475)
    #expect(Self.cases.filter { $0.accept && !$0.points.list.isEmpty }.count > 230)
  }

  @Test("every case is accepted or refused as the table says", arguments: ["ns", "us", "s", "m", "h"])
  func answers(precision: String) throws {
    let cases = Self.cases.filter { $0.precision == precision && $0.quirk != true }
    #expect(!cases.isEmpty)
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(
        dataDirectory: directory,
        arguments: ["--precision", precision, "--crlf", "strict", "--future-limit", "0", "--sync", "none"])
      var failures: [String] = []
      for test in cases {
        if let failure = try compare(test, with: server) { failures.append("\(test.id): \(failure)") }
      }
      #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(20).joined(separator: "\n"))")
      let (checked, wrong) = try checkPoints(of: cases, in: server)
      #expect(wrong.isEmpty, "\(wrong.count): \(wrong.prefix(20).joined(separator: "\n"))")
      // Points that carry a time and can be told apart.
      let expected = ["ns": 20, "us": 1, "s": 2, "h": 1][precision] ?? 0
      #expect(checked >= expected, "\(checked) points were looked at")
      #expect(server.stop() == 0)
    }
  }

  /// What the acknowledgement says that the table does not.
  private func compare(_ test: Case, with server: ServerProcess) throws -> String? {
    let socket = try TestSocket(server.tcp)
    // A newline ends what the case leaves open; a comment, should the case's last byte have escaped it.
    try socket.send(test.bytes + Array("\n# ack t\n".utf8))
    socket.finishSending()
    let (rejects, last) = try socket.answer()
    let words = last.split(separator: " ")
    guard words.count == 4, words[0] == "ok", words[1] == "t", let accepted = number(words[2], "accepted="),
      let rejected = number(words[3], "rejected=")
    else { return "answered \(last.debugDescription)" }
    if test.isOnlyRefused { return rejected > 0 ? nil : "not refused: \(last)" }
    if accepted != test.points.list.count { return "\(last), the table has \(test.points.list.count) points" }
    if (rejected == 0) != test.accept { return "\(last), the table says accept=\(test.accept): \(rejects)" }
    guard rejected == rejects.count else { return "\(rejects.count) lines named, \(last)" }
    let error = test.error ?? ""
    for reject in rejects where error.unicodeScalars.count < 400 {
      guard let start = reject.range(of: " reason=\"") else { return "no reason: \(reject)" }
      let reason = unescaped(reject[start.upperBound...].dropLast())
      if !error.contains(reason) {
        return "reason \(reason.debugDescription), the table: \(error.debugDescription)"
      }
    }
    return nil
  }

  private func number(_ word: Substring, _ prefix: String) -> Int? {
    word.hasPrefix(prefix) ? Int(word.dropFirst(prefix.count)) : nil
  }

  /// Undoes `\"`, `\\` and `\xNN` of an answer.
  private func unescaped(_ text: Substring) -> String {
    var out: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\"), let next = rest.popFirst() else {
        out.append(byte)
        continue
      }
      guard next == UInt8(ascii: "x") else {
        out.append(next)
        continue
      }
      out.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
      rest = rest.dropFirst(2)
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Asks for every point that can be told from all others: no other has its measurement, tags and time.
  private func checkPoints(of cases: [Case], in server: ServerProcess) throws -> (
    checked: Int, wrong: [String]
  ) {
    var users: [String: Int] = [:]
    for test in cases { for point in test.points.list { users[key(point), default: 0] += 1 } }
    var (checked, wrong) = (0, [String]())
    for test in cases where !test.isOnlyRefused {
      for point in test.points.list where users[key(point)] == 1 {
        guard let time = point.timestamp, time > .min + 2, time < .max - 2, isAskable(point) else { continue }
        let columns = point.fields.map { "\(quoted($0.key))::\(Self.typeNames[$0.value.type] ?? "")" }
        let statement =
          "SELECT \(columns.joined(separator: ",")) FROM \(quoted(point.measurement)) WHERE time = \(time) GROUP BY *"
        let series = try server.ask(statement).filter {
          ($0.tags ?? [:]).filter { !$0.value.isEmpty } == point.tags
        }
        checked += 1
        if series.count != 1 || series[0].values.count != 1 || !same(series[0], point) {
          wrong.append("\(test.id): \(statement): \(series) expected \(point)")
        }
      }
    }
    return (checked, wrong)
  }

  private static let typeNames = [
    "float": "float", "int": "integer", "uint": "unsigned", "bool": "boolean", "string": "string",
  ]

  private func key(_ point: Case.Point) -> String {
    "\(point.measurement) \(point.tags.sorted { $0.key < $1.key }) \(point.timestamp ?? 0)"
  }

  /// Whether a statement can hold its names.
  private func isAskable(_ point: Case.Point) -> Bool {
    ([point.measurement] + point.fields.keys + point.tags.keys).allSatisfy { name in
      !name.isEmpty && name.utf8.allSatisfy { $0 >= 0x20 }
    }
  }

  private func quoted(_ name: String) -> String {
    "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }

  private func same(_ series: AnsweredSeries, _ point: Case.Point) -> Bool {
    let row = Dictionary(zip(series.columns, series.values[0]), uniquingKeysWith: { first, _ in first })
    return row.count == point.fields.count + 1 && row["time"]?.integer == point.timestamp
      && point.fields.allSatisfy { name, field in equal(row[name], field.value) }
  }

  /// JSON does not tell `1` from `1.0`.
  private func equal(_ one: AnsweredSeries.Value?, _ other: AnsweredSeries.Value) -> Bool {
    switch (one, other) {
    case (.integer(let a), .float(let b)), (.float(let b), .integer(let a)): Double(a) == b
    case (.unsigned(let a), .float(let b)), (.float(let b), .unsigned(let a)): Double(a) == b
    default: one == other
    }
  }
}

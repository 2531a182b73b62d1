import FoundationEssentials
import LineProtocol
import Query
import Storage
import Testing
import TestSupport

/// A JSON document to compare, numbers by value.
indirect enum JSONValue: Decodable, Equatable, CustomStringConvertible {
  case null, bool(Bool), number(Double), string(String), array([JSONValue]), object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONValue].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONValue].self))
    }
  }

  /// Equal but for the last digits of numbers.
  func isClose(to other: JSONValue) -> Bool {
    switch (self, other) {
    case (.number(let a), .number(let b)): a == b || abs(a - b) <= 1e-12 * max(abs(a), abs(b))
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isClose(to: $1) }
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { key, value in b[key].map { value.isClose(to: $0) } ?? false }
    default: self == other
    }
  }

  var description: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): value == value.rounded() && abs(value) < 1e18 ? "\(Int(value))" : "\(value)"
    case .string(let value): "\"\(value)\""
    case .array(let values): "[\(values.map(\.description).joined(separator: ","))]"
    case .object(let values):
      "{\(values.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ","))}"
    }
  }
}

/// One line of `answers.jsonl`.
struct GoldenAnswer: Decodable, CustomTestStringConvertible, Sendable {
  var q: String
  var line: String = ""

  enum CodingKeys: CodingKey { case q }

  var testDescription: String { q }

  static let folder = packageRoot + "/Fixtures/influxql/"

  static func text(_ name: String) -> String {
    (try? String(contentsOfFile: folder + name, encoding: .utf8)) ?? ""
  }

  static let all: [GoldenAnswer] = text("answers.jsonl").split(separator: "\n").compactMap { line in
    var answer = try? JSONDecoder().decode(GoldenAnswer.self, from: Data(line.utf8))
    answer?.line = String(line)
    return answer
  }
}

@Suite("Answers as InfluxDB gives them")
struct GoldenAnswerTests {
  private struct Document: Decodable { var answer: JSONValue }

  private static let points = modelPoints(GoldenAnswer.text("points.lp"))

  /// The document of `/query` with `epoch=ns`.
  static func answer(_ text: String, _ catalog: any Catalog) throws -> String {
    var request = QueryRequest(text: text, database: "varve_golden", now: 1_800_000_000_000_000_000)
    request.policy = ""
    var renderer = JSONRenderer(RenderOptions(precision: .nanoseconds))
    var out: [UInt8] = []
    do {
      renderer.begin(into: &out)
      try QueryEngine(catalog: catalog).run(request) { renderer.append($0, into: &out) }
      renderer.finish(into: &out)
    } catch let error as QueryParseError {
      out = []
      JSONRenderer.appendError(error.message, into: &out)
    }
    return String(decoding: out, as: UTF8.self)
  }

  @Test("the table of answers is there")
  func isThere() { #expect(GoldenAnswer.all.count > 200) }

  @Test("a statement answers what InfluxDB answers", arguments: GoldenAnswer.all)
  func golden(_ golden: GoldenAnswer) throws {
    let wanted = try JSONDecoder().decode(Document.self, from: Data(golden.line.utf8)).answer
    // One run a window; then many small runs that meet, in windows of five minutes.
    let whole = Snapshot.ofPoints([Self.points], windowLength: 1 << 50)
    let pieces = stride(from: 0, to: 7, by: 1).map { part in
      Self.points.enumerated().filter { $0.offset % 7 == part }.map(\.element)
    }
    let cut = Snapshot.ofPoints(pieces, windowLength: 300_000_000_000)
    for snapshot in [whole, cut] {
      let text = try Self.answer(golden.q, FakeCatalog("varve_golden", snapshot))
      let found = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
      #expect(found.isClose(to: wanted), "\(golden.q)\n  found  \(found)\n  wanted \(wanted)")
    }
  }
}

import FoundationEssentials
import LineProtocol
import TestSupport
import Testing

/// One line of `Fixtures/line-protocol.jsonl`.
private struct Case: Decodable {
  struct ExpectedPoint: Decodable {
    var measurement: Text
    var tags: [String: Text]
    var fields: [String: ExpectedValue]
    var timestamp: Int64?
  }

  var id: String
  var input: String?
  var input_b64: String?
  var precision: String
  var accept: Bool
  var points: [ExpectedPoint]
  var error: String?
  var quirk: Bool?
  var undefined_in_influxdb: Bool?
  var not_utf8: Bool?

  var bytes: [UInt8] {
    if let input { return Array(input.utf8) }
    return input_b64.flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
  }
}

/// A name: a string, or `{"b64": …}`.
private struct Text: Decodable {
  var bytes: [UInt8]

  init(from decoder: any Decoder) throws {
    if let string = try? decoder.singleValueContainer().decode(String.self) {
      bytes = Array(string.utf8)
    } else {
      let object = try decoder.singleValueContainer().decode([String: String].self)
      bytes = object["b64"].flatMap { Data(base64Encoded: $0) }.map { Array($0) } ?? []
    }
  }
}

private struct ExpectedValue: Decodable {
  var value: Value

  enum Key: CodingKey { case type, value }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    switch try container.decode(String.self, forKey: .type) {
    case "float": value = .float(try container.decode(Double.self, forKey: .value).bitPattern)
    case "int": value = .integer(try container.decode(Int64.self, forKey: .value))
    case "uint": value = .unsigned(try container.decode(UInt64.self, forKey: .value))
    case "bool": value = .boolean(try container.decode(Bool.self, forKey: .value))
    default: value = .string(try container.decode(Text.self, forKey: .value).bytes)
    }
  }
}

private func name(_ text: String) -> [UInt8] {
  guard text.hasPrefix("b64:") else { return Array(text.utf8) }
  return Data(base64Encoded: String(text.dropFirst(4))).map { Array($0) } ?? []
}

/// The table of what InfluxDB does, run on the parser and on the framer before it.
@Suite("Line protocol conformance")
struct ConformanceTests {
  private static let cases: [Case] = {
    guard let data = FileManager.default.contents(atPath: packageRoot + "/Fixtures/line-protocol.jsonl")
    else { return [] }
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? JSONDecoder().decode(Case.self, from: Data($0))
    }
  }()

  @Test("the table is there, whole")
  func table() { #expect(Self.cases.count == 475) }

  @Test("every case gives its points and its errors")
  func whole() {
    var failures: [String] = []
    for test in Self.cases where test.quirk != true {
      let outcome = parseWhole(test.bytes, options(test))
      if let failure = compare(test, outcome) { failures.append(failure) }
    }
    #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(20).joined(separator: "\n"))")
  }

  @Test("every case cut in two at every byte comes out of the framer as when whole")
  func framed() {
    var failures: [String] = []
    for test in Self.cases {
      let bytes = test.bytes
      let expected = parseWhole(bytes, options(test))
      var random = SplitMix64(seed: 7)
      // Debug builds take a millisecond for one of the long inputs: there the full thousand is left to the slow run.
      let sampleCount = runsSlowTests || !_isDebugAssertConfiguration() ? 1_000 : 30
      let samples = (0..<sampleCount).map { _ in Int.random(in: 0...bytes.count, using: &random) }
      let cuts = bytes.count <= 1_000 ? Array(0...bytes.count) : samples
      for cut in cuts {
        let (outcome, _) = parseFramed([bytes[..<cut], bytes[cut...]], options(test))
        if outcome != expected {
          failures.append("\(test.id) cut at \(cut): \(outcome) expected \(expected)")
          break
        }
      }
    }
    #expect(failures.isEmpty, "\(failures.count): \(failures.prefix(5).joined(separator: "\n"))")
  }

  @Test("a case after itself, recognised by the vocabulary, gives the same again")
  func repeated() {
    var failures: [String] = []
    for test in Self.cases {
      let parser = LineParser(vocabulary: Vocabulary(), options: options(test))
      let first = parseWhole(test.bytes, options(test), parser: parser)
      for _ in 0..<3 where parseWhole(test.bytes, options(test), parser: parser) != first {
        failures.append(test.id)
      }
    }
    #expect(failures.isEmpty, "\(failures)")
  }

  private func options(_ test: Case) -> LineParser.Options {
    LineParser.Options(precision: Precision(test.precision) ?? .nanoseconds, carriageReturn: .strict)
  }

  /// What differs, with the exceptions that this store states: names must be UTF-8, undefined lines are refused.
  private func compare(_ test: Case, _ outcome: Outcome) -> String? {
    let head = "\(test.id) \(String(decoding: test.bytes.prefix(200), as: UTF8.self).debugDescription)"
    if test.not_utf8 == true || test.undefined_in_influxdb == true {
      return outcome.rejects.isEmpty ? "\(head): not refused" : nil
    }
    let expected = test.points.map { point in
      Point(
        key: SeriesKey(
          measurement: point.measurement.bytes, tags: point.tags.map { (name($0.key), $0.value.bytes) }),
        fields: Dictionary(uniqueKeysWithValues: point.fields.map { (name($0.key), $0.value.value) }),
        timestamp: point.timestamp ?? LineParser.unset)
    }
    if outcome.points != expected { return "\(head): \(outcome.points) expected \(expected)" }
    if outcome.rejects.isEmpty != test.accept { return "\(head): rejects \(outcome.rejects)" }
    guard let error = test.error else { return nil }
    let texts = outcome.rejects.map { reject in
      // The two that InfluxDB's storage refuses.
      reject.message.hasPrefix("invalid tag key") || reject.message.hasPrefix("invalid field name")
        ? "partial write: \(reject.message) dropped=1"
        : "unable to parse '\(lineText(test.bytes, reject))': \(reject.message)"
    }
    let joined = texts.joined(separator: "\n")
    if joined.unicodeScalars.elementsEqual(error.unicodeScalars) { return nil }
    let isCut = error.unicodeScalars.count >= 400
    if isCut && joined.unicodeScalars.starts(with: error.unicodeScalars) { return nil }
    return "\(head): \(joined.debugDescription) expected \(error.debugDescription)"
  }

  /// The line as the error shows it: a reject keeps only its beginning.
  private func lineText(_ bytes: [UInt8], _ reject: Reject) -> String {
    guard reject.text.count == Reject.textByteCountMax else {
      return String(decoding: reject.text, as: UTF8.self)
    }
    let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: reject.text) } ?? []
    return String(decoding: line, as: UTF8.self)
  }
}

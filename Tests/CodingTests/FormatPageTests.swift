import Coding
import FoundationEssentials
import TestSupport
import Testing

/// The worked examples of the format page, byte for byte.
@Suite("Format page")
struct FormatPageTests {
  /// A kind and values, and the bytes that stand below them.
  struct Example: Sendable, CustomTestStringConvertible {
    var kind: String
    var values: [String]
    var bytes: [UInt8]
    /// Whether the encoder would choose another encoding today.
    var isOnlyRead = false
    var testDescription: String { "\(kind): \(values.prefix(8).joined(separator: ", "))" }
  }

  static let examples: [Example] = readExamples()

  @Test("has an example of each encoding")
  func isThere() {
    let first = Set(Self.examples.filter { $0.kind != "stored" }.compactMap(\.bytes.first))
    #expect(first == Set(1...10))
  }

  @Test("shows what the encoder makes and the decoder reads", arguments: examples)
  func example(_ example: Example) throws {
    if !example.isOnlyRead {
      let made = try encoded(example)
      #expect(hex(made) == hex(example.bytes))
    }
    #expect(try decoded(example) == example.values)
  }

  private func encoded(_ example: Example) throws -> [UInt8] {
    var output: [UInt8] = []
    switch example.kind {
    case "stored":
      sealBlock(example.values.compactMap { UInt8($0, radix: 16) }, into: &output)
    case "validity":
      var bits = [UInt64](repeating: 0, count: (example.values.count + 63) / 64)
      for (row, value) in example.values.enumerated() where value == "1" {
        bits[row >> 6] |= 1 << UInt64(row & 63)
      }
      encodeValidity(bits, count: example.values.count, into: &output)
    case "string":
      var (words, bytes): ([UInt64], [UInt8]) = ([], [])
      for value in example.values {
        words.append(UInt64(bytes.count) << 32 | UInt64(value.utf8.count))
        bytes += value.utf8
      }
      var encoder = BlockEncoder(kind: .string)
      encoder.encodeStrings(words.span, bytes: bytes.span, into: &output)
    default:
      let words = try example.values.map { try #require(word($0, example.kind)) }
      var encoder = BlockEncoder(kind: try #require(columnKind(example.kind)))
      encoder.encode(words.span, into: &output)
    }
    return output
  }

  private func decoded(_ example: Example) throws -> [String] {
    let bytes = example.bytes
    let count = example.values.count
    var decoder = BlockDecoder()
    var words: [UInt64] = []
    switch example.kind {
    case "stored":
      var payload: [UInt8] = []
      try openBlock(bytes.span, into: &payload)
      return payload.map { hex([$0]) }
    case "validity":
      try decodeValidity(bytes.span, count: count, into: &words)
      return (0..<count).map { String(words[$0 >> 6] >> UInt64($0 & 63) & 1) }
    case "string":
      var strings: [UInt8] = []
      try decoder.decodeStrings(bytes.span, count: count, rows: 0..<count, into: &words, bytes: &strings)
      return words.map {
        String(decoding: strings[Int($0 >> 32)..<Int($0 >> 32) + Int($0 & 0xffff_ffff)], as: UTF8.self)
      }
    default:
      let kind = try #require(columnKind(example.kind))
      try decoder.decode(bytes.span, kind: kind, count: count, rows: 0..<count, into: &words)
      return words.map { word in
        switch kind {
        case .float: "\(Double(bitPattern: word))"
        case .unsigned, .boolean: "\(word)"
        default: "\(Int64(bitPattern: word))"
        }
      }
    }
  }

  private func word(_ value: String, _ kind: String) -> UInt64? {
    switch kind {
    case "float": Double(value)?.bitPattern
    case "unsigned", "boolean": UInt64(value)
    default: Int64(value).map { UInt64(bitPattern: $0) }
    }
  }

  private func columnKind(_ name: String) -> ColumnKind? { ColumnKind.allCases.first { "\($0)" == name } }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }

  /// Reads code blocks marked `example`, or `example read`: `kind: value, value value × times …`, then lines
  /// of bytes in hexadecimal; words after `|` aside.
  private static func readExamples() -> [Example] {
    let path = packageRoot + "/Sources/Coding/Coding.docc/Encodings.md"
    guard let page = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    var examples: [Example] = []
    var isInside = false
    var isOnlyRead = false
    for line in page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.hasPrefix("```") {
        isOnlyRead = line == "```example read"
        isInside = line == "```example" || isOnlyRead
      } else if isInside, let colon = line.firstIndex(of: ":"), line.first?.isLetter == true,
        !line.contains("|")
      {
        let values = line[line.index(after: colon)...].split(separator: ",").flatMap { part -> [String] in
          let pieces = part.split(separator: "×").map { trimmed(String($0)) }
          let times = pieces.count > 1 ? Int(pieces[1]) ?? 0 : 1
          return (0..<times).flatMap { _ in pieces[0].split(separator: " ").map(String.init) }
        }
        examples.append(
          Example(kind: String(line[..<colon]), values: values, bytes: [], isOnlyRead: isOnlyRead))
      } else if isInside, !examples.isEmpty {
        let bytes = (line.split(separator: "|", omittingEmptySubsequences: false).first ?? "").split(
          separator: " ")
        for byte in bytes {
          let pieces = byte.split(separator: "×")
          if let value = UInt8(pieces[0], radix: 16) {
            let times = pieces.count > 1 ? Int(pieces[1]) ?? 0 : 1
            examples[examples.count - 1].bytes += [UInt8](repeating: value, count: times)
          }
        }
      }
    }
    return examples
  }

  private static func trimmed(_ text: String) -> String {
    String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}

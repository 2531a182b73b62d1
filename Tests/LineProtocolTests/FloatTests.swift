import FoundationEssentials
import Glibc
import LineProtocol
import TestSupport
import Testing

/// The parser's floats against the C library's, bit for bit.
@Suite("Floats in lines", .tags(.property))
struct FloatTests {
  /// Parses each text as a field, by the general way and again by the fast way.
  private func check(_ texts: [String]) -> [String] {
    let parser = LineParser(vocabulary: Vocabulary())
    let lines = Array((texts.map { "m f=\($0)\n" }.joined() + "m f=1\n").utf8)
    var wrong: [String] = []
    let batch = LineBatch()
    lines.withUnsafeBytes { _ = parser.parse($0, now: 0, into: batch) }
    var row = 0
    for (index, text) in texts.enumerated() {
      let expected = strtod(text, nil)
      let isTaken = row < batch.count && batch.lines[row] == UInt64(index + 1)
      if isTaken != expected.isFinite || (isTaken && batch.values[row] != expected.bitPattern) {
        wrong.append(text)
      }
      if isTaken { row += 1 }
    }
    // One line a call has no line before it that teaches: the general way.
    for text in texts {
      let general = parseWhole(Array("m f=\(text)".utf8), .init())
      let expected = strtod(text, nil)
      let value = general.points.first?.fields[Array("f".utf8)]
      if value != (expected.isFinite ? .float(expected.bitPattern) : nil) { wrong.append("\(text) alone") }
    }
    return wrong
  }

  @Test("random bit patterns, shortest and with 17 and 25 digits", arguments: [1, 2, 3] as [UInt64])
  func bitPatterns(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var texts: [String] = []
    for _ in 0..<700 {
      let value = Double(bitPattern: random.next())
      guard value.isFinite else { continue }
      texts.append(value.description)
      texts.append(String(cText: value, "%.17g"))
      texts.append(String(cText: value, "%.25e"))
    }
    let wrong = check(texts)
    #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(5))")
  }

  @Test("random decimal strings", arguments: [4, 5, 6] as [UInt64])
  func decimals(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    func digits(_ range: ClosedRange<Int>) -> String {
      String(
        (0..<Int.random(in: range, using: &random)).map { _ in
          "0123456789".randomElement(using: &random) ?? "0"
        })
    }
    var texts: [String] = []
    for _ in 0..<1_500 {
      var text = Bool.random(using: &random) ? "-" : ""
      text += digits(1...Int.random(in: 1...30, using: &random))
      if Bool.random(using: &random) { text += "." + digits(0...30) }
      if Int.random(in: 0..<3, using: &random) == 0 {
        text += "e\(Int.random(in: -345...310, using: &random))"
      }
      texts.append(text)
    }
    let wrong = check(texts)
    #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(5))")
  }

  @Test("halfway between two doubles, and a digit to either side", arguments: [7, 8] as [UInt64])
  func halfway(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var texts: [String] = []
    for _ in 0..<200 {
      // An odd 54-bit number of a magnitude that prints in full is halfway between two doubles.
      let power = Int.random(in: -60...60, using: &random)
      let low = Double(bitPattern: UInt64(power + 1_023) << 52 | random.next() >> 12)
      let high = low.nextUp
      let exact = String(cText: low, "%.140f")
      let exactHigh = String(cText: high, "%.140f")
      let middle = Self.mean(exact, exactHigh)
      texts += [
        middle, middle + "1", String(middle.dropLast()) + "9",
        middle + String(repeating: "0", count: 700) + "1",
      ]
    }
    let wrong = check(texts)
    #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(5))")
  }

  /// (a + b) / 2 of two decimals with as many fraction digits, in decimal.
  private static func mean(_ a: String, _ b: String) -> String {
    let width = max(a.count, b.count)
    func padded(_ text: String) -> [UInt8] {
      Array((String(repeating: "0", count: width - text.count) + text).utf8)
    }
    var (sum, carry) = ([UInt8](), UInt8(0))
    for (x, y) in zip(padded(a), padded(b)).reversed() {
      if x == UInt8(ascii: ".") {
        sum.append(x)
        continue
      }
      let digit = x - 48 + y - 48 + carry
      sum.append(48 + digit % 10)
      carry = digit / 10
    }
    sum.append(48 + carry)
    var (half, rest) = ([UInt8](), UInt8(0))
    for digit in sum.reversed() {
      if digit == UInt8(ascii: ".") {
        half.append(digit)
        continue
      }
      half.append(48 + (rest * 10 + digit - 48) / 2)
      rest = (digit - 48) % 2
    }
    if rest != 0 { half.append(UInt8(ascii: "5")) }
    return String(decoding: half, as: UTF8.self)
  }

  @Test(
    "edges",
    arguments: [
      "0", "-0", "0.0", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
      "2.2250738585072011e-308",
      "2.2250738585072014e-308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308",
      "1e400",
      "1e-400", "9007199254740993", "9007199254740993.0000000000000000000000000000001",
      "0.000000000000000000000000000001e30",
      "1e23", "8.5", "1.", ".5", "-.5", "00000000000000000000000000000001.5",
      "123456789012345678901234567890",
      "6.631236846766476e-316", "3.2378839133029012895883524125015321748630094e-319",
      "0e999999999999999999999",
      "1e-999999999999999999999",
    ])
  func edges(text: String) {
    #expect(check([text, text]).isEmpty)
  }

  @Test("what the store writes reads back", arguments: [9] as [UInt64])
  func printed(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var wrong: [String] = []
    for _ in 0..<2_000 {
      let value = Double(bitPattern: random.next())
      var text: [UInt8] = []
      let isWritten = LinePrinter.appendValue(.init(type: .float, word: value.bitPattern), to: &text)
      let back = strtod(String(decoding: text, as: UTF8.self), nil)
      if isWritten != value.isFinite || (isWritten && back.bitPattern != value.bitPattern) {
        wrong.append("\(value)")
      }
      if isWritten && !text.contains(UInt8(ascii: ".")) && !text.contains(UInt8(ascii: "e")) {
        wrong.append("\(value)")
      }
    }
    #expect(wrong.isEmpty, "seed \(seed): \(wrong.prefix(5))")
  }
}

extension String {
  /// As C's `snprintf` writes it.
  fileprivate init(cText value: Double, _ format: String) {
    var buffer = [CChar](repeating: 0, count: 1_100)
    _ = withVaList([value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    self = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

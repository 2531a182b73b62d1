import LineProtocol
import TestSupport
import Testing

@Suite("Parser")
struct ParserTests {
  private func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test(
    "lines that change in any place give what each gives alone", .tags(.property),
    arguments: 1...6 as ClosedRange<UInt64>)
  func fastAndGeneral(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    // A new key among known ones is looked at by itself, be it wrong or not.
    let keys = [
      "m", "m,a=b", "m,a=c", "m\\ x,a=b\\,c", "m\\\\ x,a=b", " m,a=b", "n,host=\"q", "# c", "", "m,b=1,a=é", "m,a=b,a=c",
      "m,a", "m,a=", "m,time=1", "m,a=b=c", ",a=b", "m,=b", String(repeating: "k", count: 65_530),
      // The same tag keys as the key before, others, and what is like them but for a byte.
      "m,b=1,a=2,c=3", "m,b=7,a=22,c=3", "m,a=2,b=1,c=3", "m,b=1,a=2,b=3", "m,b=1,a=2,c", "m,b=1,a=2,c=", "m,b=1,a=2,,c=3", "m,b=1,a=2,c=3,",
      "m,b==,a==2,c=3", "m,b===,a=2,c=3", "m,b=1,a=2,cc=3", "m,b=1,aa=2,c=3", "m,b=1,a=2,time=3", "m,b=1,a=2", "=,b=1,a=2,c=\u{7f}",
    ]
    let values = [
      "1", "1i", "-1i", "2u", "t", "FALSE", "true", "Trux", "\"s\"", "\"a\\\"b\"", "\"a\nb\"", "\"open",
      "1.5", "-2.25e3", "1e", "1234567890123456789",
      "9223372036854775808i", "-9223372036854775808i", "12345678901234567890u", "0.1234567890123456789",
      "\"é\"", ".5", "-", "5.", "",
    ]
    let names = ["f", "g", "f\\ 1", "f\\\\", "time", "\"f\"", "\\\"f"]
    let ends = [
      "", " 1", " 1700000000000000001", " -5", " 12345678901234567890", " 1 ", "  7", " x", "\r", " 9\r",
      " 9223372036854775807",
    ]
    for _ in 0..<150 {
      var lines: [String] = []
      for _ in 0..<Int.random(in: 2...8, using: &random) {
        if let last = lines.randomElement(using: &random), Int.random(in: 0..<3, using: &random) > 0 {
          lines.append(last)
          continue
        }
        let fields = (0..<Int.random(in: 1...3, using: &random)).map { _ in
          "\(names.randomElement(using: &random) ?? "f")=\(values.randomElement(using: &random) ?? "1")"
        }
        lines.append(
          "\(keys.randomElement(using: &random) ?? "m") \(fields.joined(separator: ","))\(ends.randomElement(using: &random) ?? "")"
        )
      }
      let options = LineParser.Options(
        precision: Precision.allCases.randomElement(using: &random) ?? .auto,
        carriageReturn: Bool.random(using: &random) ? .strip : .strict)
      // An open quote takes what follows: each line is its own piece here, in one parser and in new ones.
      let parser = LineParser(vocabulary: Vocabulary(), options: options)
      for line in lines {
        // With and without its newline, as the last line of a datagram.
        let bytes = Array((line + (Bool.random(using: &random) ? "\n" : "")).utf8)
        let (one, other) = (parseWhole(bytes, options, parser: parser), parseWhole(bytes, options))
        if one != other {
          Issue.record("seed \(seed): \(line.debugDescription): \(one) alone \(other)")
          return
        }
      }
      // Together, against the same without memory of what came before.
      let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
      let (known, new) = (parseWhole(bytes, options, parser: parser), parseWhole(bytes, options))
      if known != new {
        Issue.record("seed \(seed): \(text(bytes).debugDescription): \(known) alone \(new)")
        return
      }
    }
  }

  @Test(
    "a refused line says where and why, and its neighbours stay",
    arguments: [
      ("m", 2, "missing fields", RejectReason.syntax), ("m f=1,", 7, "invalid field format", .syntax),
      ("m f=x", 5, "invalid boolean", .syntax),
      ("m f=1x", 6, "invalid number", .number), ("m f=1 x", 7, "bad timestamp", .timestamp),
      ("m f=1 1 1", 9, "point is invalid", .syntax),
      ("  m f=1 x", 9, "bad timestamp", .timestamp), ("m,a=1,a=2 f=1", 10, "duplicate tags", .syntax),
      ("m f=\"a\"b", 5, "invalid field format", .syntax),
    ] as [(String, Int, String, RejectReason)])
  func refused(line: String, column: Int, message: String, reason: RejectReason) {
    let outcome = parseWhole(Array("m f=1 1\n\(line)\nm f=2 2\n".utf8), .init())
    #expect(outcome.points.map(\.line) == [1, 3])
    #expect(outcome.rejects.count == 1)
    guard let reject = outcome.rejects.first else { return }
    #expect((reject.line, reject.column) == (2, column))
    #expect(reject.message == message)
    #expect(reject.reason == reason)
    #expect(text(reject.text) == String(line.drop { $0 == " " }))
  }

  @Test(
    "names and strings that are not UTF-8 are refused by their reason",
    arguments: [
      [0x6d, 0xff, 0x20, 0x66, 0x3d, 0x31], [0x6d, 0x20, 0xc0, 0x80, 0x3d, 0x31],
      [0x6d, 0x20, 0x66, 0x3d, 0x22, 0xed, 0xa0, 0x80, 0x22],
      [0x6d, 0x20, 0x66, 0x3d, 0x22, 0xf4, 0x90, 0x80, 0x80, 0x22],
      [0x6d, 0x20, 0x66, 0x3d, 0x22, 0xe2, 0x82, 0x22],
    ] as [[UInt8]])
  func notUTF8(line: [UInt8]) {
    // After a line that teaches the parser what is usual here.
    let outcome = parseWhole(Array("m f=\"x\"\n".utf8) + line + [0x0a], .init())
    #expect(outcome.points.count == 1)
    #expect(outcome.rejects.map(\.reason) == [.utf8])
  }

  @Test(
    "a timestamp is scaled by its precision, and a missing one is now, cut to it",
    arguments: [
      (Precision.nanoseconds, "7", Int64(7)), (.microseconds, "7", 7_000), (.milliseconds, "-7", -7_000_000),
      (.seconds, "7", 7_000_000_000),
      (.minutes, "1", 60_000_000_000), (.hours, "1", 3_600_000_000_000),
      (.auto, "4999999999", 4_999_999_999_000_000_000),
      (.auto, "5000000000", 5_000_000_000_000_000), (.auto, "4999999999999", 4_999_999_999_999_000_000),
      (.auto, "5000000000000", 5_000_000_000_000_000),
      (.auto, "-4999999999999999", -4_999_999_999_999_999_000),
      (.auto, "5000000000000000", 5_000_000_000_000_000), (.hours, "", 3_600_000_000_000),
      (.nanoseconds, "", 7_199_999_999_999),
      (.auto, "", 7_199_999_999_999), (.seconds, "", 7_199_000_000_000),
    ])
  func timestamps(precision: Precision, text: String, time: Int64) {
    let parser = LineParser(vocabulary: Vocabulary(), options: .init(precision: precision))
    let batch = LineBatch()
    let bytes = Array("m f=1 \(text)\nm f=1 \(text)\nm f=1 \(text)".utf8)
    bytes.withUnsafeBytes { _ = parser.parse($0, now: 7_199_999_999_999, into: batch) }
    #expect(batch.timestamps.elements.map { $0 } == [time, time, time])
  }

  @Test("a carriage return before the newline is the line's end, unless strict")
  func carriageReturn() {
    let bytes = Array("m f=1\r\nm f=2 5\r\nm f=3 6\r\n\r\n".utf8)
    #expect(parseWhole(bytes, .init(carriageReturn: .strip)).points.count == 3)
    #expect(parseWhole(bytes, .init(carriageReturn: .strip)).rejects.isEmpty)
    #expect(parseWhole(bytes, .init(carriageReturn: .strict)).rejects.count == 4)
  }

  @Test("lines are counted physically, with those inside strings")
  func physicalLines() {
    let once = "\n# c\nm f=\"a\nb\nc\" 1\nm f=1\nbad\n"
    let outcome = parseWhole(Array(String(repeating: once, count: 3).utf8), .init())
    #expect(outcome.points.map(\.line) == [3, 6, 10, 13, 17, 20])
    #expect(outcome.rejects.map(\.line) == [7, 14, 21])
  }

  @Test("a field given twice stands once, with its last value and type")
  func duplicates() {
    for _ in 0..<2 {
      let outcome = parseWhole(
        Array("m f=1,g=2,f=\"x\"\nm f=1,g=2,f=\"x\"\nm \\\"f=1,\"f=2i\n".utf8), .init())
      #expect(outcome.points.map(\.fields.count) == [2, 2, 1])
      #expect(outcome.points.first?.fields[Array("f".utf8)] == .string(Array("x".utf8)))
      #expect(outcome.points.last?.fields[Array("\"f".utf8)] == .integer(2))
    }
  }

  @Test("each bound of a line passes at its edge and is refused past it")
  func limits() {
    func line(tags: Int, fields: Int) -> [UInt8] {
      let tags = (0..<tags).map { ",t\($0)=v" }.joined()
      let fields = (0..<fields).map { "f\($0)=1" }.joined(separator: ",")
      return Array("m\(tags) \(fields)\n".utf8)
    }
    #expect(parseWhole(line(tags: LineLimits.tagCountMax, fields: 1), .init()).points.count == 1)
    #expect(
      parseWhole(line(tags: LineLimits.tagCountMax + 1, fields: 1), .init()).rejects.map(\.reason) == [.limit]
    )
    #expect(parseWhole(line(tags: 0, fields: LineLimits.fieldCountMax), .init()).points.count == 1)
    #expect(
      parseWhole(line(tags: 0, fields: LineLimits.fieldCountMax + 1), .init()).rejects.map(\.reason) == [
        .limit
      ])
    let name = String(repeating: "a", count: LineLimits.keyByteCountMax - 4 - 1)
    #expect(parseWhole(Array("\(name) f=1\n".utf8), .init()).points.count == 1)
    #expect(parseWhole(Array("\(name)a f=1\n".utf8), .init()).rejects.map(\.reason) == [.limit])
  }

  @Test("only the first thousand refused lines are kept, all are counted")
  func manyRejects() {
    let parser = LineParser(vocabulary: Vocabulary())
    let batch = LineBatch()
    Array(String(repeating: "bad\n", count: 1_500).utf8).withUnsafeBytes {
      _ = parser.parse($0, now: 0, into: batch)
    }
    #expect(batch.rejectCount == 1_500)
    #expect(batch.rejects.count == LineBatch.rejectCountKept)
    #expect(batch.rejectCounts[Int(RejectReason.syntax.rawValue)] == 1_500)
    #expect(parser.vocabulary.seriesCount == 0)
  }

  @Test("the table of powers of five is what its definition gives")
  func powersOfFive() {
    // 5^q by repeated multiplication of 32-bit limbs; for negative q by long division of a power of two.
    var wrong: [Int] = []
    var power: [UInt32] = [1]
    for exponent in 0...PowersOfFive.exponentMax {
      let index = 2 * (exponent - PowersOfFive.exponentMin)
      let top = Self.topBits(power)
      if top != UInt128(PowersOfFive.words[index]) << 64 | UInt128(PowersOfFive.words[index + 1]) {
        wrong.append(exponent)
      }
      var carry: UInt64 = 0
      for limb in power.indices {
        carry += UInt64(power[limb]) * 5
        power[limb] = UInt32(truncatingIfNeeded: carry)
        carry >>= 32
      }
      if carry > 0 { power.append(UInt32(carry)) }
    }
    // A reciprocal r of 5^n satisfies r × 5^n = 1, that is: the top bits of r × 5^n are a power of two, barely passed.
    for exponent in PowersOfFive.exponentMin..<0 {
      let index = 2 * (exponent - PowersOfFive.exponentMin)
      let reciprocal = UInt128(PowersOfFive.words[index]) << 64 | UInt128(PowersOfFive.words[index + 1])
      if !Self.isReciprocal(reciprocal, -exponent) { wrong.append(exponent) }
    }
    #expect(wrong.isEmpty)
  }

  private static func topBits(_ limbs: [UInt32]) -> UInt128 {
    var (value, position) = (UInt128(0), limbs.count * 32)
    while value.leadingZeroBitCount > 0 {
      position -= 1
      let bit = position < 0 ? 0 : limbs[position / 32] >> UInt32(position % 32) & 1
      if value > 0 || bit > 0 || position < 0 { value = value << 1 | UInt128(bit) }
    }
    return value
  }

  /// Whether `value` is the 128-bit number at which the product with 5^`power` reaches a power of two.
  private static func isReciprocal(_ value: UInt128, _ power: Int) -> Bool {
    func product(_ value: UInt128) -> [UInt32] {
      var limbs = (0..<4).map { UInt32(truncatingIfNeeded: value >> (32 * UInt128($0))) }
      for _ in 0..<power {
        var carry: UInt64 = 0
        for index in limbs.indices {
          carry += UInt64(limbs[index]) * 5
          limbs[index] = UInt32(truncatingIfNeeded: carry)
          carry >>= 32
        }
        if carry > 0 { limbs.append(UInt32(carry)) }
      }
      return limbs
    }
    func bitCount(_ limbs: [UInt32]) -> Int {
      (limbs.indices.last { limbs[$0] != 0 }).map { $0 * 32 + 32 - limbs[$0].leadingZeroBitCount } ?? 0
    }
    // Rounded up where 5^n fits 64 bits, cut off below that, as the paper's proof wants it.
    let crossing = power <= 27 ? value : value + 1
    return bitCount(product(crossing)) == bitCount(product(crossing - 1)) + 1
  }
}

import Coding
import TestSupport
import Testing

@Suite("Blocks of strings")
struct StringTests {
  /// Columns of strings, made from a seed.
  enum Strings: String, CaseIterable, Sendable {
    case empty, one, few, distinct, logs, oneLetter, long

    func strings(_ count: Int, seed: UInt64) -> [[UInt8]] {
      var generator = SplitMix64(seed: seed)
      return (0..<count).map { row in
        switch self {
        case .empty: return []
        case .one: return Array("always".utf8)
        case .few: return Array("state-\(Int.random(in: 0..<9, using: &generator))".utf8)
        case .distinct: return Array("\(generator.next())".utf8)
        case .logs:
          return Array("GET /item/\(Int.random(in: 0..<400, using: &generator)) 200 in \(row % 90) ms".utf8)
        case .oneLetter: return [UInt8(truncatingIfNeeded: generator.next())]
        case .long: return [UInt8](repeating: UInt8(row & 3), count: row % 5 == 0 ? 3000 : 1)
        }
      }
    }
  }

  /// Words and bytes of strings, with bytes that no string uses between them.
  private func column(_ strings: [[UInt8]]) -> (words: [UInt64], bytes: [UInt8]) {
    var (words, bytes): ([UInt64], [UInt8]) = ([], [])
    for string in strings {
      words.append(UInt64(bytes.count) << 32 | UInt64(string.count))
      bytes += string + [0xff]
    }
    return (words, bytes)
  }

  private func strings(_ words: [UInt64], _ bytes: [UInt8]) -> [[UInt8]] {
    words.map { Array(bytes[Int($0 >> 32)..<Int($0 >> 32) + Int($0 & 0xffff_ffff)]) }
  }

  private func encoded(_ strings: [[UInt8]]) -> [UInt8] {
    var encoder = BlockEncoder(kind: .string)
    var payload: [UInt8] = []
    let (words, bytes) = column(strings)
    encoder.encodeStrings(words.span, bytes: bytes.span, into: &payload)
    return payload
  }

  @Test("come back, whole and in parts", arguments: Strings.allCases)
  func roundTrip(shape: Strings) throws {
    var generator = SplitMix64(seed: 1)
    var decoder = BlockDecoder()
    for count in [0, 1, 2, 5, 1023, 1024, 1025, 3000] {
      let given = shape.strings(count, seed: 7)
      let payload = encoded(given)
      var ranges = [0..<count, count..<count]
      for _ in 0..<6 {
        let start = Int.random(in: 0...count, using: &generator)
        ranges.append(start..<Int.random(in: start...count, using: &generator))
      }
      for rows in ranges {
        var (words, bytes): ([UInt64], [UInt8]) = ([3], [1, 2, 3])
        try decoder.decodeStrings(payload.span, count: count, rows: rows, into: &words, bytes: &bytes)
        if words[0] != 3 || strings(Array(words.dropFirst()), bytes) != Array(given[rows]) {
          Issue.record("\(shape) of \(count), rows \(rows)")
        }
      }
      let sum = given.reduce(0) { $0 + $1.count }
      if payload.count > sum + 8 * count + 32 { Issue.record("\(shape) of \(count): \(payload.count) bytes") }
    }
  }

  @Test("an encoder serves blocks that repeat and blocks that do not")
  func changing() throws {
    var encoder = BlockEncoder(kind: .string)
    var decoder = BlockDecoder()
    for block in 0..<40 {
      let given = Strings.allCases[block % 7].strings(200, seed: UInt64(block))
      let (words, bytes) = column(given)
      var payload: [UInt8] = []
      encoder.encodeStrings(words.span, bytes: bytes.span, into: &payload)
      var (back, backBytes): ([UInt64], [UInt8]) = ([], [])
      try decoder.decodeStrings(payload.span, count: 200, rows: 0..<200, into: &back, bytes: &backBytes)
      if strings(back, backBytes) != given { Issue.record("block \(block)") }
    }
  }

  @Test("that repeat take a few bits each")
  func dictionary() {
    let payload = encoded(Strings.few.strings(4096, seed: 1))
    #expect(payload.count < 4096 * 5 / 8)
    #expect(encoded(Strings.one.strings(4096, seed: 1)).count < 24)
  }

  @Test("cut or flipped bytes are refused or give strings, and never trap", arguments: Strings.allCases)
  func damage(shape: Strings) {
    var generator = SplitMix64(seed: 5)
    var decoder = BlockDecoder()
    let payload = encoded(shape.strings(150, seed: 9))
    for length in stride(from: 0, to: payload.count, by: max(1, payload.count / 300)) {
      var (words, bytes): ([UInt64], [UInt8]) = ([1], [2])
      let part = Array(payload[..<length])
      #expect(throws: CodingError.self) {
        try decoder.decodeStrings(part.span, count: 150, rows: 0..<150, into: &words, bytes: &bytes)
      }
      if words != [1] || bytes != [2] { Issue.record("output changed by \(length) bytes") }
    }
    for _ in 0..<400 {
      var flipped = payload
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        flipped[Int.random(in: 0..<flipped.count, using: &generator)] ^=
          1 << UInt8.random(in: 0..<8, using: &generator)
      }
      var (words, bytes): ([UInt64], [UInt8]) = ([], [])
      do throws(CodingError) {
        try decoder.decodeStrings(flipped.span, count: 150, rows: 20..<140, into: &words, bytes: &bytes)
        if words.contains(where: { $0 >> 32 + $0 & 0xffff_ffff > bytes.count }) {
          Issue.record("a string outside")
        }
      } catch {}
    }
  }
}

import Coding
import TestSupport
import Testing

@Suite("Damaged blocks")
struct DamageTests {
  @Test("cut at any length are refused", arguments: Shape.allCases)
  func truncated(shape: Shape) {
    for count in [1, 40, 1100] {
      let payload = encoded(shape.words(count, seed: 1), shape.kind)
      for length in 0..<min(payload.count, 400) {
        // Near both ends, where headers and last bytes are.
        for cut in Set([length, payload.count - 1 - length]) where cut >= 0 {
          if (try? decoded(Array(payload[..<cut]), shape.kind, count: count, rows: 0..<count)) != nil {
            Issue.record("\(shape) of \(count) cut to \(cut) of \(payload.count) bytes")
          }
        }
      }
    }
  }

  @Test("of flipped bits are refused or decode to something, and never trap", arguments: Shape.allCases)
  func flipped(shape: Shape) {
    var generator = SplitMix64(seed: 2)
    for count in [3, 100, 1500] {
      let payload = encoded(shape.words(count, seed: 2), shape.kind)
      for trial in 0..<200 {
        var flipped = payload
        // The first bytes say the most.
        let end = trial % 2 == 0 ? min(40, flipped.count) : flipped.count
        flipped[Int.random(in: 0..<end, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        let start = Int.random(in: 0...count, using: &generator)
        _ = try? decoded(flipped, shape.kind, count: count, rows: start..<count)
        _ = try? decoded(flipped, shape.kind, count: count + 1024, rows: 0..<count)
      }
    }
  }

  @Test("of random bytes are refused or decode to something, and never trap", arguments: 0..<4)
  func garbage(seed: Int) {
    var generator = SplitMix64(seed: UInt64(seed))
    var decoder = BlockDecoder()
    for _ in 0..<3000 {
      var bytes = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      if !bytes.isEmpty { bytes[0] = UInt8.random(in: 0...10, using: &generator) }
      let count = Int.random(in: 0...2100, using: &generator)
      _ = try? decoded(bytes, .integer, count: count, rows: 0..<count)
      var (words, strings, bits): ([UInt64], [UInt8], [UInt64]) = ([], [], [])
      try? decoder.decodeStrings(bytes.span, count: count, rows: 0..<count, into: &words, bytes: &strings)
      try? decodeValidity(bytes.span, count: count, into: &bits)
      try? openBlock(bytes.span, into: &strings)
    }
  }

  @Test(
    "read with a wrong count are refused where words take bits",
    arguments: [Shape.random, .integerWalk, .decimalWalk, .sumsOfDecimals])
  func wrongCount(shape: Shape) {
    let payload = encoded(shape.words(1500, seed: 3), shape.kind)
    for count in [0, 1, 1024, 1400, 1600, 4096]
    where (try? decoded(payload, shape.kind, count: count, rows: 0..<count)) != nil {
      Issue.record("\(shape) read as \(count) words")
    }
  }
}

@Suite("Stored blocks")
struct SealedBlockTests {
  static let payloads: [[UInt8]] = [
    [], [7], Array(repeating: 5, count: 1000),
    (0..<300).map { UInt8(truncatingIfNeeded: $0 &* 167 ^ $0 >> 3) },
    encoded(Shape.decimalWalk.words(1200, seed: 1), .float), encoded(Shape.sumsOfDecimals.words(1200, seed: 1), .float), Array("abc, abd, abe, abf, abg, abc, abd".utf8),
  ]

  @Test("come back, and Snappy is used where it saves an eighth", arguments: payloads)
  func roundTrip(payload: [UInt8]) throws {
    var stored: [UInt8] = [9]
    sealBlock(payload, into: &stored)
    var opened: [UInt8] = [8]
    let block = Array(stored.dropFirst())
    try openBlock(block.span, into: &opened)
    #expect(opened == [8] + payload)
    let saved = payload.count - (block.count - blockTrailerByteCount)
    #expect(block[block.count - 5] == (saved > 0 ? 2 : 1))
    #expect(saved == 0 || saved >= payload.count / 8)
  }

  @Test("are refused when cut anywhere, and the output stays as it was", arguments: payloads)
  func truncated(payload: [UInt8]) {
    var stored: [UInt8] = []
    sealBlock(payload, into: &stored)
    var opened: [UInt8] = [1]
    for length in 0..<stored.count {
      let part = Array(stored[..<length])
      if (try? openBlock(part.span, into: &opened)) != nil {
        Issue.record("\(length) of \(stored.count) bytes")
      }
    }
    #expect(opened == [1])
  }

  @Test("are refused when any one bit is flipped", arguments: payloads)
  func flipped(payload: [UInt8]) {
    var stored: [UInt8] = []
    sealBlock(payload, into: &stored)
    var opened: [UInt8] = []
    for bit in 0..<stored.count * 8 {
      stored[bit / 8] ^= 1 << UInt8(bit % 8)
      if (try? openBlock(stored.span, into: &opened)) != nil { Issue.record("bit \(bit)") }
      stored[bit / 8] ^= 1 << UInt8(bit % 8)
    }
  }

  @Test("whose checksum is right but whose Snappy bytes are not are refused")
  func badSnappy() {
    var generator = SplitMix64(seed: 4)
    for _ in 0..<2000 {
      var stored = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      stored.append(2)
      let checksum = crc32c(stored.span)
      appendLittleEndian(checksum, to: &stored)
      var opened: [UInt8] = []
      _ = try? openBlock(stored.span, into: &opened)
      if opened.count > 22 * stored.count { Issue.record("\(opened.count) bytes of \(stored.count)") }
    }
  }

  @Test("a compression that is not known is named")
  func unknownCompression() {
    var stored: [UInt8] = [1, 2, 3, 9]
    let checksum = crc32c(stored.span)
    appendLittleEndian(checksum, to: &stored)
    var opened: [UInt8] = []
    #expect(throws: CodingError.unsupported(what: "compression", value: 9)) {
      try openBlock(stored.span, into: &opened)
    }
  }
}

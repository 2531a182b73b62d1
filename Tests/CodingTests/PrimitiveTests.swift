import Coding
import TestSupport
import Testing

@Suite("Varint")
struct VarintTests {
  static let boundaries: [(value: UInt64, byteCount: Int)] = [
    (0, 1), (1, 1), (127, 1), (128, 2), (16_383, 2), (16_384, 3), (2_097_151, 3), (2_097_152, 4),
    (268_435_455, 4), (268_435_456, 5), ((1 << 35) - 1, 5), (1 << 35, 6), ((1 << 42) - 1, 6), (1 << 42, 7),
    ((1 << 49) - 1, 7), (1 << 49, 8), ((1 << 56) - 1, 8), (1 << 56, 9), ((1 << 63) - 1, 9), (1 << 63, 10),
    (.max, 10),
  ]

  @Test("boundary values take the documented number of bytes and come back", arguments: boundaries)
  func roundTrip(value: UInt64, byteCount: Int) {
    var bytes: [UInt8] = [0xff]
    appendVarint(value, to: &bytes)
    #expect(bytes.count == 1 + byteCount)
    #expect(varintByteCount(value) == byteCount)
    var offset = 1
    #expect(readVarint(bytes.span, at: &offset) == value)
    #expect(offset == bytes.count)
  }

  @Test("every truncation is refused and leaves the offset alone", arguments: boundaries)
  func truncated(value: UInt64, byteCount: Int) {
    var bytes: [UInt8] = []
    appendVarint(value, to: &bytes)
    for length in 0..<byteCount {
      let part = Array(bytes[..<length])
      var offset = 0
      #expect(readVarint(part.span, at: &offset) == nil)
      #expect(offset == 0)
    }
  }

  static let overlong: [[UInt8]] = [
    [0x80, 0x00], [0xff, 0x80, 0x00], [UInt8](repeating: 0x80, count: 10),
    [UInt8](repeating: 0xff, count: 11),
    [UInt8](repeating: 0xff, count: 9) + [0x02], [UInt8](repeating: 0x80, count: 9) + [0x00],
  ]

  @Test("what no writer makes is refused", arguments: overlong)
  func refused(bytes: [UInt8]) {
    var offset = 0
    #expect(readVarint(bytes.span, at: &offset) == nil)
    #expect(offset == 0)
  }

  @Test("zigzag makes small numbers of small magnitudes")
  func zigzagging() {
    let values: [Int64] = [0, -1, 1, -2, 2, .max, .min]
    let expected: [UInt64] = [0, 1, 2, 3, 4, .max - 1, .max]
    #expect(values.map { zigzag($0) } == expected)
    #expect(expected.map { unzigzag($0) } == values)
  }

  @Test("fixed widths are little-endian and checked against the end")
  func fixedWidth() {
    var bytes: [UInt8] = []
    appendLittleEndian(UInt32(0x0102_0304), to: &bytes)
    #expect(bytes == [4, 3, 2, 1])
    var offset = 1
    #expect(readLittleEndian(UInt32.self, bytes.span, at: &offset) == nil)
    #expect(offset == 1)
    #expect(readLittleEndian(UInt16.self, bytes.span, at: &offset) == 0x0203)
    #expect(offset == 3)
  }
}

@Suite("CRC32C")
struct ChecksumTests {
  static let vectors: [(bytes: [UInt8], expected: UInt32)] = [
    (Array("123456789".utf8), 0xe306_9283), ([], 0), (Array("a".utf8), 0xc1d0_4330),
    // RFC 3720, appendix B.4.
    ([UInt8](repeating: 0, count: 32), 0x8a91_36aa), ([UInt8](repeating: 0xff, count: 32), 0x62a8_ab43),
    ([UInt8](0..<32), 0x46dd_794e), ([UInt8]((0..<32).reversed()), 0x113f_db5c),
  ]

  @Test("is that of the published vectors", arguments: vectors)
  func isPublished(bytes: [UInt8], expected: UInt32) {
    #expect(crc32c(bytes.span) == expected)
  }

  @Test("is that of the bitwise definition, whole and in two parts, for any length and place")
  func model() {
    var generator = SplitMix64(seed: 1)
    let bytes = (0..<9000).map { _ in UInt8.random(in: 0...255, using: &generator) }
    var lengths = Array(0..<70) + [255, 256, 257, 767, 768, 769, 1023, 1024, 1025, 3071, 3072, 3073, 8000]
    for _ in 0..<20 { lengths.append(Int.random(in: 0..<8900, using: &generator)) }
    for length in lengths {
      let start = Int.random(in: 0..<50, using: &generator)
      let part = Array(bytes[start..<start + length])
      let expected = bitwise(part)
      let cut = Int.random(in: 0...length, using: &generator)
      let (head, tail) = (Array(part[..<cut]), Array(part[cut...]))
      if crc32c(bytes.span.extracting(start..<start + length)) != expected { Issue.record("\(length) bytes") }
      if crc32c(tail.span, continuing: crc32c(head.span)) != expected {
        Issue.record("\(cut) and \(length - cut) bytes")
      }
    }
  }

  /// The polynomial, a bit at a time.
  private func bitwise(_ bytes: [UInt8]) -> UInt32 {
    var checksum = ~UInt32(0)
    for byte in bytes {
      checksum ^= UInt32(byte)
      for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 0 ? 0 : 0x82f6_3b78) }
    }
    return ~checksum
  }
}

@Suite("Validity")
struct ValidityTests {
  @Test(
    "bits come back, in at most a bit a row and a byte",
    arguments: [0, 1, 5, 63, 64, 65, 127, 1000, 1024, 5000])
  func roundTrip(count: Int) throws {
    var generator = SplitMix64(seed: 3)
    let patterns: [(String, (Int) -> Bool)] = [
      ("none", { _ in false }), ("all", { _ in true }), ("random", { _ in Bool.random(using: &generator) }),
      ("rare", { $0 % 97 == 3 }), ("frequent", { $0 % 97 != 0 }), ("halves", { $0 < count / 2 }),
      ("runs", { $0 / 50 % 2 == 1 }), ("first", { $0 == 0 }), ("last", { $0 == count - 1 }),
    ]
    for (name, isSet) in patterns {
      // Bits past the count are not ours: they must not show.
      var bits = [UInt64](repeating: 0, count: (count + 63) / 64)
      for row in 0..<count where isSet(row) { bits[row >> 6] |= 1 << UInt64(row & 63) }
      var given = bits
      if count & 63 != 0 { given[count >> 6] |= .max << UInt64(count & 63) }
      var bytes: [UInt8] = []
      encodeValidity(given, count: count, into: &bytes)
      var back: [UInt64] = [6]
      try decodeValidity(bytes.span, count: count, into: &back)
      if back != [6] + bits { Issue.record("\(name) of \(count)") }
      if bytes.count > (count + 7) / 8 + 1 { Issue.record("\(name) of \(count): \(bytes.count) bytes") }
    }
  }

  @Test("cut bytes are refused, and the output stays as it was")
  func truncated() {
    var bits = [UInt64](repeating: 0x0123_4567_89ab_cdef, count: 16)
    for round in 0..<2 {
      if round == 1 { bits = [UInt64](repeating: 1, count: 16) }
      var bytes: [UInt8] = []
      encodeValidity(bits, count: 1000, into: &bytes)
      for length in 0..<bytes.count {
        var back: [UInt64] = []
        let part = Array(bytes[..<length])
        let isRead = (try? decodeValidity(part.span, count: 1000, into: &back)) != nil
        if isRead { Issue.record("\(length) bytes") }
        if !back.isEmpty { Issue.record("output changed") }
      }
    }
  }
}

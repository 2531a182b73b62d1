/// MD5 (RFC 1321) of bytes that come piece by piece: the sums by which the workloads are known are of this kind.
struct MD5 {
  private var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
  private var pending: [UInt8] = []
  private var byteCount: UInt64 = 0
  private static let shifts: [UInt32] = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21]
  /// floor(2^32 × |sin(i + 1)|), RFC 1321 section 3.4.
  private static let table: [UInt32] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8,
    0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821, 0xf61e2562,
    0xc040b340,
    0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8, 0x21e1cde6, 0xc33707d6,
    0xf4d50d87,
    0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a, 0xfffa3942, 0x8771f681, 0x6d9d6122,
    0xfde5380c,
    0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
    0xd9d4d039,
    0xe6db99e5, 0x1fa27cf8, 0xc4ac5665, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3,
    0x8f0ccc92,
    0xffeff47d, 0x85845dd1, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235,
    0x2ad7d2bb,
    0xeb86d391,
  ]

  mutating func append(_ bytes: [UInt8]) {
    byteCount += UInt64(bytes.count)
    pending += bytes
    var offset = 0
    while pending.count - offset >= 64 {
      block(offset)
      offset += 64
    }
    pending.removeFirst(offset)
  }

  mutating func finish() -> String {
    let bitCount = byteCount * 8
    pending.append(0x80)
    while pending.count % 64 != 56 { pending.append(0) }
    for shift in 0..<8 { pending.append(UInt8(truncatingIfNeeded: bitCount >> UInt64(8 * shift))) }
    for offset in stride(from: 0, to: pending.count, by: 64) { block(offset) }
    var text = ""
    for word in state {
      for shift in 0..<4 {
        let byte = String(word >> UInt32(8 * shift) & 0xff, radix: 16)
        text += byte.count == 1 ? "0" + byte : byte
      }
    }
    return text
  }

  private mutating func block(_ offset: Int) {
    let words = (0..<16).map { index in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(pending[offset + index * 4 + $1]) << UInt32(8 * $1) }
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for i in 0..<64 {
      var (f, g): (UInt32, Int)
      switch i / 16 {
      case 0: (f, g) = ((b & c) | (~b & d), i)
      case 1: (f, g) = ((d & b) | (~d & c), (5 * i + 1) % 16)
      case 2: (f, g) = (b ^ c ^ d, (3 * i + 5) % 16)
      default: (f, g) = (c ^ (b | ~d), 7 * i % 16)
      }
      f = f &+ a &+ Self.table[i] &+ words[g]
      let shift = Self.shifts[i / 16 * 4 + i % 4]
      (a, d, c) = (d, c, b)
      b = b &+ (f << shift | f >> (32 - shift))
    }
    state[0] &+= a
    state[1] &+= b
    state[2] &+= c
    state[3] &+= d
  }
}

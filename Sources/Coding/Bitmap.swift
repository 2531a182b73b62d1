/// Bits, bit `i & 63` of word `i >> 6`: as they are, or as the rows at which they are the rarer one or
/// change, whichever is shorter.
enum Bitmap {
  /// What a positions block's second byte says.
  private static let backgroundFlag: UInt8 = 1
  private static let changesFlag: UInt8 = 2

  /// Appends `count` bits. `bits` holds them, and zeros after them.
  static func encode(_ bits: UnsafeBufferPointer<UInt64>, count: Int, into output: inout [UInt8]) {
    let start = output.count
    var ones = 0
    var changes = 0
    var previous = unsafe bits.isEmpty ? 0 : bits[0] & 1
    let initial = previous
    for index in bits.indices {
      let word = unsafe bits[index]
      ones += word.nonzeroBitCount
      changes += (word ^ (word << 1 | previous)).nonzeroBitCount
      previous = word >> 63
    }
    // The zeros after the last bit count as a change where that is set.
    let byteCount = (count + 7) / 8
    let rarer = min(ones, count - ones)
    if min(rarer, changes) + 4 < byteCount {
      let isChanges = changes < rarer
      let background = isChanges ? initial == 1 : ones > count - ones
      output.append(Encoding.positions.rawValue)
      output.append((background ? backgroundFlag : 0) | (isChanges ? changesFlag : 0))
      unsafe encodePositions(bits, count: count, isChanges: isChanges, background: background, into: &output)
      if output.count - start <= byteCount { return }
      output.removeLast(output.count - start)
    }
    output.append(Encoding.bits.rawValue)
    for index in 0..<byteCount {
      output.append(UInt8(truncatingIfNeeded: unsafe bits[index >> 3] >> UInt64((index & 7) * 8)))
    }
  }

  private static func encodePositions(
    _ bits: UnsafeBufferPointer<UInt64>, count: Int, isChanges: Bool, background: Bool,
    into output: inout [UInt8]
  ) {
    var gaps: [UInt8] = []
    var markCount: UInt64 = 0
    var next = 0
    var carry: UInt64 = background ? 1 : 0
    for index in bits.indices {
      let word = unsafe bits[index]
      var marks = isChanges ? word ^ (word << 1 | carry) : background ? ~word : word
      carry = word >> 63
      let rest = count - index * 64
      if rest < 64 { marks &= (1 << UInt64(rest)) - 1 }
      while marks != 0 {
        let row = index * 64 + marks.trailingZeroBitCount
        appendVarint(UInt64(row - next), to: &gaps)
        markCount += 1
        next = row + 1
        marks &= marks - 1
      }
    }
    appendVarint(markCount, to: &output)
    output += gaps
  }

  /// Appends words of 0 and 1 as bits; appends nothing and returns false where there is another.
  static func encodeWords(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) -> Bool {
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: (words.count + 63) / 64) { bits in
      var all: UInt64 = 0
      for index in bits.indices {
        var word: UInt64 = 0
        for row in index * 64..<min(words.count, index * 64 + 64) {
          all |= unsafe words[row]
          word |= unsafe words[row] &<< UInt64(row & 63)
        }
        unsafe bits[index] = word
      }
      guard all <= 1 else { return false }
      unsafe encode(UnsafeBufferPointer(bits), count: words.count, into: &output)
      return true
    }
  }

  /// Decodes `count` bits into `bits`, which has room for them; what is after them becomes 0.
  static func decode(
    _ bytes: UnsafeRawBufferPointer, count: Int, into bits: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    guard let code = unsafe bytes.first else { throw .malformed(offset: 0, expected: "an encoding") }
    unsafe bits.update(repeating: 0)
    switch Encoding(rawValue: code) {
    case .bits:
      guard bytes.count == (count + 7) / 8 + 1 else {
        throw .malformed(offset: 1, expected: "\(count) bits, not \(bytes.count - 1) bytes")
      }
      for index in 1..<bytes.count {
        unsafe bits[(index - 1) >> 3] |= UInt64(bytes[index]) << UInt64((index - 1) & 7 * 8)
      }
    case .positions: try unsafe decodePositions(bytes, count: count, into: bits)
    default: throw .unsupported(what: "encoding of bits", value: code)
    }
    if count & 63 != 0 { unsafe bits[count >> 6] &= (1 << UInt64(count & 63)) - 1 }
  }

  private static func decodePositions(
    _ bytes: UnsafeRawBufferPointer, count: Int, into bits: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var offset = 2
    guard bytes.count > 1, unsafe bytes[1] <= backgroundFlag | changesFlag,
      let markCount = unsafe readVarint(bytes, at: &offset), markCount <= UInt64(count)
    else { throw .malformed(offset: 1, expected: "flags and a count of positions") }
    let flags = unsafe bytes[1]
    var row = 0
    for _ in 0..<markCount {
      guard let gap = unsafe readVarint(bytes, at: &offset), gap < UInt64(count - row) else {
        throw .malformed(offset: offset, expected: "a gap that ends below \(count)")
      }
      row += Int(gap)
      unsafe bits[row >> 6] |= 1 << UInt64(row & 63)
      row += 1
    }
    guard offset == bytes.count else {
      throw .malformed(offset: offset, expected: "the end of the positions")
    }
    let background: UInt64 = flags & backgroundFlag != 0 ? .max : 0
    guard flags & changesFlag != 0 else {
      for index in bits.indices { unsafe bits[index] ^= background }
      return
    }
    // The running parity of marks: by doubling within a word, and one bit carried over.
    var carry = background
    for index in bits.indices {
      var word = unsafe bits[index]
      for shift in [UInt64(1), 2, 4, 8, 16, 32] { word ^= word << shift }
      unsafe bits[index] = word ^ carry
      carry = unsafe bits[index] >> 63 == 1 ? .max : 0
    }
  }
}

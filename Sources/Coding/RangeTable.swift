/// The ranges of numbers that the integers of a block lie in, and how often each occurs.
///
/// An integer is told by its range, in as few bits as the range is frequent, and by its place in it. So
/// values that occur often take little, whatever they are, and those far off take their length.
struct RangeTable {
  /// Ranges that a table may have.
  static let countMax = 256
  /// Bits that a place in a range may take: with those of a byte before it they fit in a word.
  static let widthMax = 56
  /// Shares are parts of 2¹⁰, and add up to it.
  static let shareBitCount = 10
  static let shareSum = 1 << shareBitCount

  /// The least number of each range.
  private(set) var lowers: [UInt64] = []
  /// Bits of a place in each range: it has 2ʷ numbers.
  private(set) var widths: [UInt8] = []
  /// How many of 1,024 integers lie in each range; 1 at least.
  private(set) var shares: [UInt16] = []

  var count: Int { lowers.count }

  /// Adds a range above the others.
  mutating func append(lower: UInt64, width: UInt8, share: UInt16) {
    lowers.append(lower)
    widths.append(width)
    shares.append(share)
  }

  /// Where a range's share begins in the sum of all.
  func starts() -> [UInt16] {
    var start: UInt16 = 0
    return shares.map { share in
      defer { start += share }
      return start
    }
  }

  // MARK: Bytes

  /// The number after the last of a range.
  private static func end(_ lower: UInt64, _ width: UInt8) -> UInt64 { lower &+ 1 &<< UInt64(width) }

  /// Appends the count, and of each range its distance from the end of the one before, its width and its
  /// share.
  func encode(into output: inout [UInt8]) {
    appendVarint(UInt64(count), to: &output)
    var end: UInt64 = 0
    for index in 0..<count {
      appendVarint(zigzag(Int64(bitPattern: lowers[index] &- end)), to: &output)
      output.append(widths[index])
      appendVarint(UInt64(shares[index] - 1), to: &output)
      end = Self.end(lowers[index], widths[index])
    }
  }

  init() {}

  /// Reads a table at `offset` and moves past it.
  init(decoding bytes: UnsafeRawBufferPointer, at offset: inout Int) throws(CodingError) {
    guard let found = unsafe readVarint(bytes, at: &offset), found <= UInt64(Self.countMax) else {
      throw .malformed(offset: offset, expected: "at most \(Self.countMax) ranges")
    }
    var (end, sum): (UInt64, UInt64) = (0, 0)
    for _ in 0..<Int(found) {
      guard let distance = unsafe readVarint(bytes, at: &offset),
        let width = unsafe readLittleEndian(UInt8.self, bytes, at: &offset), width <= Self.widthMax,
        let share = unsafe readVarint(bytes, at: &offset), share < UInt64(Self.shareSum)
      else { throw .malformed(offset: offset, expected: "a range's distance, width and share") }
      let lower = end &+ UInt64(bitPattern: unzigzag(distance))
      append(lower: lower, width: width, share: UInt16(share + 1))
      end = Self.end(lower, width)
      sum += share + 1
    }
    guard sum == UInt64(Self.shareSum) else {
      throw .malformed(offset: offset, expected: "shares that add up to \(Self.shareSum), not \(sum)")
    }
  }
}

/// Bits in order, packed into words from the lowest up; the bits of the last word past `count` are zero.
struct BitVector: Sendable {
  private(set) var words: [UInt64] = []
  private(set) var count = 0

  init() {}

  /// Takes words as they are; bits past `count` are cleared.
  init(words: [UInt64], count: Int) {
    precondition(words.count >= (count + 63) >> 6, "\(words.count) words for \(count) bits")
    self.words = Array(words.prefix((count + 63) >> 6))
    self.count = count
    if count & 63 != 0 { self.words[self.words.count - 1] &= Self.mask(count & 63) }
  }

  init(repeating bit: Bool, count: Int) { append(bit, count: count) }

  /// The lowest `count` bits, 1 to 64.
  static func mask(_ count: Int) -> UInt64 { ~0 >> UInt64(64 - count) }

  subscript(index: Int) -> Bool {
    get { words[index >> 6] & (1 << UInt64(index & 63)) != 0 }
    set {
      let bit = UInt64(1) << UInt64(index & 63)
      if newValue { words[index >> 6] |= bit } else { words[index >> 6] &= ~bit }
    }
  }

  mutating func reset() {
    words.removeAll(keepingCapacity: true)
    count = 0
  }

  /// Appends `added` times the same bit.
  mutating func append(_ bit: Bool, count added: Int) {
    var left = added
    while left > 0 {
      let taken = min(64 - count & 63, left)
      appendWord(bit ? Self.mask(taken) : 0, count: taken)
      left -= taken
    }
  }

  /// Appends `added` bits of other words, from bit `start`.
  mutating func append(_ source: [UInt64], from start: Int, count added: Int) {
    var at = start
    let end = start + added
    while at < end {
      let taken = min(64, end - at)
      appendWord(Self.extract(source, at: at, count: taken), count: taken)
      at += taken
    }
  }

  /// `count` bits, 1 to 64, from bit `at`.
  static func extract(_ source: [UInt64], at: Int, count: Int) -> UInt64 {
    let (word, shift) = (at >> 6, UInt64(at & 63))
    var bits = source[word] >> shift
    if shift > 0, Int(shift) + count > 64 { bits |= source[word + 1] << (64 - shift) }
    return bits & mask(count)
  }

  private mutating func appendWord(_ bits: UInt64, count added: Int) {
    let used = count & 63
    if used == 0 {
      words.append(bits)
    } else {
      words[words.count - 1] |= bits << UInt64(used)
      if used + added > 64 { words.append(bits >> UInt64(64 - used)) }
    }
    count += added
  }

  /// Ones among the bits of a range.
  func onesCount(in range: Range<Int>) -> Int { Self.onesCount(words, in: range) }

  static func onesCount(_ words: [UInt64], in range: Range<Int>) -> Int {
    guard !range.isEmpty else { return 0 }
    let (first, last) = (range.lowerBound >> 6, (range.upperBound - 1) >> 6)
    var ones = 0
    for index in first...last {
      var word = words[index]
      if index == first { word &= ~0 << UInt64(range.lowerBound & 63) }
      if index == last { word &= mask((range.upperBound - 1) & 63 + 1) }
      ones += word.nonzeroBitCount
    }
    return ones
  }

  /// The index of the first one in a range.
  func firstOne(in range: Range<Int>) -> Int? {
    var at = range.lowerBound
    while at < range.upperBound {
      let word = words[at >> 6] >> UInt64(at & 63)
      if word != 0 {
        let found = at + word.trailingZeroBitCount
        return found < range.upperBound ? found : nil
      }
      at = (at >> 6 + 1) << 6
    }
    return nil
  }

  /// The index of the last one in a range.
  func lastOne(in range: Range<Int>) -> Int? {
    var end = range.upperBound
    while end > range.lowerBound {
      let word = words[(end - 1) >> 6] & Self.mask((end - 1) & 63 + 1)
      if word != 0 {
        let found = (end - 1) & ~63 + 63 - word.leadingZeroBitCount
        return found >= range.lowerBound ? found : nil
      }
      end = (end - 1) & ~63
    }
    return nil
  }

  // Sets of series: both sides have the same count.

  mutating func formIntersection(_ other: BitVector) {
    for index in words.indices { words[index] &= other.words[index] }
  }

  mutating func formUnion(_ other: BitVector) {
    for index in words.indices { words[index] |= other.words[index] }
  }

  mutating func invert() {
    for index in words.indices { words[index] = ~words[index] }
    if count & 63 != 0 { words[words.count - 1] &= Self.mask(count & 63) }
  }

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
}

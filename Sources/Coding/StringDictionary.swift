/// The distinct strings of a block, in the order in which they come, and for each row the number of its
/// string.
struct StringDictionary {
  /// Words of the distinct strings.
  private(set) var distinct: [UInt64] = []
  /// For each row, an index into `distinct`.
  private(set) var codes: [UInt64] = []

  /// Nil where more than half of the strings are distinct, or there are fewer than two: a dictionary would
  /// not pay.
  ///
  /// The hash has a random key for each block: these bytes come from strangers. Costs one hash and one
  /// comparison a string.
  init?(_ words: UnsafeBufferPointer<UInt64>, bytes: UnsafeRawBufferPointer) {
    guard words.count > 1 else { return nil }
    let distinctMax = words.count / 2
    var capacity = 16
    while capacity < 2 * distinctMax { capacity *= 2 }
    let key = UInt64.random(in: .min ... .max)
    var slots = [UInt32](repeating: 0, count: capacity)
    codes.reserveCapacity(words.count)
    for index in words.indices {
      let word = unsafe words[index]
      let string = unsafe Self.string(word, in: bytes)
      var slot = unsafe Int(truncatingIfNeeded: Self.hash(string, key: key)) & (capacity - 1)
      // At most half of the slots are taken, so the search ends.
      while slots[slot] != 0,
        unsafe !Self.areEqual(string, Self.string(distinct[Int(slots[slot]) - 1], in: bytes))
      {
        slot = (slot + 1) & (capacity - 1)
      }
      if slots[slot] == 0 {
        guard distinct.count < distinctMax else { return nil }
        distinct.append(word)
        slots[slot] = UInt32(distinct.count)
      }
      codes.append(UInt64(slots[slot] - 1))
    }
  }

  /// The bytes of a string's word. A range outside of `bytes` traps: the caller's error.
  static func string(_ word: UInt64, in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let offset = Int(word >> 32)
    let end = offset + Int(word & 0xffff_ffff)
    precondition(end <= bytes.count, "a string ends at \(end) of \(bytes.count) bytes")
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
  }

  private static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    guard a.count == b.count else { return false }
    var (left, right) = (0, 0)
    while let word = unsafe readLittleEndian(UInt64.self, a, at: &left) {
      if unsafe readLittleEndian(UInt64.self, b, at: &right) != word { return false }
    }
    while left < a.count {
      // Both have as many bytes.
      if unsafe a[left] != b[left] { return false }
      left += 1
    }
    return true
  }

  /// Eight bytes a step by multiplication to 128 bits and folding, as in wyhash.
  private static func hash(_ bytes: UnsafeRawBufferPointer, key: UInt64) -> UInt64 {
    func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
      let product = a.multipliedFullWidth(by: b)
      return product.high ^ product.low
    }
    var state = key ^ UInt64(bytes.count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while let word = unsafe readLittleEndian(UInt64.self, bytes, at: &offset) {
      state = fold(state ^ word, 0xa076_1d64_78bd_642f ^ key)
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
      rest = rest << 8 | UInt64(unsafe bytes[offset])
      offset += 1
    }
    return fold(state ^ rest, 0xe703_7ed1_a0b4_28db)
  }
}

/// The distinct words of a block in the order of their numbers, and for each row the rank of its word.
///
/// For measurements of few different values that are no decimals, as a sensor's steps turned into another
/// unit. Ranks go up and down as the values do, and so pack as well as small integers.
struct WordDictionary {
  /// Ascending.
  private(set) var distinct: [UInt64] = []
  /// For each row, an index into `distinct`.
  private(set) var codes: [UInt64] = []

  /// Rows that are looked at first, and how many of them must repeat another.
  private static let sampleCount = 256
  private static let repeatCountMin = 4
  private static let distinctMax = 4096

  /// Nil where more than one word in four, or more than 4,096, are distinct.
  init?(_ words: UnsafeBufferPointer<UInt64>, isFloat: Bool) {
    guard words.count >= Self.sampleCount, unsafe Self.repeats(words) else { return nil }
    let distinctMax = min(Self.distinctMax, words.count / 4)
    var capacity = 16
    while capacity < 2 * distinctMax { capacity *= 2 }
    // These words come from strangers: the key is another for each block.
    let key = UInt64.random(in: .min ... .max)
    var slots = [UInt32](repeating: 0, count: capacity)
    codes.reserveCapacity(words.count)
    for index in words.indices {
      let word = unsafe words[index]
      let product = (word ^ key).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
      var slot = Int(truncatingIfNeeded: product.high ^ product.low) & (capacity - 1)
      // At most half of the slots are taken, so the search ends.
      while slots[slot] != 0, distinct[Int(slots[slot]) - 1] != word { slot = (slot + 1) & (capacity - 1) }
      if slots[slot] == 0 {
        guard distinct.count < distinctMax else { return nil }
        distinct.append(word)
        slots[slot] = UInt32(distinct.count)
      }
      codes.append(UInt64(slots[slot] - 1))
    }
    rank(isFloat: isFloat)
  }

  /// Whether a few of a sample are equal.
  private static func repeats(_ words: UnsafeBufferPointer<UInt64>) -> Bool {
    var sample = (0..<sampleCount).map { unsafe words[$0 * words.count / sampleCount] }
    sample.sort()
    var count = 0
    for index in 1..<sampleCount where sample[index] == sample[index - 1] { count += 1 }
    return count >= repeatCountMin
  }

  /// Sorts the words, and turns numbers in the order of coming into ranks.
  private mutating func rank(isFloat: Bool) {
    let keys = distinct.map { isFloat ? orderedKey($0) : Int64(bitPattern: $0) }
    let order = keys.indices.sorted { keys[$0] < keys[$1] }
    var ranks = [UInt64](repeating: 0, count: order.count)
    for (rank, index) in order.enumerated() { ranks[index] = UInt64(rank) }
    distinct = order.map { distinct[$0] }
    for row in codes.indices { codes[row] = ranks[Int(codes[row])] }
  }
}

/// An open-addressing table of words that stand for things elsewhere; who looks up compares the things.
///
/// A slot is a word and one byte of the thing's hash, its *tag*, 0 where it is free: the tags lie side by side, so that a search seldom
/// looks at another thing than the one it is for, and a table may be full to seven eighths. It grows by a quarter: a word of 4 bytes
/// takes 5.7 to 7.2, one of 8 bytes 10.3 to 12.9. The hash must be one that strangers cannot foresee, or of things that are ours.
public struct TaggedTable<Word: FixedWidthInteger & BitwiseCopyable & Sendable>: Sendable {
  // Public, since what is `package` is neither inlined nor specialised in another module (Swift 6.3): words would be compared through their
  // witness tables there.
  @usableFromInline var tags: [UInt8]
  @usableFromInline var words: [Word]
  /// Words held.
  @inlinable public var count: Int { filled }
  @usableFromInline var filled: Int

  /// A table that `countMax` words fit in before it grows.
  @inlinable public init(countMax: Int = 8) {
    let capacity = max(countMax + countMax / 7 + 2, 10)
    tags = Array(repeating: 0, count: capacity)
    words = Array(repeating: 0, count: capacity)
    filled = 0
  }

  /// Bytes of memory taken.
  @inlinable public var byteCount: Int { tags.count + words.count * MemoryLayout<Word>.stride }

  /// The slot of the word of a hash for which `isIt` holds; `nil` if there is none.
  @inlinable @inline(__always) public func find(_ hash: UInt32, where isIt: (Word) -> Bool) -> Int? {
    let tag = Self.tag(hash)
    var slot = home(hash)
    while true {
      let found = tags[slot]
      if found == 0 { return nil }
      if found == tag, isIt(words[slot]) { return slot }
      slot = slot &+ 1 == tags.count ? 0 : slot &+ 1
    }
  }

  /// Calls `body` with the places in memory where a search for a hash begins, for who has searches ahead.
  @inlinable @inline(__always) public func visitHome(_ hash: UInt32, _ body: (UnsafeRawPointer) -> Void) {
    let home = home(hash)
    // Both have an element at `home`.
    unsafe tags.withUnsafeBytes { if let base = $0.baseAddress { unsafe body(base + home) } }
    unsafe words.withUnsafeBytes { if let base = $0.baseAddress { unsafe body(base + home * MemoryLayout<Word>.stride) } }
  }

  /// The word where a search for a hash begins; `nil` where none is there.
  @inlinable @inline(__always) public func homeWord(_ hash: UInt32) -> Word? {
    let home = home(hash)
    return tags[home] == 0 ? nil : words[home]
  }

  /// The word in a slot that `find` answered.
  @inlinable @inline(__always) public subscript(_ slot: Int) -> Word {
    get { words[slot] }
    set { words[slot] = newValue }
  }

  /// Adds a word that is not there. `hashOf` answers for the words that are, where the table has to grow.
  @inlinable public mutating func insert(_ word: Word, hash: UInt32, hashOf: (Word) -> UInt32) {
    if (count + 1) * 8 > tags.count * 7 { grow(hashOf) }
    place(word, hash)
  }

  /// Adds the number `count` to a table of the numbers below it. Where the table has to grow hashes are asked for in the order of numbers,
  /// which mostly is that of the things in memory.
  @inlinable public mutating func insertNext(hash: UInt32, hashOf: (Word) -> UInt32) {
    if (count + 1) * 8 > tags.count * 7 {
      var larger = Self(countMax: Self.countMax(after: count))
      for number in 0..<count {
        let word = Word(truncatingIfNeeded: number)
        larger.place(word, hashOf(word))
      }
      self = larger
    }
    place(Word(truncatingIfNeeded: count), hash)
  }

  /// Takes the word in a slot out: those behind it that had to pass it move up.
  @inlinable public mutating func remove(_ slot: Int, hashOf: (Word) -> UInt32) {
    var (free, next) = (slot, slot)
    while true {
      next = next + 1 == tags.count ? 0 : next + 1
      if tags[next] == 0 { break }
      let home = home(hashOf(words[next]))
      // It may move where its way from home to here goes by the free slot.
      let isPassing = free <= next ? home <= free || home > next : home <= free && home > next
      if isPassing {
        (tags[free], words[free]) = (tags[next], words[next])
        free = next
      }
    }
    tags[free] = 0
    filled -= 1
  }

  /// Hands out all words, in no order.
  @inlinable public func forEach(_ body: (Word) -> Void) {
    for slot in tags.indices where tags[slot] != 0 { body(words[slot]) }
  }

  @inlinable @inline(__always) static func tag(_ hash: UInt32) -> UInt8 {
    max(1, UInt8(truncatingIfNeeded: hash))
  }

  /// The upper bits decide, and the table need not be a power of two long.
  @inlinable @inline(__always) func home(_ hash: UInt32) -> Int {
    Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(tags.count)) >> 32)
  }

  @inlinable mutating func place(_ word: Word, _ hash: UInt32) {
    var slot = home(hash)
    while tags[slot] != 0 { slot = slot &+ 1 == tags.count ? 0 : slot &+ 1 }
    tags[slot] = Self.tag(hash)
    words[slot] = word
    filled += 1
  }

  @inlinable mutating func grow(_ hashOf: (Word) -> UInt32) {
    var larger = Self(countMax: Self.countMax(after: count))
    // Things lie all over the memory: the hashes of a stretch are asked for at once, so that no look at one waits for another.
    var stretch: [Word] = []
    var hashes: [UInt32] = []
    stretch.reserveCapacity(Self.stretchCount)
    hashes.reserveCapacity(Self.stretchCount)
    var slot = 0
    while slot < tags.count {
      while slot < tags.count, stretch.count < Self.stretchCount {
        if tags[slot] != 0 { stretch.append(words[slot]) }
        slot += 1
      }
      for word in stretch { hashes.append(hashOf(word)) }
      for index in stretch.indices { larger.place(stretch[index], hashes[index]) }
      stretch.removeAll(keepingCapacity: true)
      hashes.removeAll(keepingCapacity: true)
    }
    self = larger
  }

  @inlinable static var stretchCount: Int { 64 }

  /// By a quarter.
  @inlinable static func countMax(after count: Int) -> Int { count + count / 4 + 8 }
}

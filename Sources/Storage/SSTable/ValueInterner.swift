import CShims
import LineProtocol

/// The distinct values of one tag key in order of first appearance, in one arena, found by an open table.
struct ValueInterner {
  private static let keyed = KeyedHash()

  private(set) var bytes: [UInt8] = []
  private(set) var ends: [Int] = []
  /// The hash's upper half above the index plus one, 0 for empty: mostly a slot alone tells that it is not the one. A power of two, at
  /// most half full.
  private var slots = [UInt64](repeating: 0, count: 16)

  var count: Int { ends.count }

  func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  /// Whether a value is that of an index.
  @inline(__always) func isEqual(_ index: Int, _ value: UnsafeBufferPointer<UInt8>) -> Bool {
    let range = range(index)
    guard range.count == value.count else { return false }
    // Ends lie within the bytes, and ascend.
    return unsafe bytes.withUnsafeBufferPointer { all in
      guard let known = all.baseAddress, let wanted = value.baseAddress else { return true }
      return unsafe CShims_isEqual(known + range.lowerBound, wanted, value.count) != 0
    }
  }

  /// The index of a value; `isNew` says that it was not there.
  mutating func intern(_ value: UnsafeBufferPointer<UInt8>) -> (index: Int, isNew: Bool) {
    let hash = unsafe Self.keyed.hash(value) & ~Self.indexMask
    var slot = Self.home(hash, slots.count)
    while slots[slot] != 0 {
      let index = Int(slots[slot] & Self.indexMask) - 1
      if slots[slot] & ~Self.indexMask == hash, unsafe isEqual(index, value) { return (index, false) }
      slot = (slot + 1) & (slots.count - 1)
    }
    unsafe bytes.append(contentsOf: value)
    ends.append(bytes.count)
    slots[slot] = hash | UInt64(count)
    if count * 2 > slots.count { grow() }
    return (count - 1, true)
  }

  private static let indexMask: UInt64 = 0xffff_ffff

  private static func home(_ hash: UInt64, _ slotCount: Int) -> Int { Int(truncatingIfNeeded: hash >> 32) & (slotCount - 1) }

  private mutating func grow() {
    var larger = [UInt64](repeating: 0, count: slots.count * 2)
    for word in slots where word != 0 {
      var slot = Self.home(word, larger.count)
      while larger[slot] != 0 { slot = (slot + 1) & (larger.count - 1) }
      larger[slot] = word
    }
    slots = larger
  }

  /// The indexes sorted by the values' bytes.
  ///
  /// Values mostly differ within 8 bytes behind those that all have: these are compared as one number.
  func sortedIndexes() -> [Int] {
    let shared = sharedByteCount
    var order = (0..<count).map { index in
      let range = range(index)
      return (word: word(range.lowerBound + shared..<range.upperBound), index: index)
    }
    order.sort { a, b in
      a.word != b.word ? a.word < b.word : compareBytes(bytes, range(a.index), bytes, range(b.index)) < 0
    }
    return order.map(\.index)
  }

  /// Bytes that all values begin with.
  private var sharedByteCount: Int {
    guard count > 0 else { return 0 }
    var shared = range(0).count
    for index in 1..<count where shared > 0 {
      shared = Storage.sharedByteCount(bytes.span.extracting(0..<shared), bytes.span.extracting(range(index)))
    }
    return shared
  }

  /// The first 8 bytes as a number that orders as they do, the rest zeros: of equal ones the bytes decide.
  private func word(_ range: Range<Int>) -> UInt64 {
    var word: UInt64 = 0
    for offset in 0..<8 {
      word = word << 8 | (offset < range.count ? UInt64(bytes[range.lowerBound + offset]) : 0)
    }
    return word
  }
}

internal import CShims

/// An open-addressing index from hashes to numbers; who looks up compares the things numbered.
///
/// A slot is the hash's high 32 bits and number + 1; 0 is free. Linear probing, at most half full, nothing is removed
/// singly. The hash multiplies 16 bytes a step into 128 bits and folds them (as wyhash and the Go runtime do), under a key
/// that a sender cannot know.
struct HashIndex {
  private var slots = [UInt64](repeating: 0, count: 64)
  private var count = 0
  private let key: UInt64

  init(key: UInt64) { self.key = key }

  /// The hash of `bytes`.
  @inline(__always) func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    guard var position = bytes.baseAddress else { return key }
    var left = bytes.count
    var state = key ^ (UInt64(truncatingIfNeeded: left) &* Self.lengthFactor)
    // Each load reads within the bytes that are left.
    while left >= 16 {
      state = unsafe Self.fold(CShims_load8(position) ^ state, CShims_load8(position + 8) ^ Self.secret)
      unsafe position += 16
      left -= 16
    }
    var tail: (UInt64, UInt64) = (0, 0)
    if left >= 8 {
      tail.0 = unsafe CShims_load8(position)
      tail.1 = unsafe CShims_load8(position + left - 8)
    } else {
      for index in 0..<left { tail.0 = unsafe tail.0 << 8 | UInt64(position[index]) }
    }
    return Self.fold(Self.fold(tail.0 ^ state, tail.1 ^ Self.secret) ^ key, Self.lengthFactor)
  }

  /// Where the search for `hash` begins.
  @inline(__always) func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (slots.count - 1) }

  /// The next number whose hash has the same high bits; moves `slot` past it. `nil` when there is no more.
  @inline(__always) func next(_ hash: UInt64, _ slot: inout Int) -> UInt32? {
    while true {
      let word = slots[slot]
      if word == 0 { return nil }
      slot = (slot + 1) & (slots.count - 1)
      if word >> 32 == hash >> 32 { return UInt32(truncatingIfNeeded: word) &- 1 }
    }
  }

  /// Adds `number`: numbers come in order, from 0.
  mutating func insert(_ number: UInt32, hash: UInt64) {
    if (count + 1) * 2 > slots.count { grow() }
    place(number, hash)
    hashes.append(UInt32(truncatingIfNeeded: hash))
    count += 1
  }

  /// Bytes of memory taken.
  var memoryByteCount: Int { slots.count * 8 + hashes.count * 4 }

  /// Forgets all.
  mutating func removeAll() {
    slots = [UInt64](repeating: 0, count: 64)
    hashes = []
    count = 0
  }

  // Low halves by number (numbers come in order): what growing needs beside the slot's high half.
  private var hashes: [UInt32] = []

  private mutating func place(_ number: UInt32, _ hash: UInt64) {
    var slot = first(hash)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = (hash >> 32) << 32 | UInt64(number + 1)
  }

  private mutating func grow() {
    let old = slots
    slots = [UInt64](repeating: 0, count: old.count * 2)
    for word in old where word != 0 {
      let number = UInt32(truncatingIfNeeded: word) - 1
      place(number, (word >> 32) << 32 | UInt64(hashes[Int(number)]))
    }
  }

  private static let secret: UInt64 = 0xa076_1d64_78bd_642f
  private static let lengthFactor: UInt64 = 0xe703_7ed1_a0b4_28db

  @inline(__always) private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let (high, low) = a.multipliedFullWidth(by: b)
    return high ^ low
  }
}

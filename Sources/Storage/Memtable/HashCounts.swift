import LineProtocol

/// Counts how many hold each of many things, which it knows by 56 bits of a hash: 10 to 13 bytes a thing.
///
/// Of a million things two share a count by a chance of 1 in 100,000, and are then counted as one.
struct HashCounts {
  /// Of each thing the upper 56 bits of its hash, and how many hold it beside those that `large` counts: 1 to `smallCountMax`.
  private var table = TaggedTable<UInt64>()
  /// By the upper bits, `carry` at a time, so that it is seldom asked for what thousands of series share.
  private var large: [UInt64: Int] = [:]
  private static let smallCountMax: UInt64 = 255
  private static let carry: UInt64 = 128

  /// Whether anything holds a thing.
  func contains(_ hash: UInt64) -> Bool { slot(of: hash) != nil }

  /// One more holds it; answers whether it is the first.
  mutating func add(_ hash: UInt64) -> Bool {
    guard let slot = slot(of: hash) else {
      table.insert(hash & ~0xff | 1, hash: Self.place(hash), hashOf: Self.place)
      return true
    }
    if table[slot] & 0xff == Self.smallCountMax {
      large[hash >> 8, default: 0] += Int(Self.carry)
      table[slot] -= Self.carry
    }
    table[slot] += 1
    return false
  }

  /// One less holds it, of at least one; answers whether it was the last.
  mutating func remove(_ hash: UInt64) -> Bool {
    guard let slot = slot(of: hash) else { return false }
    if table[slot] & 0xff > 1 {
      table[slot] -= 1
      return false
    }
    guard let more = large[hash >> 8] else {
      table.remove(slot, hashOf: Self.place)
      return true
    }
    large[hash >> 8] = more == Int(Self.carry) ? nil : more - Int(Self.carry)
    table[slot] += Self.carry - 1
    return false
  }

  private func slot(of hash: UInt64) -> Int? { table.find(Self.place(hash)) { $0 >> 8 == hash >> 8 } }

  private static func place(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }

  /// Bytes of memory taken by the things, without those that very many hold.
  var byteCount: Int { table.byteCount }
}

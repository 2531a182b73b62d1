import LineProtocol

/// Counts how many hold each of many things, which it knows by 56 bits of a hash: 10 to 13 bytes a thing.
///
/// Of a million things two share a count by a chance of 1 in 100,000, and are then counted as one.
struct HashCounts {
  /// Of each thing the upper 56 bits of its hash, and how many hold it; at most `largeCount`, which stands for what `large` says.
  private var table = TaggedTable<UInt64>()
  /// By the upper bits.
  private var large: [UInt64: Int] = [:]
  private static let largeCount: UInt64 = 255

  /// Whether anything holds a thing.
  func contains(_ hash: UInt64) -> Bool { slot(of: hash) != nil }

  /// One more holds it; answers how many do.
  mutating func add(_ hash: UInt64) -> Int {
    guard let slot = slot(of: hash) else {
      table.insert(hash & ~0xff | 1, hash: Self.place(hash), hashOf: Self.place)
      return 1
    }
    let count = table[slot] & 0xff
    if count == Self.largeCount {
      let more = (large[hash >> 8] ?? Int(count)) + 1
      large[hash >> 8] = more
      return more
    }
    table[slot] += 1
    return Int(count) + 1
  }

  /// One less holds it, of at least one; answers how many do.
  mutating func remove(_ hash: UInt64) -> Int {
    guard let slot = slot(of: hash) else { return 0 }
    let count = table[slot] & 0xff
    if count == Self.largeCount, let most = large[hash >> 8] {
      large[hash >> 8] = most - 1 == Int(count) ? nil : most - 1
      return most - 1
    }
    if count == 1 { table.remove(slot, hashOf: Self.place) } else { table[slot] -= 1 }
    return Int(count) - 1
  }

  private func slot(of hash: UInt64) -> Int? { table.find(Self.place(hash)) { $0 >> 8 == hash >> 8 } }

  private static func place(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word >> 32) }

  /// Bytes of memory taken by the things, without those that very many hold.
  var byteCount: Int { table.byteCount }
}

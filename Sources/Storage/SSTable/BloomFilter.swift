/// The Bloom filter of a table: 10 bits a key in blocks of 64 bytes, 7 bits of one block for a key.
///
/// Answers "not here" for sure and "here" wrongly for about one absent key in a hundred. The scheme is that of Putze,
/// Sanders and Singler, "Cache-, hash- and space-efficient Bloom filters" (2007); the probes come from one 32-bit
/// number by multiplication with 2³²/φ.
enum BloomFilter {
  static let bitsPerKey = 10
  static let blockByteCount = 64
  static let probeCount = 7

  /// What kind of key is hashed: the seed.
  enum Kind: UInt64 {
    /// The flat form of a `SeriesKey`.
    case series = 1
    /// Varint length and bytes of measurement, tag key and tag value.
    case tag = 2
  }

  /// The number of 64-byte blocks for so many keys; at least one.
  static func blockCount(keyCount: Int) -> Int { max(1, (keyCount * bitsPerKey + 511) / 512) }

  /// The hash that places a key.
  static func hash(_ bytes: some Collection<UInt8>, _ kind: Kind) -> UInt64 {
    bytes.withContiguousStorageIfAvailable {
      unsafe hashBytes(UnsafeRawBufferPointer($0), seed: kind.rawValue)
    }
      ?? hash(Array(bytes), kind)
  }

  /// The hash that places a key, a range of bytes.
  static func hash(_ bytes: [UInt8], _ range: Range<Int>, _ kind: Kind) -> UInt64 {
    precondition(range.upperBound <= bytes.count, "key to \(range.upperBound) of \(bytes.count) bytes")
    return unsafe bytes.withUnsafeBytes {
      unsafe hashBytes(UnsafeRawBufferPointer(rebasing: $0[range]), seed: kind.rawValue)
    }
  }

  /// The block of a key in a filter of `blockCount`: the high half of the hash scaled.
  static func block(of hash: UInt64, blockCount: Int) -> Int {
    Int(((hash >> 32) &* UInt64(blockCount)) >> 32)
  }

  /// Calls `body` with the bit, 0 to 511, of each probe.
  @inline(__always)
  static func probes(of hash: UInt64, _ body: (Int) -> Void) {
    var rest = UInt32(truncatingIfNeeded: hash)
    for _ in 0..<probeCount {
      body(Int(rest >> 23))
      rest = rest &* 0x9e37_79b9
    }
  }

  /// The filter's bytes for all keys' hashes.
  static func make(_ hashes: [UInt64]) -> [UInt8] {
    let blockCount = blockCount(keyCount: hashes.count)
    var bytes = [UInt8](repeating: 0, count: blockCount * blockByteCount)
    for hash in hashes {
      let base = block(of: hash, blockCount: blockCount) * blockByteCount
      probes(of: hash) { bytes[base + $0 >> 3] |= 1 << UInt8($0 & 7) }
    }
    return bytes
  }

  /// Whether the key of `hash` may be in: `bytes` holds its 64-byte block at `base`.
  static func mayContain(_ hash: UInt64, in bytes: [UInt8], at base: Int) -> Bool {
    var isSet = true
    probes(of: hash) { isSet = isSet && bytes[base + $0 >> 3] & (1 << UInt8($0 & 7)) != 0 }
    return isSet
  }
}

/// 64 bits of some bytes, stable for ever: 8 bytes a step, little-endian, the rest padded with zeros, the length mixed
/// in, finished as MurmurHash3 does (fmix64).
func hashBytes(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
  var state = seed &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(bytes.count)
  var offset = 0
  // Each load ends at or before `count`.
  while offset &+ 8 <= bytes.count {
    let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    state = mix(state ^ word)
    offset &+= 8
  }
  var (last, shift) = (UInt64(0), UInt64(0))
  while offset < bytes.count {
    last |= unsafe UInt64(bytes[offset]) << shift
    shift &+= 8
    offset &+= 1
  }
  state = mix(state ^ last)
  state ^= state >> 33
  state = state &* 0xff51_afd7_ed55_8ccd
  state ^= state >> 33
  state = state &* 0xc4ce_b9fe_1a85_ec53
  return state ^ state >> 33
}

@inline(__always)
private func mix(_ word: UInt64) -> UInt64 {
  let product = word &* 0x9fb2_1c65_1e98_df25
  return product ^ product >> 29
}

/// Packs words of at most `width` bits, and unpacks them. Widths are 0…64; packing cuts what is wider.
///
/// A full group lies *vertically* in eight lanes: lane `l` holds rows `128 l ..< 128 (l + 1)`, each lane is a
/// stream of bits in `2 × width` 64-bit little-endian words, low bits first, and the streams' words are
/// interleaved, so that one vector instruction serves eight lanes and prefix sums need no shuffles. A shorter
/// group is one stream of bits, low bits first, in whole bytes. After the vertical layouts of Lemire and
/// Boytsov, "Decoding billions of integers per second through vectorization", 2012.
enum BitPacking {
  /// Lanes of a full group, and rows of a lane.
  static let laneCount = 8
  static let laneRowCount = groupRowCount / laneCount

  /// Bytes of `count` packed words.
  static func byteCount(_ count: Int, width: Int) -> Int { (count * width + 7) / 8 }

  /// The low `width` bits.
  @inline(__always)
  static func mask(_ width: Int) -> UInt64 { width == 64 ? .max : (1 &<< UInt64(width)) &- 1 }

  /// Packs 1,024 words, given by row, into `128 × width` bytes at `bytes`.
  static func packGroup(_ words: UnsafePointer<UInt64>, width: Int, into bytes: UnsafeMutableRawPointer) {
    guard width > 0 else { return }
    typealias Lanes = SIMD8<UInt64>
    let mask = Lanes(repeating: mask(width))
    let width = UInt64(width)
    var target = unsafe bytes
    var pending = Lanes.zero
    var shift: UInt64 = 0
    for row in 0..<laneRowCount {
      // Rows row, 128 + row … 896 + row: all below 1,024.
      let at = unsafe words + row
      let lanes = unsafe Lanes(at[0], at[128], at[256], at[384], at[512], at[640], at[768], at[896]) & mask
      pending |= lanes &<< Lanes(repeating: shift)
      shift &+= width
      if shift >= 64 {
        // 128 × width bits fill 2 × width words a lane exactly, so this store happens 2 × width times.
        unsafe target.storeBytes(of: pending, as: Lanes.self)
        unsafe target += 64
        shift &-= 64
        pending = shift == 0 ? .zero : lanes &>> Lanes(repeating: width &- shift)
      }
    }
  }

  /// Unpacks `128 × width` bytes into 1,024 words that lie row of lanes by row of lanes: word `8 j + l` is
  /// row `128 l + j`.
  ///
  /// Where `isSummed`, a word is the sum of its lane's words up to it. Returns the last row then.
  @inline(__always)
  static func unpackGroup(
    _ bytes: UnsafeRawPointer, width: Int, isSummed: Bool, into words: UnsafeMutablePointer<UInt64>
  ) -> SIMD8<UInt64> {
    typealias Lanes = SIMD8<UInt64>
    let target = UnsafeMutableRawPointer(words)
    guard width > 0 else {
      unsafe words.update(repeating: 0, count: groupRowCount)
      return .zero
    }
    let mask = Lanes(repeating: mask(width))
    let width = UInt64(width)
    var source = unsafe bytes
    var current = unsafe source.loadUnaligned(as: Lanes.self)
    var shift: UInt64 = 0
    var sums = Lanes.zero
    var row = 0
    while row < laneRowCount {
      var lanes = current &>> Lanes(repeating: shift)
      shift &+= width
      if shift >= 64 {
        shift &-= 64
        // The last row ends with its word, so no load goes past the last of 2 × width words.
        if row < laneRowCount &- 1 {
          unsafe source += 64
          current = unsafe source.loadUnaligned(as: Lanes.self)
        }
        if shift > 0 { lanes |= current &<< Lanes(repeating: width &- shift) }
      }
      lanes &= mask
      if isSummed {
        sums &+= lanes
        lanes = sums
      }
      unsafe target.storeBytes(of: lanes, toByteOffset: row &* 64, as: Lanes.self)
      row &+= 1
    }
    return sums
  }

  /// Packs `count` words as one stream of bits into `byteCount(count, width:)` bytes at `bytes`.
  static func packStream(
    _ words: UnsafePointer<UInt64>, count: Int, width: Int, into bytes: UnsafeMutableRawPointer
  ) {
    guard width > 0 else { return }
    let mask = mask(width)
    let width = UInt64(width)
    var target = unsafe bytes
    var pending: UInt64 = 0
    var shift: UInt64 = 0
    for index in 0..<count {
      let word = unsafe words[index] & mask
      pending |= word &<< shift
      shift &+= width
      if shift >= 64 {
        unsafe target.storeBytes(of: pending.littleEndian, as: UInt64.self)
        unsafe target += 8
        shift &-= 64
        pending = shift == 0 ? 0 : word &>> (width &- shift)
      }
    }
    // What is left is below 8 bytes: only those that hold bits are written.
    while shift > 0 {
      unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: pending), as: UInt8.self)
      unsafe target += 1
      pending &>>= 8
      shift = shift > 8 ? shift &- 8 : 0
    }
  }

  /// Unpacks `count` words from `byteCount(count, width:)` bytes at `bytes`.
  static func unpackStream(
    _ bytes: UnsafeRawPointer, count: Int, width: Int, into words: UnsafeMutablePointer<UInt64>
  ) {
    guard width > 0 else {
      unsafe words.update(repeating: 0, count: count)
      return
    }
    let mask = mask(width)
    let end = byteCount(count, width: width)
    for index in 0..<count {
      let bit = index &* width
      let at = bit &>> 3
      let shift = UInt64(bit & 7)
      if at &+ 9 <= end {
        // Nine bytes are there: eight, and the one that a word of more than 57 bits can reach into.
        let low = UInt64(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        let high = UInt64(unsafe bytes.load(fromByteOffset: at &+ 8, as: UInt8.self))
        unsafe words[index] = ((low &>> shift) | (shift == 0 ? 0 : high &<< (64 &- shift))) & mask
      } else {
        var word: UInt64 = 0
        var read: UInt64 = 0
        var next = at
        while next < end, read < 64 &+ shift {
          let byte = UInt64(unsafe bytes.load(fromByteOffset: next, as: UInt8.self))
          word |= read < shift ? byte &>> shift : byte &<< (read &- shift)
          read &+= 8
          next &+= 1
        }
        unsafe words[index] = word & mask
      }
    }
  }
}

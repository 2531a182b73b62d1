/// Bits of presence, 64 rows a word, up to 64 rows at a time at any row.
package enum Validity {
  /// The low `count` bits, 0 to 64.
  @inline(__always)
  static func mask(_ count: Int) -> UInt64 { count >= 64 ? .max : (1 << UInt64(count)) &- 1 }

  /// The bits of rows `row ..< row + count`, `count` at most 64; all set where `words` is empty.
  @inline(__always)
  static func bits(_ words: [UInt64], at row: Int, count: Int) -> UInt64 {
    if words.isEmpty { return mask(count) }
    let (word, shift) = (row >> 6, UInt64(row & 63))
    var bits = words[word] >> shift
    if shift != 0, word + 1 < words.count { bits |= words[word + 1] << (64 &- shift) }
    return bits & mask(count)
  }

  /// The rows whose bits are set, ascending.
  package static func rows(_ words: [UInt64]) -> [Int] {
    var rows: [Int] = []
    for (index, bits) in words.enumerated() {
      var rest = bits
      while rest != 0 {
        rows.append(index * 64 + rest.trailingZeroBitCount)
        rest &= rest &- 1
      }
    }
    return rows
  }
}

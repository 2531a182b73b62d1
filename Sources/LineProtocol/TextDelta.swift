internal import CShims

/// A text told by how it differs from another, its *base*: series of one measurement mostly differ in a few tag values.
///
/// Form: steps of three counts, a byte each, and bytes. So many bytes of the base come next, so many of it are passed over, so many
/// come from here. The steps end where the text does, whose length is not written: who keeps the delta knows it.
package enum TextDelta {
  private static let stepByteCount = 3
  private static let countMax = 255
  /// How far behind a difference the place is looked for where text and base go on alike, how much longer one of them may have
  /// become by then, and the bytes that must be equal there.
  private static let gapMax = 24
  private static let shiftMax = 8
  private static let agreementByteCount = 4

  /// Writes the delta of a text to `out`, which has room for half of the text, and answers how long it is; `nil` where it would be longer.
  ///
  /// Costs one pass over the text, and a search of some hundred steps at most at each difference.
  package static func make(
    _ text: UnsafeBufferPointer<UInt8>, base: UnsafeBufferPointer<UInt8>, in out: UnsafeMutablePointer<UInt8>
  ) -> Int? {
    let byteCountMax = text.count / 2
    var (i, j, count) = (0, 0, 0)
    while i < text.count {
      let same = unsafe commonByteCount(text, i, base, j)
      i += same
      j += same
      let gap = unsafe same == countMax || i == text.count ? (text: 0, base: 0) : gap(text, i, base, j)
      if count + stepByteCount + gap.text > byteCountMax { return nil }
      unsafe (out[count], out[count + 1], out[count + 2]) = (UInt8(same), UInt8(gap.base), UInt8(gap.text))
      count += stepByteCount
      if gap.text > 0, let own = text.baseAddress { unsafe CShims_copyShort(out + count, own + i, gap.text) }
      count += gap.text
      i += gap.text
      j += gap.base
    }
    return count
  }

  /// Whether the text of a delta, `text.count` bytes of it, is `text`.
  @inline(__always) package static func isEqual(
    _ text: UnsafeBufferPointer<UInt8>, base: UnsafePointer<UInt8>, delta: UnsafePointer<UInt8>
  ) -> Bool {
    guard var position = text.baseAddress else { return true }
    let end = unsafe position + text.count
    var (base, delta) = unsafe (base, delta)
    while unsafe position < end {
      let (same, skipped, own) = unsafe (Int(delta[0]), Int(delta[1]), Int(delta[2]))
      // Steps end where the text of the delta does, which is as long as this one.
      if unsafe CShims_isEqual(position, base, same) == 0 { return false }
      unsafe position += same
      unsafe delta += stepByteCount
      if unsafe CShims_isEqual(position, delta, own) == 0 { return false }
      unsafe position += own
      unsafe delta += own
      unsafe base += same + skipped
    }
    return true
  }

  /// Writes the text of a delta, `text.count` bytes of it.
  package static func write(
    _ text: UnsafeMutableBufferPointer<UInt8>, base: UnsafePointer<UInt8>, delta: UnsafePointer<UInt8>
  ) {
    guard var position = text.baseAddress else { return }
    let end = unsafe position + text.count
    var (base, delta) = unsafe (base, delta)
    while unsafe position < end {
      let (same, skipped, own) = unsafe (Int(delta[0]), Int(delta[1]), Int(delta[2]))
      unsafe CShims_copyShort(position, base, same)
      unsafe position += same
      unsafe delta += stepByteCount
      unsafe CShims_copyShort(position, delta, own)
      unsafe position += own
      unsafe delta += own
      unsafe base += same + skipped
    }
  }

  // MARK: Finding differences

  /// Bytes from `i` and `j` on that are alike, as many as a step may count.
  private static func commonByteCount(
    _ text: UnsafeBufferPointer<UInt8>, _ i: Int, _ base: UnsafeBufferPointer<UInt8>, _ j: Int
  ) -> Int {
    let count = min(text.count - i, base.count - j, countMax)
    guard count > 0, let x = text.baseAddress, let y = base.baseAddress else { return 0 }
    // Within both: `count` is at most what is left of each.
    return unsafe CShims_commonPrefix(x + i, y + j, count)
  }

  /// How many bytes of text and base lie before the next place where they go on alike: the nearest one of those where neither has
  /// become longer, else one where it is by as little as can be.
  private static func gap(
    _ text: UnsafeBufferPointer<UInt8>, _ i: Int, _ base: UnsafeBufferPointer<UInt8>, _ j: Int
  ) -> (text: Int, base: Int) {
    guard let x = unsafe text.baseAddress.map({ unsafe $0 + i }), let y = unsafe base.baseAddress.map({ unsafe $0 + j }) else {
      return (min(gapMax, text.count - i), 0)
    }
    // Places from which as many bytes as must be equal can be read.
    let (ends, baseEnds) = (text.count - i - agreementByteCount, base.count - j - agreementByteCount)
    if let near = unsafe agreement(x, y, from: 1, through: min(gapMax, ends, baseEnds)) { return (near, near) }
    if let gap = unsafe valueGap(x, y, ends, baseEnds) { return gap }
    for shift in 1...shiftMax {
      if let near = unsafe agreement(x, y + shift, from: 0, through: min(gapMax, ends, baseEnds - shift)) {
        return (near, near + shift)
      }
      if let near = unsafe agreement(x + shift, y, from: 0, through: min(gapMax, ends - shift, baseEnds)) {
        return (near + shift, near)
      }
    }
    return (min(gapMax, text.count - i), min(gapMax, base.count - j))
  }

  /// The gap to the ends of two tag values, where what lies behind them is alike: a guess that is mostly right and costs less than a search.
  ///
  /// - Parameters: the last places from which as many bytes as must be equal can be read.
  @inline(__always) private static func valueGap(
    _ x: UnsafePointer<UInt8>, _ y: UnsafePointer<UInt8>, _ end: Int, _ baseEnd: Int
  ) -> (text: Int, base: Int)? {
    guard end >= 0, baseEnd >= 0 else { return nil }
    var (near, baseNear) = unsafe (Int(x[0]) + 1, Int(y[0]) + 1)
    if near > gapMax || baseNear > gapMax {
      // No lengths of values, as flat keys have them, but spelled ones, which end before a comma.
      unsafe near = CShims_findByte(x, x + min(gapMax, end), UInt8(ascii: ",")) - x
      unsafe baseNear = CShims_findByte(y, y + min(gapMax, baseEnd), UInt8(ascii: ",")) - y
    }
    guard near <= end, baseNear <= baseEnd else { return nil }
    return unsafe agreement(x + near, y + baseNear, from: 0, through: 0) == nil ? nil : (near, baseNear)
  }

  /// The first place at which both are alike; the caller has seen to it that through `last`, at most `gapMax`, all can be read.
  @inline(__always) private static func agreement(
    _ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, from first: Int, through last: Int
  ) -> Int? {
    let near = unsafe CShims_firstFourEqual(a, b, first, last)
    return near <= last ? near : nil
  }
}

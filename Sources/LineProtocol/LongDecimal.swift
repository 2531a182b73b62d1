/// Rounds decimals of any length by long division over whole numbers: slow (tens of microseconds), needed only where 19 digits
/// do not tell to which side a number rounds.
enum LongDecimal {
  /// Digits that are looked at; more can only say "a little above" (768 decide every case: Lemire 2021, section 11).
  private static let digitCountMax = 800

  /// The double nearest to the number's magnitude. `decimal` is what `text` was read as.
  static func value(_ text: UnsafeBufferPointer<UInt8>, _ decimal: Decimal) -> Double {
    var (numerator, digitCount, isSticky) = (Natural(0), 0, false)
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte | 0x20 == UInt8(ascii: "e") { break }
      let digit = byte &- UInt8(ascii: "0")
      if digit > 9 || (digitCount == 0 && digit == 0) { continue }
      if digitCount < digitCountMax {
        numerator.multiply(by: 10, adding: UInt32(digit))
      } else if digit != 0 {
        isSticky = true
      }
      digitCount += 1
    }
    // All digits × 10^(exponent − dropped); those past the maximum count as zeros.
    let scale = decimal.exponent - decimal.droppedCount + max(digitCount - digitCountMax, 0)
    precondition(abs(scale) < 2_000, "called for a number of magnitude 10^\(scale + digitCount)")
    return quotient(numerator, scale, isSticky)
  }

  /// `numerator` × 10^`scale`, and a little more if `isSticky`, rounded.
  private static func quotient(_ numerator: Natural, _ scale: Int, _ isSticky: Bool) -> Double {
    var (above, below) = (numerator, Natural(1))
    for _ in 0..<abs(scale) {
      if scale > 0 { above.multiply(by: 10, adding: 0) } else { below.multiply(by: 10, adding: 0) }
    }
    // Shifted so that the quotient has 64 or 65 bits.
    let shift = 64 - above.bitCount + below.bitCount
    if shift > 0 { above.shiftLeft(shift) } else { below.shiftLeft(-shift) }
    below.shiftLeft(65)
    var quotient: UInt128 = 0
    for _ in 0...65 {
      quotient <<= 1
      if !(above < below) {
        above.subtract(below)
        quotient |= 1
      }
      above.shiftLeft(1)
    }
    return round(quotient, power: -shift, isSticky: isSticky || !above.isZero)
  }

  /// `bits` × 2^`power`, and a little more if `isSticky`, to the nearest double, ties to even.
  private static func round(_ bits: UInt128, power: Int, isSticky: Bool) -> Double {
    let width = 128 - bits.leadingZeroBitCount
    // The unit of the last place kept, not below that of the smallest subnormal.
    let drop = max(width - 53, -1_074 - power)
    if drop > 127 { return 0 }
    var kept = bits >> UInt128(drop)
    let rest = bits & ((1 << UInt128(drop)) - 1)
    let half: UInt128 = 1 << UInt128(drop - 1)
    if rest > half || (rest == half && (isSticky || kept & 1 == 1)) { kept += 1 }
    return scalbn(Double(UInt64(kept)), power + drop)
  }

  /// Exact here: `kept` has at most 53 bits and its unit is representable, or the result is infinite.
  private static func scalbn(_ value: Double, _ power: Int) -> Double {
    Double(sign: .plus, exponent: power, significand: value)
  }
}

/// A whole number of any size: limbs of 32 bits, least significant first, none needless.
private struct Natural {
  private var limbs: [UInt32]

  init(_ value: UInt32) { limbs = value == 0 ? [] : [value] }

  var isZero: Bool { limbs.isEmpty }

  var bitCount: Int { limbs.last.map { limbs.count * 32 - $0.leadingZeroBitCount } ?? 0 }

  mutating func multiply(by factor: UInt32, adding addend: UInt32) {
    var carry = UInt64(addend)
    for index in limbs.indices {
      let product = UInt64(limbs[index]) * UInt64(factor) + carry
      limbs[index] = UInt32(truncatingIfNeeded: product)
      carry = product >> 32
    }
    if carry != 0 { limbs.append(UInt32(carry)) }
  }

  mutating func shiftLeft(_ count: Int) {
    if count == 0 || isZero { return }
    let (whole, part) = (count / 32, UInt32(count % 32))
    if part != 0 {
      var carry: UInt32 = 0
      for index in limbs.indices {
        let limb = limbs[index]
        limbs[index] = limb << part | carry
        carry = limb >> (32 - part)
      }
      if carry != 0 { limbs.append(carry) }
    }
    if whole > 0 { limbs.insert(contentsOf: repeatElement(0, count: whole), at: 0) }
  }

  /// `other` must not be greater.
  mutating func subtract(_ other: Natural) {
    var borrow: Int64 = 0
    for index in limbs.indices {
      let difference =
        Int64(limbs[index]) - (index < other.limbs.count ? Int64(other.limbs[index]) : 0) + borrow
      limbs[index] = UInt32(truncatingIfNeeded: difference)
      borrow = difference >> 32
    }
    while limbs.last == 0 { limbs.removeLast() }
  }

  static func < (a: Natural, b: Natural) -> Bool {
    if a.limbs.count != b.limbs.count { return a.limbs.count < b.limbs.count }
    for (x, y) in zip(a.limbs.reversed(), b.limbs.reversed()) where x != y { return x < y }
    return false
  }
}

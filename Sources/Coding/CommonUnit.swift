/// A divisor of all differences from a first value, prepared so that dividing by it is a multiplication.
///
/// Exact division by an odd number is multiplication by its inverse modulo 2⁶⁴; powers of two are shifted out
/// first. A difference that the unit does not divide gives a quotient out of range, or has bits below the
/// shift. (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994, section 9.)
struct CommonUnit {
  let unit: UInt64
  private let shift: UInt64
  private let inverse: UInt64
  private let quotientMax: UInt64

  /// Precondition: `unit` is 1…2⁶³ − 1.
  init(_ unit: UInt64) {
    self.unit = unit
    shift = UInt64(unit.trailingZeroBitCount)
    let odd = unit >> shift
    // Newton's iteration doubles the right bits: 3, 6, 12, 24, 48, 96.
    var inverse = odd
    for _ in 0..<5 { inverse &*= 2 &- odd &* inverse }
    self.inverse = inverse
    quotientMax = UInt64(Int64.max) / unit
  }

  /// The unit of `words`: the greatest number that divides all differences from the first, taken as signed.
  init(of words: UnsafeBufferPointer<UInt64>) {
    var found: UInt64 = 0
    var common = CommonUnit(1)
    let first = unsafe words.first ?? 0
    for index in words.indices {
      let word = unsafe words[index]
      if found == 1 { break }
      let difference = word &- first
      if difference == 0 || (found > 1 && common.quotient(difference) != nil) { continue }
      // A difference of −2⁶³ has no magnitude as a signed number: no unit then.
      let magnitude = Int64(bitPattern: difference).magnitude
      found = magnitude > UInt64(Int64.max) ? 1 : Self.greatestCommonDivisor(found, magnitude)
      common = CommonUnit(found)
    }
    self = common
  }

  /// `difference / unit` for a signed difference; nil where there is a remainder.
  @inline(__always)
  func quotient(_ difference: UInt64) -> UInt64? {
    let shifted = UInt64(bitPattern: Int64(bitPattern: difference) &>> Int64(shift))
    let quotient = shifted &* inverse
    return shifted &<< shift == difference && quotient &+ quotientMax <= 2 &* quotientMax ? quotient : nil
  }

  /// Writes the quotients of `count` words' differences from `origin`; false where one has a remainder.
  func divide(
    _ words: UnsafePointer<UInt64>, count: Int, origin: UInt64, into values: UnsafeMutablePointer<UInt64>
  ) -> Bool {
    let limit = 2 &* quotientMax
    let below = (1 &<< shift) &- 1
    var row = 0
    while row < count {
      let difference = unsafe words[row] &- origin
      let quotient = UInt64(bitPattern: Int64(bitPattern: difference) &>> Int64(shift)) &* inverse
      unsafe values[row] = quotient
      // Leaving at once also keeps the loop from being vectorised: without 64-bit vector multiplication that
      // costs twice as much.
      if difference & below != 0 || quotient &+ quotientMax > limit { return false }
      row &+= 1
    }
    return true
  }

  private static func greatestCommonDivisor(_ a: UInt64, _ b: UInt64) -> UInt64 {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }
}

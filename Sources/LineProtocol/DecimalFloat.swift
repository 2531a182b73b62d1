internal import CShims

/// Decimal text to the nearest binary64, ties to even: exact for every input, without the C library.
///
/// Clinger's fast path (both factors exact: one multiplication or division), else Eisel-Lemire with a 128-bit power of five,
/// which is exact for up to 19 digits (Mushtak, Lemire: "Fast Number Parsing Without Fallback", 2023); longer numbers are
/// bracketed by their first 19 digits, and only where the bracket straddles a rounding point is it settled by long division.
@safe struct DecimalFloat: @unchecked Sendable {  // what it points to never changes
  /// The one value; keep it, since an access to a global costs a check each time.
  static let shared = DecimalFloat()

  // Tables of 10 KB in all, written once, never freed.
  private let powersOfFive: UnsafeMutablePointer<UInt64>
  private let powersOfTen: UnsafeMutablePointer<Double>

  private init() {
    let words = PowersOfFive.words
    unsafe powersOfFive = .allocate(capacity: words.count)
    for (index, word) in words.enumerated() { unsafe powersOfFive[index] = word }
    unsafe powersOfTen = .allocate(capacity: 23)
    var power = 1.0
    for index in 0..<23 {
      unsafe powersOfTen[index] = power
      power *= 10
    }
  }

  /// The double nearest to `digits` × 10^`exponent`; infinite when out of range.
  @inline(__always) func value(_ digits: UInt64, exponent: Int) -> Double {
    if digits <= 1 << 53 {
      // Tables hold 10⁰ to 10²².
      if exponent <= 0 && exponent >= -22 { return unsafe Double(digits) / powersOfTen[-exponent] }
      if exponent > 0 && exponent <= 22 { return unsafe Double(digits) * powersOfTen[exponent] }
    }
    return eiselLemire(digits, exponent)
  }

  /// Eisel-Lemire, section 5 of the paper; `digits` may be any number.
  @inline(never) func eiselLemire(_ digits: UInt64, _ exponent: Int) -> Double {
    if digits == 0 || exponent < PowersOfFive.exponentMin { return 0 }
    if exponent > PowersOfFive.exponentMax { return .infinity }
    let shift = digits.leadingZeroBitCount
    let scaled = digits << UInt64(shift)
    let index = 2 * (exponent - PowersOfFive.exponentMin)
    // The exponent is within the table.
    var product = unsafe scaled.multipliedFullWidth(by: powersOfFive[index])
    if product.high & 0x1ff == 0x1ff {
      let second = unsafe scaled.multipliedFullWidth(by: powersOfFive[index + 1])
      let (low, carry) = product.low.addingReportingOverflow(second.high)
      product = (product.high &+ (carry ? 1 : 0), low)
    }
    let upper = Int(product.high >> 63)
    var mantissa = product.high >> UInt64(upper + 64 - 52 - 3)
    // floor(exponent × log₂ 10) + 63, by the paper's fixed-point constant.
    var power = ((217_706 * exponent) >> 16) + 63 + upper - shift + 1_023
    if power <= 0 {
      if 1 - power >= 64 { return 0 }
      mantissa >>= UInt64(1 - power)
      mantissa = (mantissa + (mantissa & 1)) >> 1
      return Double(bitPattern: mantissa)  // a carry into bit 52 makes the smallest normal number
    }
    if product.low <= 1 && exponent >= -4 && exponent <= 23 && mantissa & 3 == 1
      && mantissa << UInt64(upper + 64 - 52 - 3) == product.high
    {
      mantissa &= ~1  // exactly between two: to even
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1
    if mantissa >= 2 << 52 {
      mantissa = 1 << 52
      power += 1
    }
    if power >= 2_047 { return .infinity }
    return Double(bitPattern: mantissa & ~(1 << 52) | UInt64(power) << 52)
  }

  /// The value of all the text, `[-] digits [. digits] [e [+-] digits]` with a digit before or after the point;
  /// `nil` if it is anything else. Out of range: infinite.
  func parse(_ text: UnsafeBufferPointer<UInt8>) -> Double? {
    guard let decimal = unsafe Decimal(text) else { return nil }
    if decimal.exponent > 400 && decimal.digits != 0 { return decimal.isNegative ? -.infinity : .infinity }
    let exponent = max(decimal.exponent, -100_000)
    var magnitude = value(decimal.digits, exponent: exponent)
    if decimal.droppedCount > 0 && magnitude != value(decimal.digits + 1, exponent: exponent) {
      magnitude = unsafe LongDecimal.value(text, decimal)
    }
    return decimal.isNegative ? -magnitude : magnitude
  }
}

/// The parts of a decimal number: ± (`digits` and what was dropped) × 10^`exponent`.
struct Decimal {
  private(set) var isNegative = false
  /// The first 19 significant digits.
  private(set) var digits: UInt64 = 0
  private(set) var exponent = 0
  /// Significant digits after those.
  private(set) var droppedCount = 0

  init?(_ text: UnsafeBufferPointer<UInt8>) {
    var (position, keptCount, digitCount, isFraction) = (0, 0, 0, false)
    // Each index is compared with `count` before it is read.
    if unsafe position < text.count && text[position] == UInt8(ascii: "-") {
      isNegative = true
      position += 1
    }
    while position < text.count {
      let byte = unsafe text[position]
      let digit = byte &- UInt8(ascii: "0")
      if digit <= 9 {
        digitCount += 1
        if keptCount < 19 {
          digits = digits * 10 + UInt64(digit)
          if digits != 0 { keptCount += 1 }
          if isFraction { exponent -= 1 }
        } else {
          droppedCount += 1
          if !isFraction { exponent += 1 }
        }
      } else if byte == UInt8(ascii: ".") && !isFraction {
        isFraction = true
      } else {
        break
      }
      position += 1
    }
    if digitCount == 0 { return nil }
    if position < text.count {
      guard unsafe text[position] | 0x20 == UInt8(ascii: "e"),
        let power = unsafe Self.power(text, position + 1)
      else { return nil }
      exponent += power
    }
  }

  /// The exponent from `start` to the end; kept within ±10⁹.
  private static func power(_ text: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    var (position, value) = (start, 0)
    let isNegative = unsafe start < text.count && text[start] == UInt8(ascii: "-")
    if unsafe isNegative || (start < text.count && text[start] == UInt8(ascii: "+")) { position += 1 }
    if position >= text.count { return nil }
    while position < text.count {
      let digit = unsafe text[position] &- UInt8(ascii: "0")
      if digit > 9 { return nil }
      value = min(value * 10 + Int(digit), 1_000_000_000)
      position += 1
    }
    return isNegative ? -value : value
  }
}

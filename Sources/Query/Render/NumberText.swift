/// A finite number as decimal digits: `significand * 10^exponent`, as short as reads back exactly.
package struct DecimalDigits: Equatable {
  /// No trailing zero unless it is 0 or `exponent` is 0.
  package var significand: UInt64
  package var exponent: Int
  package var isNegative: Bool

  /// Digits of a finite number; some 10 ns where it has at most 15 digits and 3 decimals, 30 between a thousandth and a thousand million,
  /// else by the standard library.
  package init(_ value: Double) {
    isNegative = value.sign == .minus
    (significand, exponent) = (0, 0)
    let magnitude = value.magnitude
    if magnitude < 9_007_199_254_740_992 {
      significand = UInt64(magnitude)
      if Double(significand) == magnitude { return }
    }
    if magnitude < 1e9, magnitude > 1e-3,
      let decimals = Self.shortDecimals(magnitude) ?? Self.shortestDecimals(magnitude)
    {
      (significand, exponent) = decimals
      return
    }
    (significand, exponent) = Self.parse(magnitude.description)
  }

  /// Tries 1 to 3 decimals. At most 15 digits: then the decimal is the only one of its length, and no shorter one reads back.
  @inline(__always) private static func shortDecimals(_ magnitude: Double) -> (UInt64, Int)? {
    var scale = 1.0
    for decimals in 1...3 {
      scale *= 10
      let scaled = UInt64(magnitude * scale + 0.5)
      if scaled < 1_000_000_000_000_000, Double(scaled) / scale == magnitude { return (scaled, -decimals) }
    }
    return nil
  }

  /// 10⁰ … 10¹⁹.
  static let powersOfTen: InlineArray<20, UInt64> = {
    var powers = InlineArray<20, UInt64>(repeating: 1)
    for index in 1..<20 { powers[index] = powers[index - 1] * 10 }
    return powers
  }()

  /// The digits of a number between 10⁻³ and 10⁹ in exact arithmetic; `nil` where two decimals are equally near, and at powers of two.
  ///
  /// The number is m ÷ 2ˢ, and what reads back as it lies within half of 1 ÷ 2ˢ. The nearest decimal of 15 digits is the shortest, but for
  /// zeros at its end, if it lies there, for no two decimals of 15 digits read back as one number; else the nearest of 16, else of 17.
  private static func shortestDecimals(_ magnitude: Double) -> (UInt64, Int)? {
    let (fraction, isPowerOfTwo) = (magnitude.significandBitPattern, magnitude.significandBitPattern == 0)
    let shift = UInt64(1_075) - UInt64(magnitude.exponentBitPattern)
    // Below 10⁻³ the shift would pass 62, from 2⁵² on it is none.
    guard !isPowerOfTwo, shift > 0, shift < 63 else { return nil }
    let m = fraction | 1 << 52
    // Digits before the point, less the zeros behind it.
    var whole = magnitude >= 1 ? 1 : magnitude >= 0.1 ? 0 : magnitude >= 0.01 ? -1 : -2
    var bound = 10.0
    while magnitude >= bound {
      whole += 1
      bound *= 10
    }
    for digits in 15...17 {
      let decimals = digits - whole
      guard decimals >= 0, decimals < 20 else { return nil }
      let power = powersOfTen[decimals]
      let product = m.multipliedFullWidth(by: power)
      let rest = product.low & (1 << shift &- 1)
      let half: UInt64 = 1 << (shift &- 1)
      if rest == half { return nil }
      // The quotient has at most 17 digits.
      let quotient = product.high &<< (64 &- shift) | product.low &>> shift
      let distance = rest < half ? rest : 1 << shift &- rest
      // Twice the distance stays below 2⁶³.
      if 2 &* distance < power || 2 &* distance == power && m & 1 == 0 {
        return withoutZeros(rest < half ? quotient : quotient &+ 1, decimals)
      }
    }
    return nil
  }

  private static func withoutZeros(_ digits: UInt64, _ decimals: Int) -> (UInt64, Int) {
    var (digits, decimals) = (digits, decimals)
    func strip(_ step: Int, _ power: UInt64) {
      while decimals >= step, digits % power == 0 {
        digits /= power
        decimals -= step
      }
    }
    strip(8, 100_000_000)
    strip(4, 10_000)
    strip(1, 10)
    return (digits, -decimals)
  }

  /// Digits and exponent of the standard library's shortest form ("1.5e-05", "123.25", "1e+16").
  private static func parse(_ text: String) -> (UInt64, Int) {
    var (digits, exponent, written) = (UInt64(0), 0, 0)
    var (isFraction, isExponent, isExponentNegative) = (false, false, false)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "."): isFraction = true
      case UInt8(ascii: "e"): isExponent = true
      case UInt8(ascii: "-"): isExponentNegative = true
      case UInt8(ascii: "+"): break
      default:
        let digit = byte &- UInt8(ascii: "0")
        if isExponent {
          written = written * 10 + Int(digit)
        } else {
          digits = digits &* 10 &+ UInt64(digit)
          if isFraction { exponent -= 1 }
        }
      }
    }
    exponent += isExponentNegative ? -written : written
    while digits != 0, digits % 10 == 0 {
      digits /= 10
      exponent += 1
    }
    return (digits, exponent)
  }
}

extension [UInt8] {
  /// Appends an unsigned number in decimal.
  @inline(__always)
  package mutating func appendDecimal(_ value: UInt64) {
    if value < 100 {
      let low = UInt8(truncatingIfNeeded: value)
      if low < 10 { return append(UInt8(ascii: "0") &+ low) }
      let tens = low / 10
      append(UInt8(ascii: "0") &+ tens)
      return append(UInt8(ascii: "0") &+ low &- tens &* 10)
    }
    appendLongDecimal(value)
  }

  /// Appends a number of any length, eight digits at a time.
  private mutating func appendLongDecimal(_ value: UInt64) {
    let part: UInt64 = 100_000_000
    append(addingCapacity: 24) { span in
      if value < part { return Self.put(leading: value, to: &span) }
      let (high, low) = (value / part, value % part)
      if high < part {
        Self.put(leading: high, to: &span)
      } else {
        Self.put(leading: high / part, to: &span)
        Self.put(DecimalWord.digits(high % part), skipping: 0, to: &span)
      }
      Self.put(DecimalWord.digits(low), skipping: 0, to: &span)
    }
  }

  /// Puts a number below 10⁸ without zeros in front.
  @inline(__always)
  private static func put(leading value: UInt64, to span: inout OutputSpan<UInt8>) {
    let digits = DecimalWord.digits(value)
    put(digits, skipping: DecimalWord.leadingZeroCount(digits), to: &span)
  }

  /// Puts digits that lie in bytes; the span has room for eight.
  @inline(__always)
  private static func put(_ digits: UInt64, skipping count: Int, to span: inout OutputSpan<UInt8>) {
    let text = DecimalWord.text(digits, skipping: count)
    unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
      // Callers made room for 24 bytes and put at most three times eight.
      unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
        of: text, toByteOffset: initializedCount, as: UInt64.self)
      initializedCount &+= 8 &- count
    }
  }

  /// Appends a signed number in decimal.
  package mutating func appendDecimal(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(value.magnitude)
  }

  /// Appends a number as exactly `count` digits, zeros in front.
  package mutating func appendDigits(_ value: Int, count: Int) {
    var divisor = 1
    for _ in 1..<Swift.max(count, 1) { divisor *= 10 }
    var rest = value
    for _ in 0..<count {
      append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / divisor))
      rest %= divisor
      divisor = Swift.max(divisor / 10, 1)
    }
  }

  /// Appends a finite number as Go's `encoding/json` does: no exponent from 1e-6 up to below 1e21, `1.0` is `1`.
  package mutating func appendFloat(_ value: Double) {
    let magnitude = value.magnitude
    if magnitude != 0, magnitude < 1e-6 || magnitude >= 1e21 {
      appendScientific(DecimalDigits(value))
    } else {
      appendPlain(DecimalDigits(value))
    }
  }

  /// Appends any number; what JSON has no form for as `NaN`, `+Inf`, `-Inf`.
  package mutating func appendFloatOrName(_ value: Double, isPlain: Bool = false) {
    if value.isNaN {
      append(contentsOf: "NaN".utf8)
    } else if value.isInfinite {
      append(contentsOf: (value < 0 ? "-Inf" : "+Inf").utf8)
    } else if isPlain {
      appendPlain(DecimalDigits(value))
    } else {
      appendFloat(value)
    }
  }

  /// Appends digits without exponent: `-0.00015`, `100000`.
  private mutating func appendPlain(_ number: DecimalDigits) {
    if number.isNegative { append(UInt8(ascii: "-")) }
    if number.exponent >= 0 {
      appendDecimal(number.significand)
      for _ in 0..<number.exponent { append(UInt8(ascii: "0")) }
      return
    }
    let decimals = -number.exponent
    // A significand has at most 19 digits.
    let power = decimals < 20 ? DecimalDigits.powersOfTen[decimals] : nil
    appendDecimal(power.map { number.significand / $0 } ?? 0)
    append(UInt8(ascii: "."))
    let start = count
    appendDecimal(power.map { number.significand % $0 } ?? number.significand)
    let missing = decimals - (count - start)
    if missing > 0 { insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing), at: start) }
  }

  /// Appends digits with an exponent: `1.5e-7`, `1e+21`.
  private mutating func appendScientific(_ number: DecimalDigits) {
    if number.isNegative { append(UInt8(ascii: "-")) }
    let start = count
    appendDecimal(number.significand)
    let exponent = number.exponent + (count - start) - 1
    if count - start > 1 { insert(UInt8(ascii: "."), at: start + 1) }
    append(UInt8(ascii: "e"))
    append(UInt8(ascii: exponent < 0 ? "-" : "+"))
    appendDecimal(UInt64(exponent.magnitude))
  }
}

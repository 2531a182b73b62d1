/// A finite number as decimal digits: `significand * 10^exponent`, as short as reads back exactly.
package struct DecimalDigits: Equatable {
  /// No trailing zero unless it is 0 or `exponent` is 0.
  package var significand: UInt64
  package var exponent: Int
  package var isNegative: Bool

  /// Digits of a finite number; some 10 ns where it has at most 15 digits and 6 decimals, else by the standard library.
  package init(_ value: Double) {
    isNegative = value.sign == .minus
    (significand, exponent) = (0, 0)
    let magnitude = value.magnitude
    if magnitude < 9_007_199_254_740_992 {
      significand = UInt64(magnitude)
      if Double(significand) == magnitude { return }
    }
    if magnitude < 1e9, magnitude > 1e-3, let decimals = Self.shortDecimals(magnitude) {
      (significand, exponent) = decimals
      return
    }
    (significand, exponent) = Self.parse(magnitude.description)
  }

  /// Tries 1 to 6 decimals. At most 15 digits: then the decimal is the only one of its length, and no shorter one reads back.
  @inline(__always) private static func shortDecimals(_ magnitude: Double) -> (UInt64, Int)? {
    var scale = 1.0
    for decimals in 1...6 {
      scale *= 10
      let scaled = UInt64(magnitude * scale + 0.5)
      if scaled < 1_000_000_000_000_000, Double(scaled) / scale == magnitude { return (scaled, -decimals) }
    }
    return nil
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
  package mutating func appendDecimal(_ value: UInt64) {
    if value < 10 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)) }
    var digits = InlineArray<20, UInt8>(repeating: 0)
    var (rest, first) = (value, 20)
    while rest != 0 {
      let quotient = rest / 10
      first -= 1
      digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- quotient &* 10)
      rest = quotient
    }
    for index in first..<20 { append(digits[index]) }
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
    let start = count
    appendDecimal(number.significand)
    let decimals = -number.exponent
    let missing = decimals + 1 - (count - start)
    if missing > 0 { insert(contentsOf: repeatElement(UInt8(ascii: "0"), count: missing), at: start) }
    insert(UInt8(ascii: "."), at: count - decimals)
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

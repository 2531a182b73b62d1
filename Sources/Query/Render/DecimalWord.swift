/// Decimal digits in the bytes of a word.
enum DecimalWord {
  /// The eight digits of a number below 10⁸, the first in the lowest byte: each step halves the digits of a lane. Source: P. Khuong, "How to
  /// print integers really fast", 2017.
  @inline(__always)
  static func digits(_ value: UInt64) -> UInt64 {
    let high = value / 10_000
    let fours = high | (value &- high &* 10_000) &<< 32
    let hundreds = ((fours &* 10_486) &>> 20) & 0x7f_0000_007f
    let twos = hundreds | (fours &- hundreds &* 100) &<< 16
    let tens = ((twos &* 103) &>> 10) & 0x0f_000f_000f_000f
    return tens | (twos &- tens &* 10) &<< 8
  }

  /// How many zeros eight digits begin with; of 0 seven.
  @inline(__always)
  static func leadingZeroCount(_ digits: UInt64) -> Int { min(digits.trailingZeroBitCount / 8, 7) }

  /// Digits as text in the order of memory, the first `count` left out.
  @inline(__always)
  static func text(_ digits: UInt64, skipping count: Int) -> UInt64 {
    ((digits | 0x3030_3030_3030_3030) &>> UInt64(8 &* count)).littleEndian
  }
}

/// What turns a column's words into the integers that are packed. The numbers are those written to disk.
enum TransformCode: UInt8 {
  /// The words themselves.
  case identity = 0
  /// `origin + m × unit`.
  case scaled = 1
  /// The float nearest to `m / 10^e`.
  case decimal = 2
  /// A float's bits with the sign as the lowest, so that numbers of both signs have near words.
  case rotated = 3
  /// As `decimal`, with corrections: floats that are some units in the last place off a decimal.
  case nearDecimal = 4
}

/// Turns packed integers back into words: one vector, or one at a time. All arithmetic wraps, so that it is
/// exact over 64 bits.
protocol Restoring {
  /// To be added to an integer before it is given: it joins what is added anyway.
  var bias: UInt64 { get }
  func callAsFunction(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64>
  func callAsFunction(_ value: UInt64) -> UInt64
}

struct RestoreIdentity: Restoring {
  @inline(__always) var bias: UInt64 { 0 }
  @inline(__always) func callAsFunction(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64> { lanes }
  @inline(__always) func callAsFunction(_ value: UInt64) -> UInt64 { value }
}

struct RestoreScaled: Restoring {
  var unit: UInt64
  var origin: UInt64
  @inline(__always) var bias: UInt64 { 0 }
  @inline(__always) func callAsFunction(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64> {
    lanes &* SIMD8(repeating: unit) &+ SIMD8(repeating: origin)
  }
  @inline(__always) func callAsFunction(_ value: UInt64) -> UInt64 { value &* unit &+ origin }
}

struct RestoreRotated: Restoring {
  @inline(__always) var bias: UInt64 { 0 }
  @inline(__always) func callAsFunction(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64> {
    (lanes &>> SIMD8(repeating: 1)) | (lanes &<< SIMD8(repeating: 63))
  }
  @inline(__always) func callAsFunction(_ value: UInt64) -> UInt64 { (value &>> 1) | (value &<< 63) }
}

/// Decimals: `m` as a float, divided by a power of ten.
///
/// A true division of two exact floats gives the float nearest to the decimal, as parsing its digits does.
/// `m` becomes a float by adding it to the bits of 1.5 × 2⁵², in whose binade floats are 1 apart: exact for
/// |m| < 2⁵¹, and vector instructions of any machine do it.
struct RestoreDecimal: Restoring {
  static let magic = 6_755_399_441_055_744.0
  static let magicBits = magic.bitPattern
  /// 10^e; exact to 10²².
  var power: Double

  /// 10^`exponent`, exact for exponents to `exponentMax`.
  static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { power, _ in power * 10 } }
  /// Beyond it no value with |m| < 2⁵¹ has been met that a lower exponent does not serve.
  static let exponentMax = 18

  @inline(__always) var bias: UInt64 { Self.magicBits }
  @inline(__always) func callAsFunction(_ lanes: SIMD8<UInt64>) -> SIMD8<UInt64> {
    let floats = unsafe unsafeBitCast(lanes, to: SIMD8<Double>.self)
    return unsafe unsafeBitCast(
      (floats - SIMD8(repeating: Self.magic)) / SIMD8(repeating: power), to: SIMD8<UInt64>.self)
  }
  @inline(__always) func callAsFunction(_ value: UInt64) -> UInt64 {
    ((Double(bitPattern: value) - Self.magic) / power).bitPattern
  }
}

import LineProtocol

/// What becomes of a run's value on its way into the column that was asked for.
enum ValueConversion: Sendable, Equatable {
  /// The word as it is.
  case identity
  /// A string: its bytes move into the column's own.
  case string
  /// A value of a type that the column cannot take: it hides what lower runs have at that point, and shows nothing itself.
  case hide
  case integerToFloat, unsignedToFloat, floatToInteger, unsignedToInteger, floatToUnsigned, integerToUnsigned

  /// The conversion from a stored type to the type asked for; `.hide` where there is none.
  init(from stored: FieldType, to asked: FieldType, convertsNumbers: Bool) {
    if stored == asked {
      self = stored == .string ? .string : .identity
      return
    }
    self = .hide
    guard convertsNumbers else { return }
    switch (stored, asked) {
    case (.integer, .float): self = .integerToFloat
    case (.unsigned, .float): self = .unsignedToFloat
    case (.float, .integer): self = .floatToInteger
    case (.unsigned, .integer): self = .unsignedToInteger
    case (.float, .unsigned): self = .floatToUnsigned
    case (.integer, .unsigned): self = .integerToUnsigned
    default: break
    }
  }

  /// A word converted; `nil` where the asked type cannot hold it: such a value is left out. Floats are cut towards zero.
  @inline(__always)
  func convert(_ word: UInt64) -> UInt64? {
    switch self {
    case .identity, .string: word
    case .hide: nil
    case .integerToFloat: Double(Int64(bitPattern: word)).bitPattern
    case .unsignedToFloat: Double(word).bitPattern
    case .floatToInteger: Self.integer(Double(bitPattern: word))
    case .floatToUnsigned: Self.unsigned(Double(bitPattern: word))
    case .unsignedToInteger, .integerToUnsigned: Int64(bitPattern: word) >= 0 ? word : nil
    }
  }

  /// Cut towards zero; NaN and what lies outside fail both comparisons.
  private static func integer(_ value: Double) -> UInt64? {
    value >= -0x1p63 && value < 0x1p63 ? UInt64(bitPattern: Int64(value)) : nil
  }

  private static func unsigned(_ value: Double) -> UInt64? {
    value > -1 && value < 0x1p64 ? UInt64(value) : nil
  }
}

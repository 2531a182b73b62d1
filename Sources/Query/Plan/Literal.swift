import LineProtocol

/// A constant in an expression over values.
enum Literal: Sendable, Equatable {
  case float(Double)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case string([UInt8])

  /// The literal an expression is; a duration counts its nanoseconds. `nil` if it is none.
  init?(_ expression: Expression) {
    switch expression.bare {
    case .number(let value): self = .float(value)
    case .integer(let value), .duration(let value): self = .integer(value)
    case .unsigned(let value): self = .unsigned(value)
    case .boolean(let value): self = .boolean(value)
    case .string(let text): self = .string(Array(text.utf8))
    default: return nil
    }
  }

  var type: FieldType {
    switch self {
    case .float: .float
    case .integer: .integer
    case .unsigned: .unsigned
    case .boolean: .boolean
    case .string: .string
    }
  }

  /// The word as columns hold it; 0 for a string.
  var word: UInt64 {
    switch self {
    case .float(let value): value.bitPattern
    case .integer(let value): UInt64(bitPattern: value)
    case .unsigned(let value): value
    case .boolean(let value): value ? 1 : 0
    case .string: 0
    }
  }
}

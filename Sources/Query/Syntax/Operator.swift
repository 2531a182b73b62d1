/// An operator between two expressions.
enum Operator: String, Sendable {
  case or = "OR"
  case and = "AND"
  case equal = "="
  case notEqual = "!="
  case matches = "=~"
  case matchesNot = "!~"
  case less = "<"
  case lessOrEqual = "<="
  case greater = ">"
  case greaterOrEqual = ">="
  case add = "+"
  case subtract = "-"
  case bitOr = "|"
  case bitXor = "^"
  case multiply = "*"
  case divide = "/"
  case modulo = "%"
  case bitAnd = "&"

  /// The operator of one sign.
  init?(sign: UInt8) {
    switch sign {
    case UInt8(ascii: "="): self = .equal
    case UInt8(ascii: "<"): self = .less
    case UInt8(ascii: ">"): self = .greater
    case UInt8(ascii: "+"): self = .add
    case UInt8(ascii: "-"): self = .subtract
    case UInt8(ascii: "|"): self = .bitOr
    case UInt8(ascii: "^"): self = .bitXor
    case UInt8(ascii: "*"): self = .multiply
    case UInt8(ascii: "/"): self = .divide
    case UInt8(ascii: "%"): self = .modulo
    case UInt8(ascii: "&"): self = .bitAnd
    default: return nil
    }
  }

  /// The higher binds tighter.
  var precedence: Int {
    switch self {
    case .or: 1
    case .and: 2
    case .equal, .notEqual, .matches, .matchesNot, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
    case .add, .subtract, .bitOr, .bitXor: 4
    case .multiply, .divide, .modulo, .bitAnd: 5
    }
  }

  /// Whether its answer is true or false.
  var isCondition: Bool { precedence <= 3 }
  /// Whether it compares two values.
  var isComparison: Bool { precedence == 3 }
  /// Whether its right side is a regular expression.
  var takesRegex: Bool { self == .matches || self == .matchesNot }

  /// The operator that says the same with its sides exchanged.
  var mirrored: Operator {
    switch self {
    case .less: .greater
    case .lessOrEqual: .greaterOrEqual
    case .greater: .less
    case .greaterOrEqual: .lessOrEqual
    default: self
    }
  }
}

/// An expression over columns that lie side by side, evaluated a batch at a time.
indirect enum ValueExpression: Sendable, Equatable {
  /// A column by its place.
  case slot(Int)
  /// The row's time, as an integer.
  case time
  case literal(Literal)
  case arithmetic(Operator, ValueExpression, ValueExpression)
  case math(MathFunction, [ValueExpression])

  /// Whether it is one column as it stands.
  var slotIndex: Int? {
    if case .slot(let index) = self { return index }
    return nil
  }

  /// Whether it is made of a column.
  func reads(slot: Int) -> Bool {
    switch self {
    case .slot(let index): index == slot
    case .time, .literal: false
    case .arithmetic(_, let left, let right): left.reads(slot: slot) || right.reads(slot: slot)
    case .math(_, let arguments): arguments.contains { $0.reads(slot: slot) }
    }
  }
}

/// Functions of one value, or two.
enum MathFunction: String, Sendable, CaseIterable {
  case abs, sin, cos, tan, asin, acos, atan, atan2, exp, ln, log, log2, log10, sqrt, pow, floor, ceil, round

  var argumentCount: Int { self == .atan2 || self == .pow || self == .log ? 2 : 1 }
}

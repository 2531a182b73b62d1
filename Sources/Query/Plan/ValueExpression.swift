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
}

/// Functions of one value, or two.
enum MathFunction: String, Sendable, CaseIterable {
  case abs, sin, cos, tan, asin, acos, atan, atan2, exp, ln, log, log2, log10, sqrt, pow, floor, ceil, round

  var argumentCount: Int { self == .atan2 || self == .pow || self == .log ? 2 : 1 }
}

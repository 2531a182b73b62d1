/// What a reference was cast to with `::`.
enum Cast: String, Sendable {
  case float, integer, unsigned, string, boolean, field, tag
}

/// A node of a condition, a selected field or a dimension.
///
/// Chains of `AND` and of `OR` are one node each, so that a long list of alternatives is not a deep tree.
indirect enum Expression: Sendable, Equatable {
  case reference(String, Cast?)
  /// Name in lower case.
  case call(String, [Expression])
  case distinct(String)
  case binary(Operator, Expression, Expression)
  /// `.and` or `.or` over two terms or more.
  case chain(Operator, [Expression])
  case parenthesis(Expression)
  /// `*`, `*::field`, `*::tag`.
  case wildcard(Cast?)
  case regex(String)
  case string(String)
  case number(Double)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  /// Nanoseconds.
  case duration(Int64)
  /// Whole months: only as what `GROUP BY time` groups by.
  case months(Int64)

  /// Without parentheses around it.
  var bare: Expression {
    if case .parenthesis(let inner) = self { return inner.bare }
    return self
  }

  /// Its parts, one level down.
  var children: [Expression] {
    switch self {
    case .call(_, let arguments): arguments
    case .binary(_, let left, let right): [left, right]
    case .chain(_, let terms): terms
    case .parenthesis(let inner): [inner]
    default: []
    }
  }

  /// Calls `body` with this and every part of it, outer first.
  func visit(_ body: (Expression) -> Void) {
    body(self)
    for child in children { child.visit(body) }
  }

  /// The first operator in it that answers true or false.
  var firstConditionOperator: Operator? {
    switch self {
    case .binary(let sign, _, _) where sign.isCondition: sign
    case .chain(let sign, _): sign
    default: children.lazy.compactMap(\.firstConditionOperator).first
    }
  }
}

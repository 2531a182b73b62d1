/// The value of a constant expression beside `time`: a number of nanoseconds, or a text not yet read as a time.
struct TimeExpression {
  let now: Int64
  let zone: TimeZoneRules

  private enum Value {
    case number(Int64)
    /// A point in time: of `now()`, or moved from one.
    case instant(Int64)
    case text(String)

    var isNumber: Bool { if case .number = self { true } else { false } }
  }

  /// What `time` is compared with, in nanoseconds since 1970.
  func instant(_ expression: Expression) throws(QueryFailure) -> Int64 {
    guard let time = try time(expression) else {
      throw QueryFailure("invalid operation: time and \(expression.bare.goType) are not compatible")
    }
    return time
  }

  /// Nanoseconds since 1970 of an expression of literals, `now()`, `+` and `-`; `nil` if it is none.
  func time(_ expression: Expression) throws(QueryFailure) -> Int64? {
    guard let value = try value(expression) else { return nil }
    return try nanoseconds(value)
  }

  private func nanoseconds(_ value: Value) throws(QueryFailure) -> Int64 {
    switch value {
    case .number(let time), .instant(let time): return time
    case .text(let text):
      if let time = TimeLiteral.parse(text, zone: zone) { return time }
      throw QueryFailure("invalid operation: time and *influxql.StringLiteral are not compatible")
    }
  }

  private func value(_ expression: Expression) throws(QueryFailure) -> Value? {
    switch expression.bare {
    case .integer(let value), .duration(let value): return .number(value)
    case .unsigned: return .number(.max)
    case .number(let value):
      return .number(value >= 0x1p63 ? .max : value < -0x1p63 ? .min : Int64(value))
    case .string(let text): return .text(text)
    case .call("now", let arguments) where arguments.isEmpty: return .instant(now)
    case .binary(let sign, let left, let right) where sign.precedence >= 4:
      guard let left = try value(left), let right = try value(right) else { return nil }
      let isNumber = left.isNumber && right.isNumber
      // An instant is moved, and nothing else.
      guard isNumber || sign == .add || sign == .subtract else { return nil }
      return try combine(sign, nanoseconds(left), nanoseconds(right)).map { isNumber ? .number($0) : .instant($0) }
    default: return nil
    }
  }

  /// Past the ends of time is at them; `nil` where there is no answer.
  private func combine(_ sign: Operator, _ left: Int64, _ right: Int64) -> Int64? {
    let (a, b) = (Int128(left), Int128(right))
    switch sign {
    case .add: return Int64(clamping: a + b)
    case .subtract: return Int64(clamping: a - b)
    case .multiply: return Int64(clamping: a * b)
    case .divide where right != 0: return Int64(clamping: a / b)
    case .modulo where right != 0: return Int64(clamping: a % b)
    default: return nil
    }
  }
}

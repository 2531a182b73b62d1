/// The value of a constant expression beside `time`: a number of nanoseconds, or a text not yet read as a time.
struct TimeExpression {
  let now: Int64
  let zone: TimeZoneRules

  private enum Value {
    case time(Int64)
    case text(String)
  }

  /// Nanoseconds since 1970 of an expression of literals, `now()`, `+` and `-`; `nil` if it is none.
  func time(_ expression: Expression) throws(QueryFailure) -> Int64? {
    guard let value = try value(expression) else { return nil }
    return try nanoseconds(value)
  }

  private func nanoseconds(_ value: Value) throws(QueryFailure) -> Int64 {
    switch value {
    case .time(let time): return time
    case .text(let text):
      if let time = TimeLiteral.parse(text, zone: zone) { return time }
      throw QueryFailure("invalid operation: time and *influxql.StringLiteral are not compatible")
    }
  }

  private func value(_ expression: Expression) throws(QueryFailure) -> Value? {
    switch expression.bare {
    case .integer(let value), .duration(let value): return .time(value)
    case .unsigned: return .time(.max)
    case .number(let value):
      return .time(value >= 0x1p63 ? .max : value < -0x1p63 ? .min : Int64(value))
    case .string(let text): return .text(text)
    case .call("now", let arguments) where arguments.isEmpty: return .time(now)
    case .binary(let sign, let left, let right) where sign.precedence >= 4:
      guard let left = try time(left), let right = try time(right) else { return nil }
      return combine(sign, left, right).map(Value.time)
    default: return nil
    }
  }

  private func combine(_ sign: Operator, _ left: Int64, _ right: Int64) -> Int64? {
    let (value, isTooLarge): (Int64, Bool)
    switch sign {
    case .add: (value, isTooLarge) = left.addingReportingOverflow(right)
    case .subtract: (value, isTooLarge) = left.subtractingReportingOverflow(right)
    case .multiply: (value, isTooLarge) = left.multipliedReportingOverflow(by: right)
    case .divide where right != 0: (value, isTooLarge) = left.dividedReportingOverflow(by: right)
    case .modulo where right != 0: (value, isTooLarge) = left.remainderReportingOverflow(dividingBy: right)
    default: return nil
    }
    return isTooLarge ? nil : value
  }
}

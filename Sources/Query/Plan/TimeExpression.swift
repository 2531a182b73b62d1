/// The value of a constant expression beside `time`: a number of nanoseconds, or a text not yet read as a time.
struct TimeExpression {
  let now: Int64
  let zone: TimeZoneRules

  private enum Value {
    case number(Int64)
    /// A number with a point in it; as nanoseconds it is rounded towards zero.
    case float(Double)
    /// A point in time: of `now()`, or moved from one.
    case instant(Int64)
    case text(String)

    /// As a factor; `nil` for a time.
    var factor: Double? {
      switch self {
      case .number(let value): Double(value)
      case .float(let value): value
      case .instant, .text: nil
      }
    }
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
    case .float(let time): return Self.rounded(time)
    case .text(let text):
      if let time = TimeLiteral.parse(text, zone: zone) { return time }
      throw QueryFailure("invalid operation: time and *influxql.StringLiteral are not compatible")
    }
  }

  private func value(_ expression: Expression) throws(QueryFailure) -> Value? {
    switch expression.bare {
    case .integer(let value), .duration(let value): return .number(value)
    case .unsigned: return .number(.max)
    case .number(let value): return .float(value)
    case .string(let text): return .text(text)
    case .call("now", let arguments) where arguments.isEmpty: return .instant(now)
    case .binary(let sign, let left, let right) where sign.precedence >= 4:
      guard let left = try value(left), let right = try value(right) else { return nil }
      if case .number(let a) = left, case .number(let b) = right, let number = combine(sign, a, b) { return .number(number) }
      if let a = left.factor, let b = right.factor { return combine(sign, a, b).map(Value.float) }
      // An instant is moved, and nothing else.
      guard sign == .add || sign == .subtract else { return nil }
      return try combine(sign, nanoseconds(left), nanoseconds(right)).map(Value.instant)
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
    // What leaves a fraction is for floats.
    case .divide where right != 0 && a % b == 0: return Int64(clamping: a / b)
    case .modulo where right != 0: return Int64(clamping: a % b)
    default: return nil
    }
  }

  private func combine(_ sign: Operator, _ left: Double, _ right: Double) -> Double? {
    switch sign {
    case .add: return left + right
    case .subtract: return left - right
    case .multiply: return left * right
    case .divide where right != 0: return left / right
    case .modulo where right != 0: return left.truncatingRemainder(dividingBy: right)
    default: return nil
    }
  }

  /// A number that is none, an infinite one less itself, is 0.
  private static func rounded(_ value: Double) -> Int64 {
    Int64(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : value < 0 ? .min : 0)
  }
}

/// The times a condition asks for, and the condition without them.
struct TimeBounds {
  /// The first instant asked for; `nil` if there is no bound.
  var start: Int64?
  /// The last instant asked for.
  var last: Int64?
  /// What is left beside the bounds; `nil` if nothing.
  var rest: Expression?

  /// Half-open, for reading.
  var range: Range<Int64> {
    let lower = start ?? .min
    let upper = last.map { $0 == .max ? .max : $0 + 1 } ?? .max
    return lower..<max(lower, upper)
  }

  /// Takes the comparisons with `time` out of a condition.
  ///
  /// Those that all rows must satisfy become bounds. One inside an `OR` stays, to be asked of each row.
  init(_ condition: Expression?, now: Int64, zone: TimeZoneRules) throws(QueryFailure) {
    guard let condition else { return }
    let evaluator = TimeExpression(now: now, zone: zone)
    rest = try take(condition, evaluator)
  }

  private init() {}

  /// Takes bounds out of one conjunct; returns what stays.
  private mutating func take(
    _ condition: Expression, _ evaluator: TimeExpression
  ) throws(QueryFailure) -> Expression? {
    switch condition {
    case .parenthesis(let inner): return try take(inner, evaluator).map(Expression.parenthesis)
    case .chain(.and, let terms):
      var kept: [Expression] = []
      for term in terms {
        if let term = try take(term, evaluator) { kept.append(term) }
      }
      return kept.count > 1 ? .chain(.and, kept) : kept.first
    case .binary(let sign, let left, let right) where sign.isComparison:
      guard Self.isTime(left) || Self.isTime(right) else { return condition }
      let isLeft = Self.isTime(left)
      try narrow(isLeft ? sign : sign.mirrored, try evaluator.instant(isLeft ? right : left))
      return nil
    case .chain, .binary, .boolean: return condition
    default: throw QueryFailure("invalid condition expression: \(condition)")
    }
  }

  static func isTime(_ expression: Expression) -> Bool {
    if case .reference(let name, nil) = expression.bare { return name.lowercased() == "time" }
    return false
  }

  /// Narrows the bounds by `time sign value`.
  private mutating func narrow(_ sign: Operator, _ time: Int64) throws(QueryFailure) {
    switch sign {
    case .greater: start = max(start ?? .min, time == .max ? .max : time + 1)
    case .greaterOrEqual: start = max(start ?? .min, time)
    case .less: last = min(last ?? .max, time == .min ? .min : time - 1)
    case .lessOrEqual: last = min(last ?? .max, time)
    case .equal:
      start = max(start ?? .min, time)
      last = min(last ?? .max, time)
    default: throw QueryFailure("invalid time comparison operator: \(sign.rawValue)")
    }
  }
}

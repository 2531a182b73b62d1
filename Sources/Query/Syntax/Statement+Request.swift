extension Statement {
  /// The statement with what is asked of every `SELECT` of a text: that it keeps to a range of time, besides its own condition, and the
  /// time zone of those that name none. Statements that change something are as they were, but for what `INTO` reads.
  func asked(for range: TimeRange, zone: String) -> Statement {
    switch self {
    case .select(let select): .select(select.asked(for: range, zone: zone))
    case .explain(let select, let isAnalyze):
      .explain(select.asked(for: range, zone: zone), isAnalyze: isAnalyze)
    default: self
    }
  }
}

extension SelectStatement {
  fileprivate func asked(for range: TimeRange, zone: String) -> SelectStatement {
    var statement = self
    if timeZone.isEmpty { statement.timeZone = zone }
    let time = Expression.reference("time", nil)
    var terms = condition.map { [Expression.parenthesis($0)] } ?? []
    if let start = range.start { terms.append(.binary(.greaterOrEqual, time, .integer(start))) }
    if let end = range.end { terms.append(.binary(.less, time, .integer(end))) }
    if terms.count > (condition == nil ? 0 : 1) {
      statement.condition = terms.count == 1 ? terms[0] : .chain(.and, terms)
    }
    return statement
  }
}

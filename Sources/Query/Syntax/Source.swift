/// Where a statement reads.
indirect enum Source: Sendable, Equatable {
  case measurement(MeasurementSource)
  case subquery(SelectStatement)
}

/// A measurement, or all that a regular expression matches.
struct MeasurementSource: Sendable, Hashable {
  /// Empty: the request's.
  var database = ""
  /// Empty: the default one.
  var policy = ""
  var name = ""
  /// In place of `name`.
  var regex: String?
}

extension Source: CustomStringConvertible {
  var description: String {
    switch self {
    case .measurement(let source): source.description
    case .subquery(let statement): "(\(statement))"
    }
  }
}

extension MeasurementSource: CustomStringConvertible {
  var description: String {
    let last = regex.map(Expression.quoteRegex) ?? Expression.quoteName(name)
    if database.isEmpty { return policy.isEmpty ? last : "\(Expression.quoteName(policy)).\(last)" }
    return "\(Expression.quoteName(database)).\(policy.isEmpty ? "" : Expression.quoteName(policy)).\(last)"
  }
}

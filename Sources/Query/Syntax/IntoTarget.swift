/// Where `INTO` writes.
struct IntoTarget: Sendable, Equatable {
  /// Empty: the request's.
  var database = ""
  /// Empty: the default one.
  var policy = ""
  /// `nil` is `:MEASUREMENT`: each row goes to the measurement that it came from.
  var name: String?
}

extension IntoTarget: CustomStringConvertible {
  /// As InfluxQL; parses to an equal target.
  var description: String {
    let last = name.map(Expression.quoteName) ?? ":MEASUREMENT"
    if database.isEmpty { return policy.isEmpty ? last : "\(Expression.quoteName(policy)).\(last)" }
    return "\(Expression.quoteName(database)).\(policy.isEmpty ? "" : Expression.quoteName(policy)).\(last)"
  }
}

extension Parser {
  /// What follows `INTO`: a measurement, or a database and policy with `:MEASUREMENT`.
  ///
  /// InfluxDB wants a policy before `:MEASUREMENT`; without one the request's are meant here.
  mutating func target() throws(QueryParseError) -> IntoTarget {
    if let each = try everyMeasurement([]) { return each }
    let names = try segments()
    if let each = try everyMeasurement(names) { return each }
    switch names.count {
    case 1: return IntoTarget(name: names[0])
    case 2: return IntoTarget(policy: names[0], name: names[1])
    default: return IntoTarget(database: names[0], policy: names[1], name: names[2])
    }
  }

  /// `:MEASUREMENT` after a database and policy, or a policy alone, if it comes next.
  private mutating func everyMeasurement(_ before: [String]) throws(QueryParseError) -> IntoTarget? {
    let start = lexer.place
    let token = before.isEmpty ? next() : scan()
    guard token.kind == .colon, before.count < 3 else {
      lexer.place = start
      return nil
    }
    let word = scan()
    guard word.kind == .keyword(.measurement) else { throw failure(word, expected: [":MEASUREMENT"]) }
    return IntoTarget(database: before.count == 2 ? before[0] : "", policy: before.last ?? "")
  }
}

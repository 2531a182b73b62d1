/// Reads calls as functions with parameters, with InfluxDB's messages where they are wrong.
enum CallParser {
  /// "invalid number of arguments for mean, expected 1, got 2".
  static func check(_ count: Int, _ name: String, _ range: ClosedRange<Int>) throws(QueryFailure) {
    guard !range.contains(count) else { return }
    let expected =
      range.lowerBound == range.upperBound
      ? "\(range.lowerBound)" : "at least \(range.lowerBound) but no more than \(range.upperBound)"
    throw QueryFailure("invalid number of arguments for \(name), expected \(expected), got \(count)")
  }

  private static func reference(_ expression: Expression, _ name: String) throws(QueryFailure) -> Reference {
    guard case .reference(let field, let cast) = expression.bare else {
      throw QueryFailure("expected field argument in \(name)()")
    }
    return Reference(name: field, cast: cast)
  }

  // MARK: Aggregates

  static func aggregate(_ name: String, _ arguments: [Expression]) throws(QueryFailure) -> AggregateCall {
    guard let function = AggregateFunction(rawValue: name), function != .countDistinct else {
      throw QueryFailure("undefined function \(name)()")
    }
    switch function {
    case .count:
      try check(arguments.count, name, 1...1)
      if let field = try distinctArgument(arguments[0]) { return AggregateCall(.countDistinct, of: field) }
      return AggregateCall(function, of: try reference(arguments[0], name))
    case .distinct: return AggregateCall(.distinct, of: try distinctField(arguments))
    case .percentile: return try percentile(arguments)
    case .integral: return try integral(arguments)
    case .top, .bottom: return try top(function, arguments)
    case .sample: return try sample(arguments)
    default:
      try check(arguments.count, name, 1...1)
      return AggregateCall(function, of: try reference(arguments[0], name))
    }
  }

  private static func distinctField(_ arguments: [Expression]) throws(QueryFailure) -> Reference {
    guard let first = arguments.first else {
      throw QueryFailure("distinct function requires at least one argument")
    }
    guard arguments.count == 1 else { throw QueryFailure("distinct function can only have one argument") }
    return try reference(first, "distinct")
  }

  private static func distinctArgument(_ expression: Expression) throws(QueryFailure) -> Reference? {
    switch expression.bare {
    case .distinct(let field): return Reference(name: field, cast: nil)
    case .call("distinct", let arguments):
      return try distinctField(arguments)
    default: return nil
    }
  }

  private static func percentile(_ arguments: [Expression]) throws(QueryFailure) -> AggregateCall {
    try check(arguments.count, "percentile", 2...2)
    var call = AggregateCall(.percentile, of: try reference(arguments[0], "percentile"))
    switch arguments[1].bare {
    case .integer(let value): call.percentile = Double(value)
    case .number(let value): call.percentile = value
    default: throw QueryFailure("expected float argument in percentile()")
    }
    return call
  }

  private static func integral(_ arguments: [Expression]) throws(QueryFailure) -> AggregateCall {
    try check(arguments.count, "integral", 1...2)
    var call = AggregateCall(.integral, of: try reference(arguments[0], "integral"))
    if arguments.count == 2 { call.unit = try unit(arguments[1], "integral") }
    return call
  }

  private static func sample(_ arguments: [Expression]) throws(QueryFailure) -> AggregateCall {
    try check(arguments.count, "sample", 2...2)
    var call = AggregateCall(.sample, of: try reference(arguments[0], "sample"))
    guard case .integer(let count) = arguments[1].bare else {
      throw QueryFailure("expected integer argument in sample()")
    }
    guard count > 0 else { throw QueryFailure("sample window must be greater than 1, got \(count)") }
    call.count = Int(clamping: count)
    return call
  }

  private static func top(
    _ function: AggregateFunction, _ arguments: [Expression]
  ) throws(QueryFailure) -> AggregateCall {
    let name = function.rawValue
    guard arguments.count >= 2 else {
      throw QueryFailure(
        "invalid number of arguments for \(name), expected at least 2, got \(arguments.count)")
    }
    var call = AggregateCall(function, of: try reference(arguments[0], name))
    guard case .integer(let count) = arguments[arguments.count - 1].bare else {
      throw QueryFailure(
        "expected integer as last argument in \(name)(), found \(arguments[arguments.count - 1].goText)")
    }
    guard count > 0, count <= 1 << 20 else {
      throw QueryFailure("limit (\(count)) in \(name) function must be at least 1")
    }
    call.count = Int(count)
    for argument in arguments.dropFirst().dropLast() {
      guard case .reference(let tag, _) = argument.bare else {
        throw QueryFailure("only fields or tags are allowed in \(name)(), found \(argument)")
      }
      call.tags.append(tag)
    }
    return call
  }

  /// `top` takes no more points than the statement's `LIMIT`.
  static func checkTop(_ call: AggregateCall, limit: Int) throws(QueryFailure) {
    guard call.function == .top || call.function == .bottom, limit > 0, call.count > limit else { return }
    throw QueryFailure(
      "limit (\(call.count)) in \(call.function.rawValue) function can not be larger than the LIMIT (\(limit)) in the "
        + "select statement")
  }

  // MARK: Transforms

  static let transformations: Set<String> = [
    "derivative", "non_negative_derivative", "difference", "non_negative_difference", "cumulative_sum",
    "elapsed",
    "moving_average", "exponential_moving_average", "double_exponential_moving_average",
    "triple_exponential_moving_average", "triple_exponential_derivative", "relative_strength_index",
    "kaufmans_efficiency_ratio", "kaufmans_adaptive_moving_average", "chande_momentum_oscillator",
  ]

  /// What `transform` knows, but for the indicators.
  static let transformNames = [
    "derivative", "non_negative_derivative", "difference", "non_negative_difference", "cumulative_sum", "elapsed",
    "moving_average", "holt_winters", "holt_winters_with_fit",
  ]

  /// The transformation a call is; `nil` if it is an aggregate.
  static func transform(
    _ name: String, _ arguments: [Expression], interval: Int64
  ) throws(QueryFailure) -> Transform? {
    switch name {
    case "derivative", "non_negative_derivative":
      try check(arguments.count, name, 1...2)
      // Without a unit: a second, of buckets the bucket's length.
      let unit = try arguments.count == 2 ? unit(arguments[1], name) : interval > 0 ? interval : 1_000_000_000
      return .derivative(unit: unit, isNonNegative: name != "derivative")
    case "difference", "non_negative_difference":
      try check(arguments.count, name, 1...1)
      return .difference(isNonNegative: name != "difference")
    case "cumulative_sum":
      try check(arguments.count, name, 1...1)
      return .cumulativeSum
    case "elapsed":
      try check(arguments.count, name, 1...2)
      return .elapsed(unit: try arguments.count == 2 ? unit(arguments[1], name) : 1)
    case "moving_average":
      try check(arguments.count, name, 2...2)
      guard case .integer(let count) = arguments[1].bare else {
        throw QueryFailure(
          "second argument for moving_average must be an integer, got \(arguments[1].goType)")
      }
      guard count > 1, count <= 1 << 20 else {
        throw QueryFailure("moving_average window must be greater than 1, got \(count)")
      }
      return .movingAverage(Int(count))
    case "holt_winters", "holt_winters_with_fit":
      return try holtWinters(name, arguments, interval: interval)
    default: return try Indicator.Function(rawValue: name).map { function throws(QueryFailure) in
        .indicator(try Indicator(function, arguments))
      }
    }
  }

  /// Values that may be forecast, or that a season may have.
  private static let forecastCountMax: Int64 = 1 << 20

  private static func holtWinters(
    _ name: String, _ arguments: [Expression], interval: Int64
  ) throws(QueryFailure) -> Transform {
    try check(arguments.count, name, 3...3)
    guard case .integer(let count) = arguments[1].bare else {
      throw QueryFailure("expected integer argument as second arg in \(name)")
    }
    guard count > 0 else { throw QueryFailure("second arg to \(name) must be greater than 0, got \(count)") }
    guard case .integer(let season) = arguments[2].bare else {
      throw QueryFailure("expected integer argument as third arg in \(name)")
    }
    guard season >= 0 else { throw QueryFailure("third arg to \(name) cannot be negative, got \(season)") }
    guard max(count, season) <= forecastCountMax else {
      throw QueryFailure("\(name) takes at most \(forecastCountMax) values, got \(max(count, season))")
    }
    guard case .call = arguments[0].bare else { throw QueryFailure("must use aggregate function with \(name)") }
    return .holtWinters(
      count: Int(count), season: Int(season), interval: interval, hasFit: name != "holt_winters")
  }

  private static func unit(_ expression: Expression, _ name: String) throws(QueryFailure) -> Int64 {
    guard case .duration(let length) = expression.bare else {
      if name == "integral" { throw QueryFailure("second argument must be a duration") }
      throw QueryFailure("second argument to \(name) must be a duration, got \(expression.goType)")
    }
    guard length > 0 else {
      throw QueryFailure("duration argument must be positive, got \(DurationLiteral.print(length))")
    }
    return length
  }
}

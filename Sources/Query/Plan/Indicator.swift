/// A function of technical analysis: an average, or a measure of movement, of the values so far.
struct Indicator: Hashable, Sendable {
  enum Function: String, Sendable, CaseIterable {
    case exponentialMovingAverage = "exponential_moving_average"
    case doubleExponentialMovingAverage = "double_exponential_moving_average"
    case tripleExponentialMovingAverage = "triple_exponential_moving_average"
    case tripleExponentialDerivative = "triple_exponential_derivative"
    case relativeStrengthIndex = "relative_strength_index"
    case kaufmansEfficiencyRatio = "kaufmans_efficiency_ratio"
    case kaufmansAdaptiveMovingAverage = "kaufmans_adaptive_moving_average"
    case chandeMomentumOscillator = "chande_momentum_oscillator"

    var isKaufmans: Bool { self == .kaufmansEfficiencyRatio || self == .kaufmansAdaptiveMovingAverage }
  }

  /// What the first values of an average are made of, before there are as many as its period has.
  enum Warmup: String, Sendable {
    /// An average whose weights are those of fewer values.
    case exponential
    /// The mean of all so far.
    case simple
    /// Chande's oscillator alone: plain sums in place of averages.
    case none
  }

  /// Values of an average, and values that are not answered, at most.
  static let periodMax: Int64 = 1 << 20

  var function: Function
  var period: Int
  /// Values at the beginning for which nothing is answered; `nil`: as many as it takes until the answer is worth something.
  var holdPeriod: Int?
  var warmup: Warmup
}

extension Indicator {
  /// Reads the arguments of a call, with InfluxDB 1.8's messages where they are wrong.
  init(_ function: Function, _ arguments: [Expression]) throws(QueryFailure) {
    self.function = function
    let name = function.rawValue
    try CallParser.check(arguments.count, name, 2...(function.isKaufmans ? 3 : 4))
    guard case .integer(let period) = arguments[1].bare else { throw QueryFailure("\(name) period must be an integer") }
    guard period >= 1 else { throw QueryFailure("\(name) period must be greater than or equal to 1") }
    self.period = Int(clamping: period)
    if arguments.count > 2 {
      guard case .integer(let hold) = arguments[2].bare else { throw QueryFailure("\(name) hold period must be an integer") }
      let least: Int64 = function == .tripleExponentialDerivative ? 1 : 0
      guard hold >= least || hold == -1 else {
        throw QueryFailure("\(name) hold period must be greater than or equal to \(least)")
      }
      holdPeriod = hold == -1 ? nil : Int(clamping: hold)
    }
    warmup = function == .chandeMomentumOscillator ? .none : .exponential
    if arguments.count > 3 { warmup = try Self.warmup(arguments[3], function) }
    guard max(period, Int64(holdPeriod ?? 0)) <= Self.periodMax else {
      throw QueryFailure("\(name) takes periods of at most \(Self.periodMax) values")
    }
    // InfluxDB has no answer here.
    if function == .chandeMomentumOscillator, warmup == .none, period < 2 {
      throw QueryFailure("\(name) period must be greater than or equal to 2 without warmup")
    }
  }

  private static func warmup(_ argument: Expression, _ function: Function) throws(QueryFailure) -> Warmup {
    guard case .string(let text) = argument.bare else {
      throw QueryFailure("\(function.rawValue) warmup type must be a string")
    }
    let takesNone = function == .chandeMomentumOscillator
    guard let warmup = Warmup(rawValue: text), warmup != .none || takesNone else {
      let known = takesNone ? "'none' 'exponential' 'simple'" : "'exponential' 'simple'"
      throw QueryFailure("\(function.rawValue) warmup type must be one of: \(known)")
    }
    return warmup
  }
}

import LineProtocol

/// What makes a value of each value and those before it.
enum Transform: Hashable, Sendable {
  case derivative(unit: Int64, isNonNegative: Bool)
  case difference(isNonNegative: Bool)
  case movingAverage(Int)
  case cumulativeSum
  case elapsed(unit: Int64)
  case indicator(Indicator)
  /// `count` values at steps of `interval` after the last; with the fit those of the values before too.
  case holtWinters(count: Int, season: Int, interval: Int64, hasFit: Bool)

  /// The buckets before the first that it reads beside those asked for; one, however many a moving average is of.
  var lookback: Int {
    switch self {
    case .cumulativeSum, .holtWinters: 0
    case .derivative, .difference, .elapsed, .movingAverage, .indicator: 1
    }
  }

  func answerType(for type: FieldType) -> FieldType {
    switch self {
    case .derivative, .movingAverage, .indicator, .holtWinters: .float
    case .difference, .cumulativeSum: type
    case .elapsed: .integer
    }
  }
}

/// Computes an indicator, value after value, by the steps of InfluxDB 1.8 (its `query/internal/gota`), so that roundings are the same.
struct IndicatorOperator {
  private let indicator: Indicator
  private var method: Method
  private var count = 0

  private enum Method {
    case average(ExponentialAverage)
    /// Averages of averages, two or three of them.
    case averages([ExponentialAverage])
    case derivative([ExponentialAverage], last: Double)
    /// Averages of rises and of falls, and the value before.
    case strength(up: ExponentialAverage, down: ExponentialAverage, last: Double)
    case efficiency(EfficiencyRatio)
    case adaptive(EfficiencyRatio, last: Double)
    case momentum(Momentum)
  }

  init(_ indicator: Indicator) {
    self.indicator = indicator
    let average = ExponentialAverage(period: indicator.period, isSimple: indicator.warmup == .simple)
    switch indicator.function {
    case .exponentialMovingAverage: method = .average(average)
    case .doubleExponentialMovingAverage: method = .averages([average, average])
    case .tripleExponentialMovingAverage: method = .averages([average, average, average])
    case .tripleExponentialDerivative: method = .derivative([average, average, average], last: 0)
    case .kaufmansEfficiencyRatio: method = .efficiency(EfficiencyRatio(period: indicator.period))
    case .kaufmansAdaptiveMovingAverage: method = .adaptive(EfficiencyRatio(period: indicator.period), last: 0)
    case .chandeMomentumOscillator where indicator.warmup == .none:
      method = .momentum(Momentum(period: indicator.period))
    case .chandeMomentumOscillator, .relativeStrengthIndex:
      // Wilder's average: a value counts for one of its period.
      var wilder = ExponentialAverage(period: indicator.period + 1, isSimple: indicator.warmup == .simple)
      wilder.weight = 1 / Double(indicator.period)
      method = .strength(up: wilder, down: wilder, last: 0)
    }
  }

  /// The indicator with one more value; `nil` as long as nothing is answered, and where it is infinite.
  mutating func add(_ value: Double) -> Double? {
    let answer = next(value)
    count += 1
    guard count > indicator.holdPeriod ?? warmCount else { return nil }
    switch indicator.function {
    case .tripleExponentialDerivative, .kaufmansEfficiencyRatio, .kaufmansAdaptiveMovingAverage:
      return answer.isInfinite ? nil : answer
    default: return answer
    }
  }

  /// Values until the answer is worth something.
  private var warmCount: Int {
    let period = indicator.period
    let isSimple = indicator.warmup == .simple
    return switch indicator.function {
    case .exponentialMovingAverage: period - 1
    case .doubleExponentialMovingAverage: (period - 1) * (isSimple ? 2 : 1)
    case .tripleExponentialMovingAverage: (period - 1) * (isSimple ? 3 : 1)
    case .tripleExponentialDerivative: (period - 1) * (isSimple ? 3 : 1) + 1
    case .kaufmansEfficiencyRatio, .kaufmansAdaptiveMovingAverage, .relativeStrengthIndex: period
    case .chandeMomentumOscillator: indicator.warmup == .none ? period - 1 : period
    }
  }

  private mutating func next(_ value: Double) -> Double {
    switch method {
    case .average(var average):
      let answer = average.add(value)
      method = .average(average)
      return answer
    case .averages(var chain):
      let values = Self.add(value, to: &chain)
      method = .averages(chain)
      return values.count == 2
        ? 2 * values[0] - values[1] : 3 * values[0] - 3 * values[1] + values[2]
    case .derivative(var chain, let last):
      let now = Self.add(value, to: &chain)[2]
      method = .derivative(chain, last: now)
      return (now / last - 1) * 100
    case .strength(var up, var down, let last):
      let (rise, fall) = (up.add(max(value - last, 0)), down.add(max(last - value, 0)))
      method = .strength(up: up, down: down, last: value)
      return indicator.function == .relativeStrengthIndex
        ? 100 - 100 / (1 + rise / fall) : 100 * ((rise - fall) / (rise + fall))
    case .efficiency(var ratio):
      let answer = ratio.add(value)
      method = .efficiency(ratio)
      return answer
    case .adaptive(var ratio, let last):
      let before = ratio.isWarm ? last : ratio.newest
      // Between the weights of averages of 2 and of 30 values.
      let scale = ratio.add(value) * (2.0 / (2.0 + 1.0) - 2.0 / (30.0 + 1.0)) + 2.0 / (30.0 + 1.0)
      let answer = before + scale * scale * (value - before)
      method = .adaptive(ratio, last: answer)
      return answer
    case .momentum(var momentum):
      let answer = momentum.add(value)
      method = .momentum(momentum)
      return answer
    }
  }

  /// Gives each average what the one before answers; one that is not warm yet is passed on as it is.
  private static func add(_ value: Double, to chain: inout [ExponentialAverage]) -> [Double] {
    var values: [Double] = []
    for index in chain.indices {
      let isDue = index == 0 || chain[index - 1].isWarm || !chain[index - 1].isSimple
      values.append(isDue ? chain[index].add(values.last ?? value) : values[index - 1])
    }
    return values
  }
}

/// An average in which the newest value has a fixed weight.
private struct ExponentialAverage {
  let isSimple: Bool
  var weight: Double
  private let period: Int
  private var last = 0.0
  private var count = 0

  init(period: Int, isSimple: Bool) {
    self.period = period
    self.isSimple = isSimple
    weight = 2 / Double(period + 1)
  }

  var isWarm: Bool { count == period }

  mutating func add(_ value: Double) -> Double {
    if count == 0 {
      last = value
    } else if isWarm {
      last = (value - last) * weight + last
    } else if isSimple {
      last = (last * Double(count) + value) / Double(count + 1)
    } else {
      // Not so much of the first value as its later weight would have.
      last = (value - last) * (2 / Double(count + 2)) + last
    }
    if count < period { count += 1 }
    return last
  }
}

/// How far values went in a period, by the length of the way: Kaufman's efficiency ratio.
private struct EfficiencyRatio {
  private var points: [(value: Double, step: Double)]
  private var noise = 0.0
  private var count = 0
  private var index = 0

  init(period: Int) { points = Array(repeating: (0, 0), count: period) }

  var isWarm: Bool { count == points.count + 1 }
  var newest: Double { points[index].value }

  mutating func add(_ value: Double) -> Double {
    let oldest = index + 1 < points.count ? index + 1 : 0
    let signal = abs(value - points[oldest].value)
    let step = abs(value - points[index].value)
    noise -= points[oldest].step
    noise += step
    index = oldest
    points[index] = (value, step)
    if !isWarm { count += 1 }
    return signal == 0 || noise == 0 ? 0 : signal / noise
  }
}

/// The rises less the falls of a period, in percent of both: Chande's oscillator.
private struct Momentum {
  private var points: [(value: Double, step: Double)]
  private var (rises, falls) = (0.0, 0.0)
  private var isFirst = true
  private var index = 0

  init(period: Int) { points = Array(repeating: (0, 0), count: period - 1) }

  mutating func add(_ value: Double) -> Double {
    let oldest = index + 1 < points.count ? index + 1 : 0
    let step = isFirst ? 0 : value - points[index].value
    isFirst = false
    if step > 0 { rises += step } else { falls -= step }
    let answer = rises != 0 || falls != 0 ? 100 * ((rises - falls) / (rises + falls)) : 0
    let left = points[oldest].step
    if left > 0 { rises -= left } else { falls += left }
    points[oldest] = (value, step)
    index = oldest
    return answer
  }
}

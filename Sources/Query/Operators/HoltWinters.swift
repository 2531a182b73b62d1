/// Forecasts a series at equal steps: the damped method of Holt and Winters, with multiplied seasons. Level, trend, seasons and the four
/// smoothing parameters are those of the least squared error, searched from 16 starts, all as InfluxDB does it.
struct HoltWinters {
  private static let epsilon = 1.0e-4
  /// A weight of first guesses where there are no seasons.
  private static let weight = 0.5
  /// Where the search begins, for each smoothing parameter.
  private static let guesses = [0.3, 0.7]
  /// Before the seasons: alpha, beta, gamma, phi, level, trend.
  private static let parameterCount = 6

  /// At each step; NaN where there is none.
  let values: [Double]
  /// Steps of a season; below two there are no seasons.
  let season: Int
  /// Asked all along; then the answer is of no worth.
  let isInterrupted: () -> Bool

  private var isSeasonal: Bool { season >= 2 }

  /// What is fitted to the values, the first as it is, and then `count` values more.
  func forecast(_ count: Int) -> [Double] {
    let start = guess()
    var (best, lowest): ([Double]?, Double) = (nil, .infinity)
    for alpha in Self.guesses {
      for beta in Self.guesses {
        for gamma in Self.guesses {
          for phi in Self.guesses {
            var search = NelderMead(
              start: [alpha, beta, gamma, phi] + start, epsilon: Self.epsilon, isInterrupted: isInterrupted,
              function: squaredError)
            let found = search.run()
            if isInterrupted() { return [Double](repeating: .nan, count: values.count + count) }
            if found.value < lowest || best == nil { (lowest, best) = (found.value, found.place) }
          }
        }
      }
    }
    var parameters = best ?? []
    return run(&parameters, count)
  }

  /// First guesses of level, trend and seasons; steps without a value are passed over.
  private func guess() -> [Double] {
    guard isSeasonal else {
      return [Self.weight * values[0], values[1].isNaN ? 0 : Self.weight * (values[1] - values[0])]
    }
    var (level, trend) = (0.0, 0.0)
    for step in 0..<season where !values[step].isNaN { level += (1 / Double(season)) * values[step] }
    for step in 0..<min(season, max(0, values.count - season))
    where !values[step].isNaN && !values[season + step].isNaN {
      trend += 1 / Double(season * season) * (values[season + step] - values[step])
    }
    return [level, trend] + values[..<season].map { $0.isNaN ? 0 : $0 / level }
  }

  private func squaredError(_ parameters: inout [Double]) -> Double {
    let fitted = run(&parameters, 0)
    var sum = 0.0
    for (fit, value) in zip(fitted, values) where !value.isNaN {
      if fit.isNaN { return .infinity }
      sum += (fit - value) * (fit - value)
    }
    return sum
  }

  /// Runs the recurrences over the values and `count` steps more.
  ///
  /// Puts the smoothing parameters into their bounds, and leaves the last seasons in the parameters: the search goes on from there, in
  /// InfluxDB too.
  private func run(_ parameters: inout [Double], _ count: Int) -> [Double] {
    for index in 0..<4 { parameters[index] = min(max(parameters[index], 0), 1) }
    let (alpha, beta, gamma, phi) = (parameters[0], parameters[1], parameters[2], parameters[3])
    var (level, trend, damping) = (parameters[4], parameters[5], phi)
    var value = values[0]
    var out = [value]
    out.reserveCapacity(values.count + count)
    let first = Self.parameterCount
    var shift = season - 1
    for step in 1..<(values.count + count) {
      var (past, ahead) = (1.0, 1.0)
      if isSeasonal {
        past = parameters[first + (step - season + shift) % season]
        ahead = parameters[first + (step - season + step % season + shift) % season]
      }
      let before = level
      let expected = before + phi * trend
      level = alpha * (value / past) + (1 - alpha) * expected
      let risen = beta * (level - before) + (1 - beta) * phi * trend
      if isSeasonal {
        parameters[first + (step + shift) % season] = gamma * (value / expected) + (1 - gamma) * past
        shift += 1
      }
      trend = risen
      value = (level + damping * trend) * ahead
      damping += Self.power(phi, step)
      out.append(value)
    }
    return out
  }

  /// By squaring, as Go's `math.Pow` does: the search is so sensitive that the last bit of a power shows in the answer.
  private static func power(_ base: Double, _ exponent: Int) -> Double {
    var (result, square, rest) = (1.0, base, exponent)
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      square *= square
      rest >>= 1
    }
    return result
  }
}

extension HoltWinters {
  /// The values of a stream at steps of `interval`, by InfluxDB's rounding; `nil` where there are too few.
  init?(
    times: [Int64], numbers: [Double], interval: Int64, season: Int, isInterrupted: @escaping () -> Bool
  ) {
    guard times.count >= 2, season < 2 || times.count >= season, let start = times.first,
      let last = times.last
    else { return nil }
    func step(_ time: Int64) -> Int64 { time / interval + (time % interval > interval / 2 ? 1 : 0) }
    guard step(last) > step(start) else { return nil }
    var values = [numbers[0]]
    for (time, number) in zip(times, numbers).dropFirst() {
      let place = Int(step(time) - step(start))
      guard place >= values.count else { continue }
      while values.count < place { values.append(.nan) }
      values.append(number)
    }
    guard season < 2 || values.count >= season else { return nil }
    self.init(values: values, season: season, isInterrupted: isInterrupted)
  }
}

import LineProtocol
import Storage

/// Applies a transformation to a stream, value after value in the order of the answer.
struct TransformOperator {
  let transform: Transform
  let isDescending: Bool
  /// Asked by what takes long, which then fails.
  var isInterrupted: () -> Bool = { false }

  func apply(_ input: Stream) throws(QueryFailure) -> Stream {
    let source = input.droppingNulls()
    let type = source.column.key.type
    var out = Stream(transform.answerType(for: type))
    guard source.column.presentCount > 0 else { return out }
    switch transform {
    case .movingAverage(let count): try movingAverage(source, count, &out)
    case .indicator(let indicator): try indicate(source, indicator, &out)
    case .cumulativeSum: try cumulativeSum(source, &out)
    case .holtWinters(let count, let season, let interval, let hasFit):
      forecast(source, count, season, interval, hasFit, &out)
    default: try pairwise(source, &out)
    }
    return out
  }

  private func append(_ word: UInt64, _ time: Int64, _ out: inout Stream) {
    out.column.append(word: word, rowCount: out.count)
    out.times.append(time)
  }

  /// Transformations of a value and the one before it; of several at one time the first counts, but to `elapsed`.
  private func pairwise(_ source: Stream, _ out: inout Stream) throws(QueryFailure) {
    var check = InterruptCheck(isInterrupted)
    let numbers = ValueEvaluator.doubles(source.column)
    let words = source.column.values
    let isElapsed = if case .elapsed = transform { true } else { false }
    var before = 0
    for row in 1..<max(source.count, 1) where isElapsed || source.times[row] != source.times[before] {
      try check.pass()
      let time = source.times[row]
      let distance = source.times[row] &- source.times[before]
      switch transform {
      case .derivative(let unit, let isNonNegative):
        let elapsed = Double(isDescending ? 0 &- distance : distance) / Double(unit)
        let value = (numbers[row] - numbers[before]) / elapsed
        if !isNonNegative || value >= 0 { append(value.bitPattern, time, &out) }
      case .difference(let isNonNegative):
        let rises = numbers[row] >= numbers[before]
        if !isNonNegative || rises {
          let word =
            source.column.key.type == .float
            ? (numbers[row] - numbers[before]).bitPattern : words[row] &- words[before]
          append(word, time, &out)
        }
      case .elapsed(let unit): append(UInt64(bitPattern: distance / unit), time, &out)
      default: break
      }
      before = row
    }
  }

  private func movingAverage(_ source: Stream, _ count: Int, _ out: inout Stream) throws(QueryFailure) {
    var check = InterruptCheck(isInterrupted)
    let numbers = ValueEvaluator.doubles(source.column)
    var sum = CompensatedSum()
    for row in numbers.indices {
      try check.pass()
      sum.add(numbers[row])
      if row >= count { sum.add(-numbers[row - count]) }
      if row >= count - 1 { append((sum.value / Double(count)).bitPattern, source.times[row], &out) }
    }
  }

  private func indicate(_ source: Stream, _ indicator: Indicator, _ out: inout Stream) throws(QueryFailure) {
    var check = InterruptCheck(isInterrupted)
    var state = IndicatorOperator(indicator)
    for (row, number) in ValueEvaluator.doubles(source.column).enumerated() {
      try check.pass()
      if let value = state.add(number) { append(value.bitPattern, source.times[row], &out) }
    }
  }

  private func forecast(
    _ source: Stream, _ count: Int, _ season: Int, _ interval: Int64, _ hasFit: Bool, _ out: inout Stream
  ) {
    guard
      let model = HoltWinters(
        times: source.times, numbers: ValueEvaluator.doubles(source.column), interval: interval, season: season,
        isInterrupted: isInterrupted)
    else { return }
    let values = model.forecast(count)
    let skipped = hasFit ? 0 : model.values.count
    let start = hasFit ? source.times[0] : source.times[source.count - 1] &+ interval
    for (place, value) in values[skipped...].enumerated() where !value.isNaN {
      append(value.bitPattern, start &+ Int64(place) &* interval, &out)
    }
  }

  private func cumulativeSum(_ source: Stream, _ out: inout Stream) throws(QueryFailure) {
    var check = InterruptCheck(isInterrupted)
    if source.column.key.type == .float {
      var sum = CompensatedSum()
      for row in 0..<source.count {
        try check.pass()
        sum.add(Double(bitPattern: source.column.values[row]))
        append(sum.value.bitPattern, source.times[row], &out)
      }
      return
    }
    var sum: UInt64 = 0
    for row in 0..<source.count {
      try check.pass()
      sum &+= source.column.values[row]
      append(sum, source.times[row], &out)
    }
  }
}

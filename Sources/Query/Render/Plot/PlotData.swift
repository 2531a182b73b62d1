import LineProtocol
import Storage

/// What a chart shows: lines over time, and the ranges they span.
package struct PlotData: Sendable {
  package struct Line: Sendable {
    /// What tells it from the others: measurement, group tags, column, as far as they differ.
    package var label: String
    /// Ascending by time; gaps are left out.
    package var times: [Int64] = []
    package var values: [Double] = []
  }
  package private(set) var lines: [Line] = []
  /// Lines past the limit, not drawn.
  package private(set) var omittedCount = 0
  package static let lineCountMax = 32
  /// First and last time of all lines; at least a second apart.
  package private(set) var times: ClosedRange<Int64> = 0...0
  /// In which times are shown, and what it is called.
  private(set) var zone = TimeZoneRules.utc
  private(set) var zoneName = "UTC"

  /// The numeric columns of all series with a time column; `nil` if there is no number to draw.
  package init?(_ results: [StatementResult]) {
    let series = results.flatMap(\.series).filter { $0.timestamps != nil }
    let hasSeveralNames = Set(series.map(\.name)).count > 1
    let hasSeveralColumns = Set(series.flatMap { $0.columnNames.dropFirst() }).count > 1
    for one in series {
      for (index, column) in one.columns.enumerated() where column.key.type <= .unsigned {
        var parts = one.tags.map { "\($0.key)=\($0.value)" }
        if hasSeveralNames { parts.insert(one.name, at: 0) }
        let name = one.columnNames[index + 1]
        if hasSeveralColumns || parts.isEmpty { parts.append(name) }
        let line = Self.line(parts.joined(separator: " "), one, column)
        if line.times.isEmpty { continue }
        if lines.count < Self.lineCountMax { lines.append(line) } else { omittedCount += 1 }
      }
    }
    if lines.isEmpty { return nil }
    times = Self.range(lines)
    if let name = results.lazy.map(\.timeZone).first(where: { !$0.isEmpty }),
      let rules = TimeZoneRules.load(name)
    {
      (zone, zoneName) = (rules, name)
    }
  }

  private static func line(_ label: String, _ series: ResultSeries, _ column: Column) -> Line {
    var points: [(Int64, Double)] = []
    for (row, time) in (series.timestamps ?? []).enumerated() where column.isPresent(row) {
      let word = column.values[row]
      let value: Double =
        switch column.key.type {
        case .float: Double(bitPattern: word)
        case .unsigned: Double(word)
        default: Double(Int64(bitPattern: word))
        }
      if value.isFinite { points.append((time, value)) }
    }
    points.sort { $0.0 < $1.0 }
    return Line(label: label, times: points.map(\.0), values: points.map(\.1))
  }

  private static func range(_ lines: [Line]) -> ClosedRange<Int64> {
    let first = lines.compactMap(\.times.first).min() ?? 0
    let last = lines.compactMap(\.times.last).max() ?? 0
    let span = last.subtractingReportingOverflow(first)
    if span.overflow || span.partialValue >= 1_000_000_000 { return first...last }
    let half = Int64(500_000_000)
    return max(first, .min + half) - half...min(last, .max - half) + half
  }

  /// Where ticks of the value axis stand: round numbers that enclose all values.
  package func valueTicks(count: Int) -> [Double] {
    let low = lines.compactMap { $0.values.min() }.min() ?? 0
    let high = lines.compactMap { $0.values.max() }.max() ?? 1
    return Self.ticks(low, high, count: count)
  }

  /// About `count` multiples of 1, 2 or 5 times a power of ten from at or below `low` to at or above `high`.
  package static func ticks(_ low: Double, _ high: Double, count: Int) -> [Double] {
    var (low, high) = (low, high)
    if high <= low {
      let half = low == 0 ? 1 : low.magnitude * 0.1
      (low, high) = (low - half, high + half)
    }
    // Divided before subtracted: the span of two large numbers is past what a number holds.
    let stepCount = Double(max(count - 1, 2))
    let rough = max(high / stepCount - low / stepCount, .leastNormalMagnitude)
    var power = 1.0
    while power > rough { power /= 10 }
    while power * 10 <= rough { power *= 10 }
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power * 10
    guard step.isFinite, low / step > -9e15, high / step < 9e15 else { return [low, high] }
    var first = Int64(low / step)
    if Double(first) * step > low { first -= 1 }
    var last = Int64(high / step)
    if Double(last) * step < high { last += 1 }
    // Multiples below one are divided, so that 0.3 is not 0.30000000000000004.
    let inverse = 1 / step
    let ticks = (first...last).map {
      step < 1 ? Double($0) / Double(Int64(inverse + 0.5)) : Double($0) * step
    }
    return ticks.allSatisfy(\.isFinite) ? ticks : [low, high]
  }

  /// How far below the highest tick a value lies: 0 there, 1 at the lowest.
  static func depth(of value: Double, in ticks: [Double]) -> Double {
    let (low, high) = (ticks.first ?? 0, ticks.last ?? 1)
    // Halves: as above.
    return (high / 2 - value / 2) / (high / 2 - low / 2)
  }

  /// A tick of the value axis as text: `1.5M`, `20k`, `0.25`.
  package static func valueLabel(_ value: Double) -> String {
    var (scaled, suffix) = (value, "")
    for (limit, letter) in [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")]
    where value.magnitude >= limit {
      (scaled, suffix) = (value / (letter == "k" ? 1e3 : limit), letter)
      break
    }
    var out: [UInt8] = []
    // Six digits are enough for an axis; they take off the noise of the division.
    let scale = scaled.magnitude < 1e6 ? 1e6 : 1
    out.appendFloat(
      scaled.magnitude < 1e-3 ? scaled : (scaled * scale + (scaled < 0 ? -0.5 : 0.5)).rounded0 / scale)
    return String(decoding: out, as: UTF8.self) + suffix
  }
}

extension Double {
  /// Cut to a whole number, towards zero; itself where it has no fraction that could be cut.
  fileprivate var rounded0: Double { magnitude < 9e15 ? Double(Int64(self)) : self }
}

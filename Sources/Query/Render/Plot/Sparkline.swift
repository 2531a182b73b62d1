/// A line of a chart in one line of text: `▁▂▅█▇▅▂▁`.
package struct Sparkline {
  /// What one line of the chart comes to.
  package struct Summary: Sendable {
    package var count: Int
    package var min: Double
    package var mean: Double
    package var max: Double
    package var last: Double
    /// One character a stretch of time, its height the mean of the values in it; blank where there is none.
    package var text: String
  }
  private static let blocks = Array("▁▂▃▄▅▆▇█")

  /// Sums a line up, over the time that all lines of the chart span.
  ///
  /// - Parameter width: characters.
  package static func summary(of line: PlotData.Line, in data: PlotData, width: Int = 24) -> Summary {
    var sums = [(sum: Double, count: Double)](repeating: (0, 0), count: width)
    let span = Double(data.times.upperBound) - Double(data.times.lowerBound)
    for (time, value) in zip(line.times, line.values) {
      let place = Int((Double(time) - Double(data.times.lowerBound)) / span * Double(width))
      sums[Swift.min(place, width - 1)].sum += value
      sums[Swift.min(place, width - 1)].count += 1
    }
    let low = line.values.min() ?? 0
    let high = line.values.max() ?? 0
    let characters = sums.map { sum, count -> Character in
      if count == 0 { return " " }
      // Halves: the difference of two large numbers is past what a number holds.
      let height = high > low ? (sum / count / 2 - low / 2) / (high / 2 - low / 2) : 0.5
      return blocks[Swift.max(0, Swift.min(blocks.count - 1, Int(height * Double(blocks.count))))]
    }
    let mean = line.values.reduce(0) { $0 + $1 / Double(line.values.count) }
    return Summary(
      count: line.values.count, min: low, mean: mean, max: high, last: line.values.last ?? 0,
      text: String(characters))
  }
}

/// What a line comes to where it has more points than the chart has places: least, mean and greatest value of each stretch of time.
package struct PlotBand {
  package struct Stretch: Equatable {
    /// In the middle of its points.
    package var time: Int64
    package var min: Double
    package var mean: Double
    package var max: Double
  }
  /// Ascending by time; stretches without points are left out.
  package private(set) var stretches: [Stretch] = []

  /// `nil` where the line has no more than two points a place.
  package init?(_ line: PlotData.Line, over times: ClosedRange<Int64>, placeCount: Int) {
    guard line.times.count > 2 * placeCount else { return nil }
    let span = Double(times.upperBound) - Double(times.lowerBound)
    var start = 0
    while start < line.times.count {
      let place = Self.place(line.times[start], times.lowerBound, span, placeCount)
      var end = start + 1
      while end < line.times.count, Self.place(line.times[end], times.lowerBound, span, placeCount) == place {
        end += 1
      }
      stretches.append(Self.stretch(line, start..<end))
      start = end
    }
  }

  private static func place(_ time: Int64, _ first: Int64, _ span: Double, _ count: Int) -> Int {
    Int((Double(time) - Double(first)) / span * Double(count))
  }

  private static func stretch(_ line: PlotData.Line, _ points: Range<Int>) -> Stretch {
    let values = line.values[points]
    let first = line.values[points.lowerBound]
    // Divided before added: a sum of large numbers is past what a number holds.
    return Stretch(
      time: line.times[points.lowerBound + points.count / 2], min: values.min() ?? first,
      mean: values.reduce(0) { $0 + $1 / Double(points.count) }, max: values.max() ?? first)
  }
}

/// Stretches of time in which the rows of a series are hidden: sorted, disjoint, with room between them.
struct TimeMask: Sendable, Equatable {
  private(set) var hidden: [Range<Int64>] = []

  /// The union with another stretch.
  mutating func insert(_ times: Range<Int64>) {
    guard !times.isEmpty else { return }
    var (start, end) = (times.lowerBound, times.upperBound)
    var kept: [Range<Int64>] = []
    for range in hidden {
      if range.upperBound < start || range.lowerBound > end {
        kept.append(range)
      } else {
        (start, end) = (min(start, range.lowerBound), max(end, range.upperBound))
      }
    }
    kept.insert(start..<end, at: kept.firstIndex { $0.lowerBound > end } ?? kept.count)
    hidden = kept
  }

  /// What of `times` is shown, ascending.
  func visible(in times: Range<Int64>) -> [Range<Int64>] {
    var (start, shown) = (times.lowerBound, [Range<Int64>]())
    for range in hidden where range.upperBound > start && range.lowerBound < times.upperBound {
      if range.lowerBound > start { shown.append(start..<range.lowerBound) }
      start = range.upperBound
    }
    if start < times.upperBound { shown.append(start..<times.upperBound) }
    return shown
  }

  /// First and last times with the hidden ends cut off: `nil` where nothing between them is shown.
  func cut(first: Int64, last: Int64) -> (first: Int64, last: Int64)? {
    var (first, last) = (first, last)
    if let range = hidden.first(where: { $0.contains(first) }) { first = range.upperBound }
    if let range = hidden.last(where: { $0.contains(last) }) {
      guard range.lowerBound > first else { return nil }
      last = range.lowerBound - 1
    }
    return first <= last ? (first, last) : nil
  }
}

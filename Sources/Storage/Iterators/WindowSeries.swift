package import LineProtocol

/// Where one run holds a series.
package struct SeriesSource: Sendable, Equatable {
  /// Index in `WindowSnapshot.runs`.
  package var run: Int
  /// The run's own number of the series.
  package var ordinal: UInt32
  /// First and last timestamp that the run holds of it.
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64
}

/// Series of one measurement in one window, in canonical order, each with the runs that hold it: flat, no object a series.
package struct WindowSeries: Sendable {
  /// `SeriesKey.bytes` one after another; series `i` is `keyBytes[keyRange(i)]`.
  package private(set) var keyBytes: [UInt8] = []
  private var keyEnds: [Int] = []
  private var sources: [SeriesSource] = []
  private var sourceEnds: [Int] = []

  package init() {}

  /// The series of one run that have rows in `times`.
  init(_ list: SeriesList, run: Int, times: Range<Int64>) {
    keyBytes.reserveCapacity(list.keyBytes.count)
    keyEnds.reserveCapacity(list.count)
    for index in 0..<list.count
    where list.firstTimestamps[index] < times.upperBound && list.lastTimestamps[index] >= times.lowerBound {
      keyBytes.append(contentsOf: list.keyBytes[list.keyRange(index)])
      keyEnds.append(keyBytes.count)
      sources.append(
        SeriesSource(
          run: run, ordinal: list.ordinals[index], firstTimestamp: list.firstTimestamps[index],
          lastTimestamp: list.lastTimestamps[index]))
      sourceEnds.append(sources.count)
    }
  }

  /// Series held.
  package var count: Int { keyEnds.count }

  /// Where series `index` lies in `keyBytes`.
  package func keyRange(_ index: Int) -> Range<Int> { (index == 0 ? 0 : keyEnds[index - 1])..<keyEnds[index] }

  /// Measurement and tags of a series; allocates.
  ///
  /// - Throws: `.corrupt` if a run gave bytes that are no key.
  package func key(_ index: Int) throws(StorageError) -> SeriesKey {
    let range = keyRange(index)
    guard let key = SeriesKey(validating: Array(keyBytes[range])) else {
      throw StorageError(.corrupt, "series \(index) of \(count) has a malformed key of \(range.count) bytes")
    }
    return key
  }

  /// The runs that hold series `index`, ascending by sequence number.
  package func sources(_ index: Int) -> ArraySlice<SeriesSource> {
    sources[(index == 0 ? 0 : sourceEnds[index - 1])..<sourceEnds[index]]
  }

  /// Bounds of the times of series `index` over all runs.
  package func timeRange(_ index: Int) -> ClosedRange<Int64> {
    var (first, last) = (Int64.max, Int64.min)
    for source in sources(index) {
      first = min(first, source.firstTimestamp)
      last = max(last, source.lastTimestamp)
    }
    return first...max(first, last)
  }

  /// The union of lists of ascending runs: two-way merges in a balanced tree, `count · log2(lists)` comparisons.
  static func union(_ lists: [WindowSeries]) -> WindowSeries {
    var level = lists.filter { $0.count > 0 }
    while level.count > 1 {
      var next: [WindowSeries] = []
      for index in stride(from: 0, to: level.count, by: 2) {
        next.append(index + 1 < level.count ? merged(level[index], level[index + 1]) : level[index])
      }
      level = next
    }
    return level.first ?? WindowSeries()
  }

  /// The union of two lists; `a` is of lower runs.
  private static func merged(_ a: WindowSeries, _ b: WindowSeries) -> WindowSeries {
    var out = WindowSeries()
    out.keyBytes.reserveCapacity(max(a.keyBytes.count, b.keyBytes.count))
    out.keyEnds.reserveCapacity(max(a.count, b.count))
    out.sources.reserveCapacity(a.sources.count + b.sources.count)
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      let order = seriesKeyOrder(
        a.keyBytes.span.extracting(a.keyRange(i)), b.keyBytes.span.extracting(b.keyRange(j)))
      out.append(from: order <= 0 ? a : b, order <= 0 ? i : j)
      if order == 0 {
        out.sources.append(contentsOf: b.sources(j))
        out.sourceEnds[out.sourceEnds.count - 1] = out.sources.count
      }
      if order <= 0 { i += 1 }
      if order >= 0 { j += 1 }
    }
    for index in i..<a.count { out.append(from: a, index) }
    for index in j..<b.count { out.append(from: b, index) }
    return out
  }

  /// The series for which `isKept` holds, asked in order.
  func filtered(_ isKept: (Int) -> Bool) -> WindowSeries {
    var out = WindowSeries()
    for index in 0..<count where isKept(index) { out.append(from: self, index) }
    return out
  }

  private mutating func append(from other: WindowSeries, _ index: Int) {
    keyBytes.append(contentsOf: other.keyBytes[other.keyRange(index)])
    keyEnds.append(keyBytes.count)
    sources.append(contentsOf: other.sources(index))
    sourceEnds.append(sources.count)
  }
}

package import LineProtocol

/// Where one run holds a series.
package struct SeriesSource: Sendable, Equatable {
  private let runIndex: UInt32
  /// The run's own number of the series.
  package var ordinal: UInt32
  /// First and last timestamp that the run holds of it.
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64

  package init(run: Int, ordinal: UInt32, firstTimestamp: Int64, lastTimestamp: Int64) {
    // There are as many of these as series in all runs: 24 bytes each.
    runIndex = UInt32(run)
    self.ordinal = ordinal
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
  }

  /// Index in `WindowSnapshot.runs`.
  package var run: Int { Int(runIndex) }
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
    let isWhole = (0..<list.count).allSatisfy {
      list.firstTimestamps[$0] < times.upperBound && list.lastTimestamps[$0] >= times.lowerBound
    }
    sources.reserveCapacity(list.count)
    sourceEnds.reserveCapacity(list.count)
    if isWhole {
      // The rule: the keys are shared, not copied.
      (keyBytes, keyEnds) = (list.keyBytes, list.keyEnds)
      for index in 0..<list.count { append(source: index, of: list, run: run) }
      return
    }
    keyBytes.reserveCapacity(list.keyBytes.count)
    keyEnds.reserveCapacity(list.count)
    for index in 0..<list.count
    where list.firstTimestamps[index] < times.upperBound && list.lastTimestamps[index] >= times.lowerBound {
      keyBytes.append(contentsOf: list.keyBytes[list.keyRange(index)])
      keyEnds.append(keyBytes.count)
      append(source: index, of: list, run: run)
    }
  }

  private mutating func append(source index: Int, of list: SeriesList, run: Int) {
    sources.append(
      SeriesSource(
        run: run, ordinal: list.ordinals[index], firstTimestamp: list.firstTimestamps[index],
        lastTimestamp: list.lastTimestamps[index]))
    sourceEnds.append(sources.count)
  }

  /// Adds a run of higher number that has each of the series, under the numbers that the first of its runs gives them.
  mutating func add(run: Int, times: SeriesTimes) {
    var all: [SeriesSource] = []
    all.reserveCapacity(sources.count + count)
    for index in 0..<count {
      let known = sources(index)
      all.append(contentsOf: known)
      all.append(
        SeriesSource(
          run: run, ordinal: known[known.startIndex].ordinal, firstTimestamp: times.firsts[index],
          lastTimestamp: times.lasts[index]))
    }
    sources = all
    for index in sourceEnds.indices { sourceEnds[index] += index + 1 }
  }

  /// Puts the runs of each series in order.
  mutating func sortSources() {
    for index in 0..<count {
      let range = (index == 0 ? 0 : sourceEnds[index - 1])..<sourceEnds[index]
      for place in range.dropFirst() where sources[place - 1].run > sources[place].run {
        sources[range].sort { $0.run < $1.run }
        break
      }
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

  /// The union of two lists; `a` is of lower runs.
  fileprivate static func merged(_ a: WindowSeries, _ b: WindowSeries) -> WindowSeries {
    if let all = a.taking(sourcesOf: b) { return all }
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

  /// Its own series with the sources of another list of higher runs, where that has no other series: the keys stay where they are.
  private func taking(sourcesOf other: WindowSeries) -> WindowSeries? {
    guard other.count <= count else { return nil }
    var places: [Int] = []
    places.reserveCapacity(other.count)
    var index = 0
    for theirs in 0..<other.count {
      let key = other.keyBytes.span.extracting(other.keyRange(theirs))
      var order = -1
      while index < count {
        order = seriesKeyOrder(keyBytes.span.extracting(keyRange(index)), key)
        if order >= 0 { break }
        index += 1
      }
      if order != 0 { return nil }
      places.append(index)
      index += 1
    }
    var out = WindowSeries()
    (out.keyBytes, out.keyEnds) = (keyBytes, keyEnds)
    out.sources.reserveCapacity(sources.count + other.sources.count)
    out.sourceEnds.reserveCapacity(count)
    var next = 0
    for index in 0..<count {
      out.sources.append(contentsOf: sources(index))
      if next < places.count, places[next] == index {
        out.sources.append(contentsOf: other.sources(next))
        next += 1
      }
      out.sourceEnds.append(out.sources.count)
    }
    return out
  }

  private mutating func append(from other: WindowSeries, _ index: Int) {
    keyBytes.append(contentsOf: other.keyBytes[other.keyRange(index)])
    keyEnds.append(keyBytes.count)
    sources.append(contentsOf: other.sources(index))
    sourceEnds.append(sources.count)
  }
}

/// The union of the lists of ascending runs, each taken in as it comes.
///
/// Lists are merged two by two as soon as the former is no more than twice as long: `count · log2(lists)` comparisons where all series
/// differ; and where runs hold the same series, which is the rule, no more than three lists are in memory at a time.
struct WindowSeriesUnion {
  private var lists: [WindowSeries] = []

  /// Takes in the list of a run above all before.
  mutating func add(_ list: WindowSeries) {
    if list.count == 0 { return }
    lists.append(list)
    while lists.count > 1, lists[lists.count - 2].count <= 2 * lists[lists.count - 1].count { mergeLast() }
  }

  /// All series with all their runs.
  mutating func finish() -> WindowSeries {
    while lists.count > 1 { mergeLast() }
    return lists.popLast() ?? WindowSeries()
  }

  private mutating func mergeLast() {
    let (last, former) = (lists.removeLast(), lists.removeLast())
    lists.append(WindowSeries.merged(former, last))
  }
}

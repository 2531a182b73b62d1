/// The series of a measurement in a window as `WindowSnapshot.series` has them, a piece at a time: each series with all its runs in one
/// piece, pieces in canonical order.
///
/// Holds at most about `countMax` series of all runs together, and their union: some 100 bytes each and their keys.
package struct WindowSeriesPieces {
  /// Series of all runs in memory at a time.
  package static let countMax = 16_384

  private struct RunSource {
    var run: Int
    var cursor: any SeriesCursor
    var list = SeriesList()
    /// Those before it are given out.
    var at = 0
    var isAtEnd = false
    var isCounted = false
    /// Whether all its rows are asked for.
    var isWhole = false
    /// Runs after it that have the same series under the same numbers: nothing but times is asked of them.
    var followers: [(run: Int, cursor: any SeriesCursor)] = []
  }

  private let window: WindowSnapshot
  private let measurement: [UInt8]
  private let times: Range<Int64>
  private let pieceCount: Int
  private var sources: [RunSource] = []
  /// What was looked at and passed over; whole when the last piece was given.
  package private(set) var counts = SelectionCounts()

  /// - Parameter readsWhole: all rows of all series are read: the times of a series may be wider than its rows.
  package init(
    _ window: WindowSnapshot, of measurement: [UInt8], where predicate: TagPredicate?, times: Range<Int64>,
    countMax: Int = WindowSeriesPieces.countMax, readsWhole: Bool = false
  ) throws(StorageError) {
    self.window = window
    self.measurement = measurement
    self.times = times.clamped(to: window.range)
    pieceCount = max(countMax / max(window.runs.count, 1), 1)
    if window.leavesOut(measurement, self.times) { return }
    for (index, run) in window.runs.enumerated() {
      let held = run.timeRange
      guard held.lowerBound < self.times.upperBound, held.upperBound >= self.times.lowerBound else {
        counts.note(skippedByTime: run)
        continue
      }
      let isWhole = readsWhole && predicate == nil && held.lowerBound >= self.times.lowerBound && held.upperBound < self.times.upperBound
      let cursor = isWhole ? try run.wholeSeriesCursor(of: measurement) : try run.seriesCursor(of: measurement, where: predicate)
      if isWhole, try follows(cursor, run: index) { continue }
      sources.append(RunSource(run: index, cursor: cursor, isWhole: isWhole))
    }
  }

  /// Whether a run before has the same series; it goes with that one then. Senders keep to their series, so one flush after another has
  /// the same.
  private mutating func follows(_ cursor: any SeriesCursor, run: Int) throws(StorageError) -> Bool {
    for index in sources.indices where sources[index].isWhole {
      guard try cursor.hasSeries(of: sources[index].cursor) else { continue }
      sources[index].followers.append((run, cursor))
      return true
    }
    return false
  }

  /// The next piece, never empty; `nil` at the end.
  package mutating func next() throws(StorageError) -> WindowSeries? {
    while true {
      for index in sources.indices { try fill(index) }
      guard sources.contains(where: { $0.at < $0.list.count }) else { return nil }
      let bound = self.bound
      var union = WindowSeriesUnion()
      for index in sources.indices {
        let taken = sources[index].at..<end(of: index, through: bound)
        if taken.isEmpty { continue }
        union.add(try series(taken, of: index))
        sources[index].at = taken.upperBound
      }
      var all = union.finish()
      if sources.contains(where: { !$0.followers.isEmpty }) { all.sortSources() }
      let piece = window.withoutDamaged(all, of: measurement)
      if piece.count > 0 { return piece }
    }
  }

  /// Some series of a run, and of those that follow it.
  private mutating func series(_ taken: Range<Int>, of index: Int) throws(StorageError) -> WindowSeries {
    let list = sources[index].list.slice(taken)
    var series = WindowSeries(list, run: sources[index].run, times: times)
    for follower in sources[index].followers.indices {
      var known = SeriesTimes()
      try sources[index].followers[follower].cursor.appendTimes(of: list.ordinals[...], to: &known)
      series.add(run: sources[index].followers[follower].run, times: known)
    }
    return series
  }

  private mutating func fill(_ index: Int) throws(StorageError) {
    while sources[index].at == sources[index].list.count, !sources[index].isAtEnd {
      guard let list = try sources[index].cursor.next(pieceCount) else {
        sources[index].isAtEnd = true
        continue
      }
      if !sources[index].isCounted {
        sources[index].isCounted = true
        let before = counts.tablesAsked
        counts.note(list, of: window.runs[sources[index].run])
        for follower in sources[index].followers { counts.note(list, of: window.runs[follower.run]) }
        if counts.tablesAsked > before { counts.windowsAsked = 1 }
      }
      (sources[index].list, sources[index].at) = (list, 0)
    }
  }

  /// The lowest last key of the runs that have more to come: through it every run has shown what it has. `nil`: all have.
  private var bound: (source: Int, series: Int)? {
    var lowest: (source: Int, series: Int)?
    for index in sources.indices where !sources[index].isAtEnd {
      let last = (source: index, series: sources[index].list.count - 1)
      if let known = lowest, compare(known, last) <= 0 { continue }
      lowest = last
    }
    return lowest
  }

  /// How far a run's series go through a key.
  private func end(of index: Int, through bound: (source: Int, series: Int)?) -> Int {
    guard let bound else { return sources[index].list.count }
    var (low, high) = (sources[index].at, sources[index].list.count)
    while low < high {
      let middle = (low + high) / 2
      if compare((index, middle), bound) <= 0 { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private func compare(_ a: (source: Int, series: Int), _ b: (source: Int, series: Int)) -> Int {
    let (x, y) = (sources[a.source].list, sources[b.source].list)
    return seriesKeyOrder(
      x.keyBytes.span.extracting(x.keyRange(a.series)), y.keyBytes.span.extracting(y.keyRange(b.series)))
  }
}

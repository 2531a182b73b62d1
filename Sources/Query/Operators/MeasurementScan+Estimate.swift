import Storage

/// How much a scan will find, before it is run.
extension MeasurementScan {
  /// Whether a window may have more series than some.
  func isWide(_ window: WindowSnapshot, than seriesCount: Int) -> Bool {
    window.runs.reduce(0) { $0 + $1.seriesCountMax } > seriesCount
  }

  /// Rows of the windows in the times asked for, as if they were spread evenly.
  func rowCount(of windows: [WindowSnapshot]) -> Double {
    windows.reduce(0) { sum, window in
      window.runs.reduce(sum) { $0 + Double($1.rowCount) * share(of: $1.timeRange) }
    }
  }

  /// The same of some series, each with its run's average of rows.
  func rowCount(of lists: [MeasurementScan.KnownSeries], in windows: [WindowSnapshot]) -> Double {
    var sum = 0.0
    for (list, window) in zip(lists, windows) {
      let averages = window.runs.map { Double($0.rowCount) / Double(max($0.seriesCountMax, 1)) }
      for index in 0..<list.series.count {
        for source in list.series.sources(index) {
          sum += averages[source.run] * share(of: source.firstTimestamp...source.lastTimestamp)
        }
      }
    }
    return sum
  }

  /// What would be looked at, and about how many rows read: from times, filters and tag indexes alone.
  func outline() throws -> (counters: ScanCounters, rowCount: Double) {
    var (counters, rowCount) = (ScanCounters(), 0.0)
    guard !columns.isEmpty, !times.isEmpty else { return (counters, rowCount) }
    let seen = snapshot.clipped(times)
    let windows = snapshot.windows(in: times)
    counters.windows = windows.count
    counters.windowsByTime = snapshot.windows.count - windows.count
    for window in windows {
      var pieces = try WindowSeriesPieces(window, of: measurement, where: condition?.predicate, times: seen)
      while let series = try pieces.next() {
        if isCancelled() { throw QueryFailure.interrupted }
        counters.series += series.count
        rowCount += self.rowCount(of: [(series, SelectionCounts())], in: [window])
      }
      counters.selection += pieces.counts
    }
    return (counters, rowCount)
  }

  /// How much of some times is asked for, 0 to 1.
  private func share(of held: ClosedRange<Int64>) -> Double {
    let first = max(held.lowerBound, times.lowerBound)
    let last = min(held.upperBound, times.upperBound)
    let length = Double(held.upperBound) - Double(held.lowerBound)
    if first > last { return 0 }
    return length > 0 ? (Double(last) - Double(first)) / length : 1
  }
}

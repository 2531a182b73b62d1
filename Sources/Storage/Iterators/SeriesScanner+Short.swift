import LineProtocol

/// Many short series at a time, for merges.
extension SeriesScanner {
  /// Replaces `batch`, whose rows `makeBatch` made, with whole short series, the first ones from `first` on; answers how many. 0: the series
  /// is to be read by `begin`. For ascending scans that convert nothing.
  package func readShort(from first: Int, into batch: inout ShortSeriesBatch) throws(StorageError) -> Int {
    batch.reset()
    let times = times.clamped(to: window.range)
    // Strings have no bound of bytes here; they go one series at a time.
    if columns.contains(where: { $0.type == .string }) { return 0 }
    return try guarded { () throws(StorageError) in
      guard window.runs.count == 1 else { return try joinShort(from: first, times: times, into: &batch) }
      let plan = try cursor(of: 0).plan
      guard plan.isDirect else { return 0 }
      return try plan.reader.readShort(
        series.count - first, ordinal: { series.sources(first + $0).first?.ordinal ?? 0 }, times: times, into: &batch)
    }
  }

  private func joinShort(
    from first: Int, times: Range<Int64>, into batch: inout ShortSeriesBatch
  ) throws(StorageError) -> Int {
    var join = if let shortJoin { shortJoin } else { try makeShortJoin() }
    // One owner at a time, so that nothing is copied.
    shortJoin = nil
    defer { shortJoin = join }
    guard !join.inputs.isEmpty else { return 0 }
    join.reset()
    while first + batch.count < series.count, batch.hasRoom,
      try join.lay(series.sources(first + batch.count), times: times)
    {
      batch.ends.append(join.rowCount)
    }
    if batch.count > 0 { join.gather(into: &batch.rows) }
    return batch.count
  }

  /// The runs' readers; none where a run's rows are not shared by series, or types of one name hide each other.
  private func makeShortJoin() throws(StorageError) -> ShortSeriesJoin {
    var inputs: [ShortSeriesJoin.Input] = []
    for run in window.runs.indices {
      let cursor = try cursor(of: run)
      guard cursor.isUniform, let reader = cursor.plan.reader as? any SharedRowsReader else { return ShortSeriesJoin([]) }
      let feeds = cursor.plan.sources
      guard feeds.allSatisfy({ $0.count == 1 && $0[0].conversion == .identity }) else { return ShortSeriesJoin([]) }
      inputs.append(ShortSeriesJoin.Input(reader, columns: feeds.map { $0[0].column }))
    }
    return ShortSeriesJoin(inputs)
  }
}

import Coding

/// Tables with the same series, which flushes of the same senders make.
extension SeriesSelection {
  /// Whether another table has the same series in the same order: all that tells keys is the same to the byte.
  ///
  /// Mostly told by the lengths of blocks; where they are equal, at the cost of reading the dictionary.
  func hasSeries(of other: SeriesSelection) throws(StorageError) -> Bool {
    guard top.name == other.top.name, top.seriesCount == other.top.seriesCount, top.tagKeys.count == other.top.tagKeys.count
    else { return false }
    for (mine, theirs) in zip(top.tagKeys, other.top.tagKeys) where !Self.isAlike(mine, theirs) { return false }
    for (mine, theirs) in zip(top.tagKeys, other.top.tagKeys) {
      guard try isEqual(mine.codes, other, theirs.codes), try isEqual(mine.values, other, theirs.values) else { return false }
    }
    return true
  }

  private static func isAlike(_ mine: MeasurementTop.TagKey, _ theirs: MeasurementTop.TagKey) -> Bool {
    mine.name == theirs.name && mine.valueCount == theirs.valueCount && mine.codes.byteCounts == theirs.codes.byteCounts
      && mine.values.byteCounts == theirs.values.byteCounts && mine.firstPlaces == theirs.firstPlaces
      && mine.firstValues == theirs.firstValues
  }

  /// Whether blocks hold the same bytes.
  private func isEqual(_ mine: BlockRun, _ other: SeriesSelection, _ theirs: BlockRun) throws(StorageError) -> Bool {
    for index in 0..<mine.count {
      let block = try table.source.block(mine.handle(index))
      guard block.payload == (try other.table.source.block(theirs.handle(index)).payload) else { return false }
    }
    return true
  }

  /// Appends first and last timestamps of some series, in order.
  mutating func appendTimes(
    of ordinals: ArraySlice<UInt32>, to list: inout SeriesTimes
  ) throws(StorageError) {
    var at = ordinals.startIndex
    while at < ordinals.endIndex {
      let first = Int(ordinals[at]) / TableFormat.miniBlockCount * TableFormat.miniBlockCount
      let rows = first..<min(first + TableFormat.miniBlockCount, top.seriesCount)
      let (firsts, lasts) = try decodeTimes(rows)
      while at < ordinals.endIndex, rows.contains(Int(ordinals[at])) {
        list.firsts.append(Int64(bitPattern: firsts[Int(ordinals[at]) - first]))
        list.lasts.append(Int64(bitPattern: lasts[Int(ordinals[at]) - first]))
        at += 1
      }
    }
  }

  /// First and last timestamps of neighbours.
  mutating func decodeTimes(_ rows: Range<Int>) throws(StorageError) -> (firsts: [UInt64], lasts: [UInt64]) {
    try load(top.firstTimestamps, kind: .timestamp, rows: rows)
    let firsts = words
    try load(top.lastTimestamps, kind: .timestamp, rows: rows)
    return (firsts, words)
  }
}

import Coding
import LineProtocol

extension TableWriter {
  /// Whether it is to end before another series begins.
  package var isFull: Bool {
    properties.seriesCount > 0 && (sink.offset >= options.byteCountTarget || properties.seriesCount >= options.seriesCountTarget)
  }

  /// Appends whole short series from `first` on, until all are taken or the table is full; answers how many it took.
  ///
  /// The same as `beginSeries` and `append` for each of them, at a fraction of the cost. Series without rows leave no trace.
  ///
  /// - Parameters:
  ///   - batch: without strings.
  ///   - keys: the flat forms of the series' keys, in canonical order; `range` says where that of each lies.
  package func append(
    _ batch: ShortSeriesBatch, from first: Int, keys: [UInt8], range: (Int) -> Range<Int>
  ) throws(StorageError) -> Int {
    try endSeries()
    var index = first
    // Rows that are in the dictionary and not in `short` yet.
    var waiting = first < batch.count ? batch.range(first).lowerBound..<batch.range(first).lowerBound : 0..<0
    while index < batch.count, !isFull {
      let rows = batch.range(index)
      defer { index += 1 }
      if rows.isEmpty { continue }
      try begin(keys, range(index))
      // The measurement's columns begin with its first series.
      let ordinal = try register(batch, rows)
      if short.count + rows.upperBound - waiting.lowerBound > TableFormat.groupRowCountMax {
        short.append(batch.rows, rows: waiting, fields: fields.numbers(of: batch.rows.columns))
        waiting = rows.lowerBound..<rows.lowerBound
        try writeShortGroup()
      }
      shortSeries.append((ordinal, short.count + rows.lowerBound - waiting.lowerBound))
      waiting = waiting.lowerBound..<rows.upperBound
    }
    if !waiting.isEmpty { short.append(batch.rows, rows: waiting, fields: fields.numbers(of: batch.rows.columns)) }
    return index - first
  }

  /// Enters a series and where and when its rows are; answers its number.
  private func register(_ batch: ShortSeriesBatch, _ rows: Range<Int>) throws(StorageError) -> Int {
    let times = batch.rows.timestamps
    precondition(rows.upperBound <= times.count, "series to row \(rows.upperBound) of \(times.count)")
    let (first, last) = (times[rows.lowerBound], times[rows.upperBound - 1])
    for row in rows.dropFirst() where times[row - 1] >= times[row] {
      throw invalid("row at \(times[row]) follows one at \(times[row - 1])")
    }
    try open(first: first, last: last)
    let ordinal = dictionary.series.count - 1
    dictionary.setExtent(of: ordinal, rowCount: rows.count, first: first, last: last)
    close(first: first, last: last)
    return ordinal
  }
}

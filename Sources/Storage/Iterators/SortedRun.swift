package import LineProtocol

/// What can be merged: a part of the memtable, or a table. Series in canonical order (`SeriesKey`), rows by time.
///
/// Immutable as seen through a reader; safe from several threads.
package protocol SortedRun: AnyObject, Sendable {
  /// The numbers of the batches whose rows it holds. Runs of one window have disjoint ranges.
  var sequenceRange: ClosedRange<UInt64> { get }
  /// First and last timestamp held.
  var timeRange: ClosedRange<Int64> { get }
  /// Points held.
  var rowCount: Int { get }
  /// Bytes of the file where the run is a table; `nil` where it lies in memory.
  var tableByteCount: UInt64? { get }
  /// The run that lies on the disk or in memory, where this one only leaves out what is deleted.
  var unmasked: any SortedRun { get }
  /// Why nothing of it can be read, where that is known.
  var damage: StorageError? { get }
  /// What of a measurement is known not to be readable: what was met so far.
  func damage(of measurement: [UInt8]) -> RunDamage
  /// The measurements, sorted by bytes.
  func measurements() throws(StorageError) -> [[UInt8]]
  /// Every field of a measurement with each of its types, sorted by name, then type; empty if it is not here.
  func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey]
  /// The tag keys of a measurement, sorted.
  func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]]
  /// The values that series of a measurement which satisfy a predicate (`nil`: all) have of a tag key, without making a list of the series;
  /// `nil` where only that tells. Of more than `countMax` the first ones are enough. Throws `.cancelled` once `isCancelled` says so.
  func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList?
  /// The series of a measurement that satisfy a predicate (`nil`: all), in canonical order.
  ///
  /// Asks filter and index first: a run that cannot hold one is not read.
  func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError) -> SeriesList
  /// The same, a piece at a time.
  func seriesCursor(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError) -> any SeriesCursor
  /// The same, of all series, for who reads all their rows: the times of each may be the run's. In memory that spares a look at every
  /// chunk.
  func wholeSeriesCursor(of measurement: [UInt8]) throws(StorageError) -> any SeriesCursor
  /// No fewer than the series that it holds of all measurements; cheap.
  var seriesCountMax: Int { get }
  /// A reader of rows for one thread: `fields` of one measurement, in that order; one that the run lacks is absent in all rows.
  func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader
}

extension SortedRun {
  package var tableByteCount: UInt64? { nil }
  package var unmasked: any SortedRun { self }
  package var damage: StorageError? { nil }
  package var seriesCountMax: Int { rowCount }
  package func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList? { nil }
  package func seriesCursor(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> any SeriesCursor {
    WholeListCursor(try series(of: measurement, where: predicate))
  }
  package func wholeSeriesCursor(of measurement: [UInt8]) throws(StorageError) -> any SeriesCursor {
    try seriesCursor(of: measurement, where: nil)
  }
  package func damage(of measurement: [UInt8]) -> RunDamage { RunDamage() }
}

/// Some series of a run, flat.
package struct SeriesList: Sendable {
  /// `SeriesKey.bytes` one after another; series `i` is `keyBytes[keyEnds[i - 1] ..< keyEnds[i]]`.
  package var keyBytes: [UInt8] = []
  package var keyEnds: [Int] = []
  /// The run's own number of each series.
  package var ordinals: [UInt32] = []
  /// First and last timestamp of each.
  package var firstTimestamps: [Int64] = []
  package var lastTimestamps: [Int64] = []
  /// Row groups that the run has of the measurement; 0 for one in memory.
  package var rowGroupCount = 0
  /// Empty because the run's Bloom filter does not have a value that was asked for.
  package var isSkippedByFilter = false

  package init() {}

  package var count: Int { ordinals.count }

  package func keyRange(_ index: Int) -> Range<Int> { (index == 0 ? 0 : keyEnds[index - 1])..<keyEnds[index] }

  /// Some of them, neighbours.
  func slice(_ range: Range<Int>) -> SeriesList {
    if range == 0..<count { return self }
    var out = SeriesList()
    let start = range.lowerBound == 0 ? 0 : keyEnds[range.lowerBound - 1]
    out.keyBytes = Array(keyBytes[start..<(range.isEmpty ? start : keyEnds[range.upperBound - 1])])
    out.keyEnds = keyEnds[range].map { $0 - start }
    out.ordinals = Array(ordinals[range])
    out.firstTimestamps = Array(firstTimestamps[range])
    out.lastTimestamps = Array(lastTimestamps[range])
    return out
  }

  /// Makes room for so many series in all, and for their keys of about so many bytes each: taken once, memory is not moved, which costs
  /// as much as the keys.
  mutating func reserve(perKey keyByteCount: Int, count: Int) {
    keyBytes.reserveCapacity((keyByteCount + keyByteCount / 16 + 1) * count)
    keyEnds.reserveCapacity(count)
    ordinals.reserveCapacity(count)
    firstTimestamps.reserveCapacity(count)
    lastTimestamps.reserveCapacity(count)
  }

  package mutating func append(key: some Collection<UInt8>, ordinal: UInt32, firstTimestamp: Int64, lastTimestamp: Int64) {
    keyBytes.append(contentsOf: key)
    append(keyEnd: keyBytes.count, ordinal: ordinal, firstTimestamp: firstTimestamp, lastTimestamp: lastTimestamp)
  }

  /// Appends keys that were noted beforehand, and forgets them.
  mutating func take(_ keys: inout Buffer<UInt8>) {
    unsafe keyBytes.append(contentsOf: keys.elements)
    keys.reset()
  }

  /// Appends a series whose key is to follow (`take`).
  @inline(__always) mutating func append(keyEnd: Int, ordinal: UInt32, firstTimestamp: Int64, lastTimestamp: Int64) {
    keyEnds.append(keyEnd)
    ordinals.append(ordinal)
    firstTimestamps.append(firstTimestamp)
    lastTimestamps.append(lastTimestamp)
  }
}

/// A stretch of rows of one series inside a run, known before it is decoded.
package struct RowGroupSpan: Sendable, Equatable {
  package var rowCount: Int
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64

  package init(rowCount: Int, firstTimestamp: Int64, lastTimestamp: Int64) {
    self.rowCount = rowCount
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
  }
}

/// The values of a column over a stretch of which every row has one, or none has.
package struct StretchValues {
  /// As in `Column.values`, a row each; empty where no row has a value.
  package var words: ArraySlice<UInt64> = []
  /// Times of the first and the last row.
  package var firstTimestamp: Int64
  package var lastTimestamp: Int64
}

/// Reads the rows of one series after another. One thread; `begin`, then `next` until `nil`; after a throw, the same throw.
///
/// Spans come ascending by time and do not overlap, or descending when asked; rows inside a batch always ascend.
package protocol RunReader: AnyObject {
  /// Goes to a series by its ordinal. Only rows in `times` count.
  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError)
  /// The next stretch; `rowCount` and times are those of rows in `times`, or bounds of them where only decoding can tell.
  func next() throws(StorageError) -> RowGroupSpan?
  /// The statistics of a column (index in the reader's fields) over the whole stretch; `nil` where they are not kept or
  /// the stretch is cut by `times`. A column that the stretch lacks has `count` 0.
  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics?
  /// The values of a column (index in the reader's fields) over the whole stretch without the times of its rows, where all rows have
  /// one, or none has; `nil` where that costs no less than `read`.
  func stretchValues(_ column: Int) throws(StorageError) -> StretchValues?
  /// Fills an empty batch, whose columns are the reader's fields, with the last row of the stretch, which is of `time`, as statistics have
  /// it; `false` where they do not. The batch has the time already.
  func readLastRow(of time: Int64, into batch: inout ColumnBatch) throws(StorageError) -> Bool
  /// The rows of the stretch, replacing what is in `batch`, whose columns are the reader's fields.
  func read(into batch: inout ColumnBatch) throws(StorageError)
  /// The same, where a condition decides which rows count: `choose` is given rows with the columns that are `deciding`, and says with a bit a row
  /// which are wanted; of these alone the others are decoded.
  ///
  /// - Returns: `false` where the batch has all rows, and nobody was asked.
  func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> Bool
  /// The reader that does the work, where this one only leaves out what is hidden: it stands at the same stretch.
  var unmasked: any RunReader { get }
  /// What it did so far; `nil` where it does not count, because its rows lie in memory.
  var counts: RowGroupCounts? { get }
  /// Bytes of the blocks that `read` would decode; 0 in memory.
  func stretchByteCount() throws(StorageError) -> UInt64
  /// Fills an empty batch, whose columns are the reader's fields without strings, with whole short series: `ordinal` of 0, 1 … below `count`. Answers
  /// how many it took; 0 where the first is not short, or is better read by `begin`.
  func readShort(
    _ count: Int, ordinal: (Int) -> UInt32, times: Range<Int64>, into batch: inout ShortSeriesBatch
  ) throws(StorageError) -> Int
}

extension RunReader {
  package func readLastRow(of time: Int64, into batch: inout ColumnBatch) throws(StorageError) -> Bool {
    for index in batch.columns.indices {
      // Of strings no values are kept.
      guard batch.columns[index].key.type != .string, let known = try statistics(index) else { return false }
      batch.columns[index].takeLast(known, at: time)
    }
    return true
  }
  package func stretchValues(_ column: Int) throws(StorageError) -> StretchValues? { nil }
  package func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> Bool {
    try read(into: &batch)
    return false
  }
  package func readShort(
    _ count: Int, ordinal: (Int) -> UInt32, times: Range<Int64>, into batch: inout ShortSeriesBatch
  ) throws(StorageError) -> Int { 0 }
  package var unmasked: any RunReader { self }
  package var counts: RowGroupCounts? { nil }
  package func stretchByteCount() throws(StorageError) -> UInt64 { 0 }
}

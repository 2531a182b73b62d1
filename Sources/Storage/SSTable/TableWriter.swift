import Coding
package import LineProtocol

/// Writes one table: series in canonical order, each with its rows in time order.
///
/// `beginSeries`, `append` (any number), and so on; `finish`. A throw leaves a file that nothing names and a writer that must
/// not be used. Memory: the rows of two row groups, the dictionary and index of one measurement, 8 bytes a filter key.
package final class TableWriter {
  let file: any StoredFile
  let identity: TableIdentity
  let options: TableOptions
  var sink: BlockSink
  var properties: TableProperties
  /// Hashes of the filter's keys.
  var hashes: [UInt64] = []
  /// The measurements that are written, with their tops.
  var directory: [(name: [UInt8], handle: BlockHandle)] = []
  var sections = SectionEncoder()

  /// The measurement under way.
  var dictionary = DictionaryBuilder(measurement: [])
  var index = RowGroupIndexBuilder()
  var fields = FieldNumbers()
  var measurementRowCount = 0
  var measurementTimes: (first: Int64, last: Int64) = (.max, .min)

  /// The rows of the series under way that are not in a row group yet.
  var pending = RowBuffer()
  /// Whole short series that wait for a row group, and where each begins.
  var short = RowBuffer()
  var shortSeries: [(ordinal: Int, row: Int)] = []
  var payload: [UInt8] = []
  private var key = ParsedSeriesKey()
  private var lastKey = ParsedSeriesKey()
  /// Tags that both begin with.
  private var sharedTagCount = 0
  private var hasKey = false
  /// The series is in the dictionary: it has rows.
  private var isRegistered = false
  private var seriesRowCount = 0
  private var seriesTimes: (first: Int64, last: Int64) = (0, 0)
  /// Row of the measurement at which its first own row group begins.
  private var seriesRowStart: Int?

  /// Begins a table in an empty file.
  package init(
    file: any StoredFile, identity: TableIdentity, options: TableOptions = TableOptions()
  ) throws(StorageError) {
    self.file = file
    self.identity = identity
    self.options = options
    properties = TableProperties(identity: identity)
    sink = BlockSink(file: file, bufferByteCount: options.bufferByteCount)
    var header: [UInt8] = []
    TableHeader.encode(to: &header)
    try sink.appendRaw(header)
  }

  /// Bytes of the file so far, without what waits for a row group.
  package var byteCount: UInt64 { sink.offset }
  /// Series with rows so far.
  package var seriesCount: Int { properties.seriesCount }

  /// Goes to the next series, which must come after the last in canonical order. One that gets no rows leaves no trace.
  package func beginSeries(_ key: SeriesKey) throws(StorageError) {
    try endSeries()
    try begin(key.bytes, key.bytes.indices)
  }

  /// Goes to the series whose key's flat form is a range of some bytes, after the one before it was ended.
  func begin(_ keys: [UInt8], _ range: Range<Int>) throws(StorageError) {
    if isRegistered { swap(&lastKey, &key) }
    let isFirst = properties.seriesCount == 0
    guard let sharedCount = key.parse(keys, range, after: lastKey) else { throw invalid("series key is not well formed") }
    sharedTagCount = sharedCount
    guard isFirst || ParsedSeriesKey.compare(lastKey, key, sharing: sharedCount) < 0 else {
      throw invalid("series \(properties.seriesCount) does not come after the one before it")
    }
    (hasKey, isRegistered, seriesRowCount, seriesRowStart) = (true, false, 0, nil)
  }

  /// Appends rows of the series, later than those before. Columns may be any of the measurement's, in any order.
  package func append(_ batch: ColumnBatch) throws(StorageError) {
    guard let first = batch.timestamps.first, let last = batch.timestamps.last else { return }
    var previous = first
    for time in batch.timestamps.dropFirst() {
      guard previous < time else { throw invalid("row at \(time) follows one at \(previous)") }
      previous = time
    }
    try open(first: first, last: last)
    pending.append(batch, fields: fields.numbers(of: batch.columns))
    seriesRowCount += batch.count
    seriesTimes.last = last
    let (groupMax, longMin) = (TableFormat.groupRowCountMax, TableFormat.longSeriesRowCount)
    while pending.count >= groupMax + longMin { try writeOwnGroup(rowCount: groupMax) }
    while pending.stringByteCount >= Self.stringByteCountMax {
      // So many rows as have that many bytes if all are alike; lines are limited, so no block can come near its bound.
      let alike = Int(
        Double(pending.count) * Double(Self.stringByteCountMax) / Double(pending.stringByteCount))
      try writeOwnGroup(rowCount: max(1, min(alike, groupMax)))
    }
  }

  /// Strings of a row group beyond which it is cut, whatever its rows.
  static let stringByteCountMax = 16 << 20

  /// Takes the rows of an undecoded row group of the series: `first` to `last`, `rowCount` of them, copied by `write`,
  /// which gets the row of the measurement at which they begin.
  func appendOwnGroup(
    first: Int64, last: Int64, rowCount: Int, write: (_ ordinal: Int) throws(StorageError) -> Void
  ) throws(StorageError) {
    try open(first: first, last: last)
    while pending.count > 0 { try writeOwnGroup(rowCount: min(pending.count, TableFormat.groupRowCountMax)) }
    if seriesRowStart == nil { seriesRowStart = measurementRowCount }
    seriesRowCount += rowCount
    seriesTimes.last = last
    try write(dictionary.series.count - 1)
  }

  /// Checks the times of what comes next, and gives the series its number with its first rows.
  func open(first: Int64, last: Int64) throws(StorageError) {
    guard hasKey else { throw invalid("rows before a series") }
    guard identity.window.contains(first), identity.window.contains(last) else {
      throw invalid("rows at \(first)…\(last) outside of the window \(identity.window)")
    }
    guard !isRegistered else {
      guard first > seriesTimes.last else {
        throw invalid("row at \(first) follows one at \(seriesTimes.last)")
      }
      return
    }
    // A series that shares tags with the one before is of its measurement.
    if properties.seriesCount == 0 || sharedTagCount == 0 && !key.isOf(dictionary.measurement) {
      try endMeasurement()
      dictionary = DictionaryBuilder(measurement: Array(key.bytes[key.measurement]))
    }
    isRegistered = true
    seriesTimes = (first, first)
    properties.seriesCount += 1
    hashes.append(key.filterHash)
    dictionary.append(key, sharedTagCount: dictionary.series.isEmpty ? 0 : sharedTagCount, hashes: &hashes)
  }

  func invalid(_ detail: String) -> StorageError { StorageError(.invalid, file: file.name, detail) }

  /// Settles where the rows of the series under way go: row groups of its own, or the one that short series share.
  func endSeries() throws(StorageError) {
    guard hasKey, isRegistered else { return }
    let ordinal = dictionary.series.count - 1
    if seriesRowStart != nil || pending.count >= TableFormat.longSeriesRowCount {
      while pending.count > 0 {
        let isOne = pending.count <= TableFormat.groupRowCountMax
        try writeOwnGroup(rowCount: isOne ? pending.count : pending.count / 2)
      }
    } else {
      if short.count + pending.count > TableFormat.groupRowCountMax
        || short.stringByteCount + pending.stringByteCount > Self.stringByteCountMax
      {
        try writeShortGroup()
      }
      shortSeries.append((ordinal, short.count))
      short.append(pending)
      pending.reset()
    }
    dictionary.setExtent(
      of: ordinal, rowCount: seriesRowCount, first: seriesTimes.first, last: seriesTimes.last)
    if let seriesRowStart { dictionary.setRows(of: ordinal, start: seriesRowStart) }
    close(first: seriesTimes.first, last: seriesTimes.last)
  }

  /// The series under way, with rows of these times, is settled.
  func close(first: Int64, last: Int64) {
    measurementTimes.first = min(measurementTimes.first, first)
    measurementTimes.last = max(measurementTimes.last, last)
    hasKey = false
  }

  /// Writes the first rows of the series under way as a row group of its own.
  private func writeOwnGroup(rowCount: Int) throws(StorageError) {
    if seriesRowStart == nil { seriesRowStart = measurementRowCount }
    pending.padColumns()
    try writeGroup(pending, rows: 0..<rowCount, firstSeries: dictionary.series.count - 1, seriesCount: 1)
    if rowCount == pending.count { pending.reset() } else { pending.removeFirst(rowCount) }
  }

  /// Writes the short series that wait as one row group.
  func writeShortGroup() throws(StorageError) {
    guard let first = shortSeries.first else { return }
    short.padColumns()
    for series in shortSeries {
      dictionary.setRows(of: series.ordinal, start: measurementRowCount + series.row)
    }
    try writeGroup(short, rows: 0..<short.count, firstSeries: first.ordinal, seriesCount: shortSeries.count)
    short.reset()
    shortSeries.removeAll(keepingCapacity: true)
  }
}

import Coding
import LineProtocol

/// Reads the rows of a table's series: see `RunReader`. One thread.
///
/// Holds the decoded index of one stripe of row groups, the places of 1,024 series, and the decoded columns of the row group
/// that several short series share, so that these are decoded once and not once a series.
package final class TableReader: RunReader {
  /// The stretch that `next` gave.
  struct Span {
    var group: Int
    /// What the index says of the row group: looked up once, not by each column.
    var entry: RowGroupEntry
    /// Rows of the row group.
    var rows: Range<Int>
    /// The row group is this stretch alone, and lies within the times asked for.
    var isWhole: Bool
    /// Some rows may lie outside of the times asked for.
    var isCut: Bool

    /// Whether several series have rows in the row group.
    var isShared: Bool { entry.seriesCount > 1 }
  }

  let table: Table
  let measurement: [UInt8]
  let fields: [FieldKey]
  let isKept: Bool
  var decoder = BlockDecoder()
  /// `nil` until the first `begin`.
  private(set) var top: MeasurementTop?
  /// For each asked field its number in the table, −1 where the measurement lacks it.
  private(set) var fieldNumbers: [Int] = []
  var stripe: LoadedStripe?
  var shared = SharedGroup()
  /// Scratch: rows of which some are chosen.
  var whole = Column(key: FieldKey(name: [], type: .integer))
  var series = SeriesPlaces()
  /// Rows of the measurement in the group that `sharedRows` found last, and what the index says of it.
  var sharedGroup: (rows: Range<Int>, number: Int, entry: RowGroupEntry)?
  /// Scratch of present values.
  var dense: [UInt64] = []
  var counted = RowGroupCounts()
  /// The first bytes of the row group and of the timestamps that were counted last.
  var countedGroup: UInt64 = 0
  var countedTimestamps: UInt64 = 0

  private var times: Range<Int64> = 0..<0
  private var isDescending = false
  private(set) var seriesTimes: ClosedRange<Int64> = 0...0
  /// Rows of the measurement that are not handed out yet.
  private var rest = 0..<0
  private(set) var span: Span?
  private var failure: StorageError?

  init(table: Table, measurement: [UInt8], fields: [FieldKey], isKept: Bool) {
    self.table = table
    self.measurement = measurement
    self.fields = fields
    self.isKept = isKept
  }

  package func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
    try guarded { () throws(StorageError) in
      let top = try open()
      guard Int(ordinal) < top.seriesCount else {
        throw StorageError(.invalid, file: table.name, "series \(ordinal) of \(top.seriesCount)")
      }
      let found = try series.place(
        of: Int(ordinal), top: top, source: table.source, isKept: isKept, decoder: &decoder)
      self.times = times
      isDescending = descending
      seriesTimes = found.times
      span = nil
      let isTouched = found.times.lowerBound < times.upperBound && found.times.upperBound >= times.lowerBound
      rest = isTouched ? found.rows : 0..<0
    }
  }

  package func next() throws(StorageError) -> RowGroupSpan? {
    try guarded { () throws(StorageError) in
      span = nil
      while !rest.isEmpty {
        if let found = try advance() { return found }
      }
      return nil
    }
  }

  package func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? {
    try guarded { () throws(StorageError) in
      guard let span, span.isWhole else { return nil }
      let number = fieldNumbers[column]
      guard number >= 0 else { return ColumnStatistics() }
      return try entry(of: number, in: span.group, withStatistics: true).statistics
    }
  }

  package func readLastRow(of time: Int64, into batch: inout ColumnBatch) throws(StorageError) -> Bool {
    try guarded { () throws(StorageError) in
      guard let span, span.isWhole, !fields.contains(where: { $0.type == .string }) else { return false }
      for (index, number) in fieldNumbers.enumerated() where number >= 0 {
        batch.columns[index].takeLast(
          try entry(of: number, in: span.group, withStatistics: true).statistics, at: time)
      }
      return true
    }
  }

  package var counts: RowGroupCounts? { counted }

  package func stretchByteCount() throws(StorageError) -> UInt64 {
    try guarded { () throws(StorageError) in
      guard let span else { return 0 }
      var sum = span.entry.timestampByteCount
      for number in fieldNumbers where number >= 0 {
        sum += try entry(of: number, in: span.group, withStatistics: false).byteCount
      }
      return UInt64(sum)
    }
  }

  /// The next stretch, `nil` if it lies outside of the times.
  private func advance() throws(StorageError) -> RowGroupSpan? {
    let stripe = try loadStripe(row: isDescending ? rest.upperBound - 1 : rest.lowerBound)
    let group = stripe.group(of: isDescending ? rest.upperBound - 1 : rest.lowerBound)
    let groupRows = stripe.rows(group)
    let rows = rest.clamped(to: groupRows)
    rest = isDescending ? rest.lowerBound..<rows.lowerBound : rows.upperBound..<rest.upperBound
    let entry = stripe.groups[group]
    let isAlone = entry.seriesCount == 1
    let (first, last) =
      isAlone
      ? (entry.firstTimestamp, entry.lastTimestamp) : (seriesTimes.lowerBound, seriesTimes.upperBound)
    guard first < times.upperBound, last >= times.lowerBound else {
      if isAlone { counted.skippedByTime += 1 }
      return nil
    }
    let isCut = first < times.lowerBound || last >= times.upperBound
    span = Span(
      group: group, entry: entry, rows: rows.lowerBound - groupRows.lowerBound..<rows.upperBound - groupRows.lowerBound,
      isWhole: isAlone && !isCut, isCut: isCut)
    return RowGroupSpan(
      rowCount: rows.count, firstTimestamp: max(first, times.lowerBound),
      lastTimestamp: min(last, times.upperBound - 1))
  }

  /// The rows of a stretch that lie within the times, of which some may not; their timestamps go to `found`, which is empty.
  func rowsInTimes(_ span: Span, _ found: inout [Int64]) throws(StorageError) -> Range<Int> {
    try appendTimestamps(span.rows, of: span, to: &found)
    let first = found.partitioningIndex { $0 >= times.lowerBound }
    let end = max(first, found.partitioningIndex { $0 >= times.upperBound })
    found.removeLast(found.count - end)
    found.removeFirst(first)
    return span.rows.lowerBound + first..<span.rows.lowerBound + end
  }

  /// Finds the measurement and the fields, once.
  func open() throws(StorageError) -> MeasurementTop {
    if let top { return top }
    guard let found = try table.top(of: measurement) else {
      throw StorageError(
        .invalid, file: table.name, "table has no measurement \(String(decoding: measurement, as: UTF8.self))"
      )
    }
    fieldNumbers = fields.map { found.fields.firstIndex(of: $0) ?? -1 }
    top = found
    return found
  }

  /// Runs `body`; once it threw, every call throws the same.
  func guarded<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
    if let failure { throw failure }
    do throws(StorageError) {
      return try body()
    } catch {
      if error.code != .invalid { failure = error }
      throw error
    }
  }
}

import Coding
import LineProtocol

/// The decoded columns of a row group that several short series share.
struct SharedGroup {
  /// The group's first byte names it; 0 for none.
  var offset: UInt64 = 0
  /// Rows that are decoded; columns and timestamps hold these.
  var rows = 0..<0
  var timestamps: [Int64] = []
  /// Whether `timestamps` are those of the rows: values may be asked for alone.
  var hasTimestamps = false
  /// In the reader's order; they keep their memory from group to group.
  var columns: [Column] = []
  /// Whether a column holds the rows.
  var isDecoded: [Bool] = []
  /// Whether all columns hold all rows of the group.
  var isWhole = false
  /// How often rows of this group were asked for that were not decoded.
  var missCount = 0
}

extension TableReader {
  package func read(into batch: inout ColumnBatch) throws(StorageError) {
    try guarded { () throws(StorageError) in
      guard let rows = try begin(&batch), let span else { return }
      for index in fields.indices where fieldNumbers[index] >= 0 {
        try appendColumn(index, rows, of: span, to: &batch.columns[index])
      }
    }
  }

  /// Replaces a batch with the times of the stretch's rows; `nil` where there are none.
  func begin(_ batch: inout ColumnBatch) throws(StorageError) -> Range<Int>? {
    guard let span else {
      throw StorageError(.invalid, file: table.name, "read before next, or after the last stretch")
    }
    if batch.columns.count != fields.count { batch = ColumnBatch(fields: fields) }
    batch.reset()
    for index in fields.indices { batch.columns[index].key = fields[index] }
    let rows = span.isCut ? try rowsInTimes(span, &batch.timestamps) : span.rows
    guard !rows.isEmpty else { return nil }
    note(span.entry)
    if span.isShared { loadShared(rows, of: span) }
    if !span.isCut { try appendTimestamps(rows, of: span, to: &batch.timestamps) }
    return rows
  }

  /// Counts a row group as read, once while its rows are handed out.
  func note(_ entry: RowGroupEntry) {
    if countedGroup != entry.offset { counted.read += 1 }
    countedGroup = entry.offset
  }

  /// Appends the timestamps of some rows of the group.
  func appendTimestamps(_ rows: Range<Int>, of span: Span, to timestamps: inout [Int64]) throws(StorageError)
  {
    guard span.isShared else { return try decodeTimestamps(span.entry, rows, to: &timestamps) }
    loadShared(rows, of: span)
    try decodeSharedTimestamps(span.entry)
    let base = shared.rows.lowerBound
    timestamps.append(contentsOf: shared.timestamps[rows.lowerBound - base..<rows.upperBound - base])
  }

  func decodeTimestamps(
    _ entry: RowGroupEntry, _ rows: Range<Int>, to timestamps: inout [Int64]
  ) throws(StorageError) {
    let handle = BlockHandle(offset: entry.offset, byteCount: entry.timestampByteCount)
    // Where times cut a row group its timestamps are looked at twice.
    if countedTimestamps != entry.offset { counted.bytesRead += UInt64(handle.byteCount) }
    countedTimestamps = entry.offset
    let payload = try table.source.block(handle, isKept: isKept).payload
    do {
      try decoder.decode(
        payload.span, kind: .timestamp, count: entry.rowCount, rows: rows, into: &timestamps)
    } catch {
      throw table.source.corrupt(handle, "timestamps: \(error)")
    }
  }

  func appendColumn(
    _ index: Int, _ rows: Range<Int>, of span: Span, to column: inout Column
  ) throws(StorageError) {
    // Of a shared group that was gone to: most of its series find what the first has decoded.
    if !span.isShared || !shared.isDecoded[index] {
      let entry = try entry(of: fieldNumbers[index], in: span.group, withStatistics: false)
      guard entry.isPresent else { return }
      guard span.isShared else { return try decodeColumn(entry, span.entry, rows, to: &column) }
      try decodeShared(index, entry, of: span.entry)
    }
    let base = shared.rows.lowerBound
    copy(shared.columns[index], rows.lowerBound - base..<rows.upperBound - base, to: &column)
  }

  /// Decodes a column of the shared rows, once.
  func decodeShared(_ index: Int, _ entry: ColumnEntry, of group: RowGroupEntry) throws(StorageError) {
    if shared.isDecoded[index] { return }
    shared.columns[index].reset()
    let rows = shared.rows
    try decodeColumn(entry, group, rows, to: &shared.columns[index])
    shared.isDecoded[index] = true
  }

  package func stretchValues(_ column: Int) throws(StorageError) -> StretchValues? {
    try guarded { () throws(StorageError) in
      guard let span, !span.isCut, fields[column].type != .string, span.isShared else { return nil }
      // The times of the series: a row group that is shared has each of its series whole.
      var found = StretchValues(firstTimestamp: seriesTimes.lowerBound, lastTimestamp: seriesTimes.upperBound)
      guard fieldNumbers[column] >= 0 else { return found }
      let (entry, group) = (try entry(of: fieldNumbers[column], in: span.group, withStatistics: false), span.entry)
      guard entry.isPresent else { return found }
      // Where a row lacks the value only times tell which has the first.
      guard entry.statistics.count == group.rowCount else { return nil }
      note(group)
      loadShared(span.rows, of: span)
      try decodeShared(column, entry, of: group)
      let base = shared.rows.lowerBound
      found.words = shared.columns[column].values[span.rows.lowerBound - base..<span.rows.upperBound - base]
      return found
    }
  }

  /// Goes to some rows of a shared group, or to more of it: to the groups of 1,024 that they touch the first time, to the whole row group
  /// the second time, for then its series are read one after another.
  private func loadShared(_ rows: Range<Int>, of span: Span) {
    let entry = span.entry
    if shared.offset == entry.offset, rows.clamped(to: shared.rows) == rows { return }
    let misses = shared.offset == entry.offset ? shared.missCount + 1 : 0
    let unit = TableFormat.miniBlockCount
    let touched =
      rows.lowerBound / unit * unit..<min((rows.upperBound + unit - 1) / unit * unit, entry.rowCount)
    beginShared(entry, misses == 0 ? touched : 0..<entry.rowCount)
    shared.missCount = misses
  }

  /// Goes to some rows of a shared group, of which nothing is decoded yet.
  func beginShared(_ entry: RowGroupEntry, _ rows: Range<Int>) {
    shared.isWhole = false
    shared.hasTimestamps = false
    if shared.columns.isEmpty { shared.columns = fields.map(Column.init) }
    shared.isDecoded = Array(repeating: false, count: fields.count)
    shared.rows = rows
    shared.missCount = 0
    shared.offset = entry.offset
  }

  /// Decodes the timestamps of the shared rows, once.
  func decodeSharedTimestamps(_ entry: RowGroupEntry) throws(StorageError) {
    if shared.hasTimestamps { return }
    shared.timestamps.removeAll(keepingCapacity: true)
    let rows = shared.rows
    try decodeTimestamps(entry, rows, to: &shared.timestamps)
    shared.hasTimestamps = true
  }

  /// Decodes some rows of a column's block into an empty column.
  func decodeColumn(
    _ entry: ColumnEntry, _ group: RowGroupEntry, _ rows: Range<Int>, to column: inout Column
  ) throws(StorageError) {
    let handle = BlockHandle(offset: group.offset &+ UInt64(entry.relativeOffset), byteCount: entry.byteCount)
    counted.bytesRead += UInt64(entry.byteCount)
    let payload = try table.source.block(handle, isKept: isKept).payload
    var reader = PayloadReader(payload, file: table.name, handle: handle)
    let validityLength = try reader.count("bytes of validity")
    let count = entry.statistics.count
    guard (validityLength == 0) == (count == group.rowCount) else {
      throw reader.corrupt(
        "\(validityLength) bytes of validity for \(count) values in \(group.rowCount) rows")
    }
    let validityRange = try reader.take(validityLength)
    let values = reader.offset..<payload.count
    do {
      if validityLength == 0 {
        try decodeValues(payload, values, count: count, rows: rows, to: &column)
        column.presentCount = rows.count
        return
      }
      var validity: [UInt64] = []
      try decodeValidity(payload.span.extracting(validityRange), count: group.rowCount, into: &validity)
      guard BitVector.onesCount(validity, in: 0..<group.rowCount) == count else {
        throw reader.corrupt("validity does not have \(count) values")
      }
      try decodeSparse(payload, values, validity, count: count, rows: rows, to: &column)
    } catch let error as CodingError {
      throw table.source.corrupt(handle, "column: \(error)")
    } catch let error as StorageError {
      throw error
    } catch {
      throw table.source.corrupt(handle, "column: \(error)")
    }
  }

  /// Appends the present values of a range, dense.
  private func decodeValues(
    _ payload: [UInt8], _ range: Range<Int>, count: Int, rows: Range<Int>, to column: inout Column
  ) throws(CodingError) {
    let bytes = payload.span.extracting(range)
    if column.key.type == .string {
      try decoder.decodeStrings(bytes, count: count, rows: rows, into: &column.values, bytes: &column.bytes)
    } else {
      try decoder.decode(
        bytes, kind: columnKind(column.key.type), count: count, rows: rows, into: &column.values)
    }
  }

  /// Decodes the present values of some rows and puts each at its row.
  private func decodeSparse(
    _ payload: [UInt8], _ range: Range<Int>, _ validity: [UInt64], count: Int, rows: Range<Int>,
    to column: inout Column
  ) throws(CodingError) {
    let before = BitVector.onesCount(validity, in: 0..<rows.lowerBound)
    let present = BitVector.onesCount(validity, in: rows)
    column.presentCount = present
    guard present > 0 else { return }
    try decodeValues(payload, range, count: count, rows: before..<before + present, to: &column)
    guard present < rows.count else { return }
    var bits = BitVector()
    bits.append(validity, from: rows.lowerBound, count: rows.count)
    column.validity = bits.words
    scatter(bits.words, rowCount: rows.count, values: &column.values)
  }

  /// Copies some rows of a decoded column into an empty one.
  private func copy(_ source: Column, _ rows: Range<Int>, to column: inout Column) {
    guard source.presentCount > 0 else { return }
    if source.validity.isEmpty {
      column.presentCount = rows.count
    } else {
      column.presentCount = BitVector.onesCount(source.validity, in: rows)
      guard column.presentCount > 0 else { return }
      if column.presentCount < rows.count {
        var bits = BitVector()
        bits.append(source.validity, from: rows.lowerBound, count: rows.count)
        column.validity = bits.words
      }
    }
    column.values.append(contentsOf: source.values[rows])
    guard source.key.type == .string else { return }
    for index in 0..<rows.count where column.isPresent(index) {
      let string = source.string(rows.lowerBound + index)
      column.values[index] = UInt64(column.bytes.count) << 32 | UInt64(string.count)
      column.bytes.append(contentsOf: string)
    }
  }
}

/// Spreads values that lie dense at the beginning to the rows whose bits are set, last first; the others become 0.
func scatter(_ validity: [UInt64], rowCount: Int, values: inout [UInt64]) {
  var from = values.count
  values.append(contentsOf: repeatElement(0, count: rowCount - from))
  var row = rowCount
  while row > 0 {
    row &-= 1
    if validity[row >> 6] & (1 << UInt64(row & 63)) != 0 {
      from &-= 1
      values[row] = values[from]
    } else {
      values[row] = 0
    }
  }
}

extension TableReader {
  /// All rows of a group of the loaded stripe: for those who read groups and not series.
  func decodeGroup(_ index: Int) throws(StorageError) -> ColumnBatch {
    var batch = ColumnBatch(fields: fields)
    guard let entry = stripe?.groups[index] else { return batch }
    let rows = 0..<entry.rowCount
    try decodeTimestamps(entry, rows, to: &batch.timestamps)
    for (field, number) in fieldNumbers.enumerated() where number >= 0 {
      let column = try entries(of: number, withStatistics: false)[index]
      if column.isPresent { try decodeColumn(column, entry, rows, to: &batch.columns[field]) }
    }
    return batch
  }
}

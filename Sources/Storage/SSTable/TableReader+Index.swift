import Coding
import LineProtocol

/// The row groups of one stripe of the index, decoded.
struct RowGroupList: Sendable {
  let groups: [RowGroupEntry]
  /// Row of the measurement at which each group begins; one more for the end of the last.
  let firstRows: [Int]
}

/// One stripe of the row-group index, decoded: the groups, and the columns that were asked for.
struct LoadedStripe {
  let number: Int
  private let list: RowGroupList
  /// By the field's number in the table; `nil` until asked for.
  var columns: [LoadedColumn?]

  struct LoadedColumn {
    var entries: [ColumnEntry]
    var hasStatistics: Bool
  }

  init(number: Int, _ list: RowGroupList, fieldCount: Int) {
    self.number = number
    self.list = list
    columns = Array(repeating: nil, count: fieldCount)
  }

  var groups: [RowGroupEntry] { list.groups }
  var firstRows: [Int] { list.firstRows }

  /// The group of a row of the measurement.
  func group(of row: Int) -> Int { firstRows.partitioningIndex { $0 > row } - 1 }

  func rows(_ group: Int) -> Range<Int> { firstRows[group]..<firstRows[group + 1] }

  func contains(_ row: Int) -> Bool { row >= firstRows[0] && row < firstRows[firstRows.count - 1] }
}

extension TableReader {
  /// The stripe of a row of the measurement; the last one asked for is kept.
  func loadStripe(row: Int) throws(StorageError) -> LoadedStripe {
    if let stripe, stripe.contains(row) { return stripe }
    let top = try open()
    let number = top.stripes.partitioningIndex { $0.firstRow > row } - 1
    let loaded = try readStripe(number, top: top)
    stripe = loaded
    guard loaded.contains(row) else {
      throw table.source.corrupt(top.stripes[number].groups, "row groups do not hold row \(row)")
    }
    return loaded
  }

  private func readStripe(_ number: Int, top: MeasurementTop) throws(StorageError) -> LoadedStripe {
    let place = top.stripes[number]
    if case .groups(let known) = table.source.parsed(place.groups.offset, .groups) {
      return LoadedStripe(number: number, known, fieldCount: top.fields.count)
    }
    var reader = try table.source.reader(place.groups)
    let count = place.groupCount
    let firstSeries = try reader.column(count, with: &decoder)
    let seriesCounts = try reader.column(count, with: &decoder)
    let rowCounts = try reader.column(count, with: &decoder)
    let firsts = try reader.column(count, kind: .timestamp, with: &decoder)
    let lengths = try reader.column(count, with: &decoder)
    let offsets = try reader.column(count, with: &decoder)
    let byteCounts = try reader.column(count, with: &decoder)
    var groups: [RowGroupEntry] = []
    var firstRows = [place.firstRow]
    for index in 0..<count {
      guard rowCounts[index] >= 1, rowCounts[index] <= UInt64(TableFormat.groupRowCountMax),
        seriesCounts[index] >= 1, seriesCounts[index] <= rowCounts[index],
        firstSeries[index] < UInt64(top.seriesCount),
        byteCounts[index] <= UInt64(TableFormat.blockByteCountMax)
      else {
        throw reader.corrupt(
          "row group \(index) has \(rowCounts[index]) rows of \(seriesCounts[index]) series")
      }
      let first = Int64(bitPattern: firsts[index])
      let last = first &+ Int64(bitPattern: lengths[index])
      guard first <= last else { throw reader.corrupt("row group \(index) has times \(first) to \(last)") }
      groups.append(
        RowGroupEntry(
          firstSeries: Int(firstSeries[index]), seriesCount: Int(seriesCounts[index]),
          rowCount: Int(rowCounts[index]),
          firstTimestamp: first, lastTimestamp: last, offset: offsets[index],
          timestampByteCount: Int(byteCounts[index])))
      firstRows.append(firstRows[index] + Int(rowCounts[index]))
    }
    let end = number + 1 < top.stripes.count ? top.stripes[number + 1].firstRow : top.rowCount
    guard reader.isAtEnd, firstRows[count] == end else {
      throw reader.corrupt("expected row groups up to row \(end), found \(firstRows[count])")
    }
    let list = RowGroupList(groups: groups, firstRows: firstRows)
    if isKept { table.source.keep(.groups(list), place.groups.offset, .groups) }
    return LoadedStripe(number: number, list, fieldCount: top.fields.count)
  }

  /// What the index says of a field in one group of the loaded stripe.
  func entry(of field: Int, in group: Int, withStatistics: Bool) throws(StorageError) -> ColumnEntry {
    if let column = stripe?.columns[field], column.hasStatistics || !withStatistics { return column.entries[group] }
    return try entries(of: field, withStatistics: withStatistics)[group]
  }

  /// What the index says of a field, for each group of the loaded stripe.
  func entries(of field: Int, withStatistics: Bool) throws(StorageError) -> [ColumnEntry] {
    guard let loaded = stripe, let top else { return [] }
    if let column = loaded.columns[field], column.hasStatistics || !withStatistics { return column.entries }
    let handle = top.stripes[loaded.number].columns.handle(field)
    // Typed throws: `??` would lose the type.
    let known = knownEntries(handle, withStatistics)
    let column = if let known { known } else { try readEntries(handle, field, loaded, top, withStatistics) }
    stripe?.columns[field] = column
    return column.entries
  }

  /// What the cache has of a field: statistics, or handles alone where these do.
  private func knownEntries(_ handle: BlockHandle, _ withStatistics: Bool) -> LoadedStripe.LoadedColumn? {
    if case .entries(let known) = table.source.parsed(handle.offset, .statistics) {
      return LoadedStripe.LoadedColumn(entries: known, hasStatistics: true)
    }
    guard !withStatistics, case .entries(let known) = table.source.parsed(handle.offset, .handles) else { return nil }
    return LoadedStripe.LoadedColumn(entries: known, hasStatistics: false)
  }

  private func readEntries(
    _ handle: BlockHandle, _ field: Int, _ loaded: LoadedStripe, _ top: MeasurementTop, _ withStatistics: Bool
  ) throws(StorageError) -> LoadedStripe.LoadedColumn {
    var entries = [ColumnEntry](repeating: ColumnEntry(), count: loaded.groups.count)
    if handle.byteCount > 0 {
      var reader = try table.source.reader(handle)
      try readHandles(&reader, loaded, into: &entries)
      if withStatistics { try readStatistics(&reader, top.fields[field].type, loaded, into: &entries) }
      if isKept {
        table.source.keep(.entries(entries), handle.offset, withStatistics ? .statistics : .handles)
      }
    }
    return LoadedStripe.LoadedColumn(entries: entries, hasStatistics: withStatistics)
  }

  private func readHandles(
    _ reader: inout PayloadReader, _ stripe: LoadedStripe, into entries: inout [ColumnEntry]
  ) throws(StorageError) {
    let offsets = try reader.column(entries.count, with: &decoder)
    let byteCounts = try reader.column(entries.count, with: &decoder)
    let encodings = try reader.column(entries.count, with: &decoder)
    let counts = try reader.column(entries.count, with: &decoder)
    for index in entries.indices {
      guard offsets[index] < 1 << 48, byteCounts[index] <= UInt64(TableFormat.blockByteCountMax),
        encodings[index] <= 255, counts[index] <= UInt64(stripe.groups[index].rowCount),
        (counts[index] == 0) == (byteCounts[index] == 0)
      else {
        throw reader.corrupt(
          "column of row group \(index) has \(counts[index]) values in \(byteCounts[index]) bytes")
      }
      entries[index].relativeOffset = Int(offsets[index])
      entries[index].byteCount = Int(byteCounts[index])
      entries[index].encoding = UInt8(encodings[index])
      entries[index].statistics.count = Int(counts[index])
    }
  }

  private func readStatistics(
    _ reader: inout PayloadReader, _ type: FieldType, _ stripe: LoadedStripe,
    into entries: inout [ColumnEntry]
  ) throws(StorageError) {
    let (kind, count) = (columnKind(type), entries.count)
    let minima = try reader.column(count, kind: kind, with: &decoder)
    let maxima = try reader.column(count, kind: kind, with: &decoder)
    let firsts = try reader.column(count, kind: kind, with: &decoder)
    let lasts = try reader.column(count, kind: kind, with: &decoder)
    let firstDelays = try reader.column(count, with: &decoder)
    let lastLeads = try reader.column(count, with: &decoder)
    let sumKind: ColumnKind = type == .float ? .float : .unsigned
    let lows = try reader.column(count, kind: sumKind, with: &decoder)
    let highs = try reader.column(count, kind: sumKind, with: &decoder)
    let nans = try reader.column(count, with: &decoder)
    guard reader.isAtEnd else { throw reader.corrupt("\(reader.remaining) bytes too many") }
    for index in entries.indices where entries[index].isPresent && type != .string {
      var statistics = entries[index].statistics
      statistics.minimum = minima[index]
      statistics.maximum = maxima[index]
      statistics.first = firsts[index]
      statistics.last = lasts[index]
      statistics.firstTimestamp = stripe.groups[index].firstTimestamp &+ Int64(bitPattern: firstDelays[index])
      statistics.lastTimestamp = stripe.groups[index].lastTimestamp &- Int64(bitPattern: lastLeads[index])
      statistics.hasNaN = nans[index] != 0
      if type == .float {
        statistics.floatSum = Double(bitPattern: lows[index])
        statistics.floatError = Double(bitPattern: highs[index])
      } else {
        statistics.integerSum = Int128(truncatingIfNeeded: UInt128(highs[index]) << 64 | UInt128(lows[index]))
      }
      entries[index].statistics = statistics
    }
  }
}

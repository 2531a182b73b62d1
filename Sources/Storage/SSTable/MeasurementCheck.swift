import Coding
import LineProtocol

/// Checks one measurement of a table: its series, their rows, what the index says of them.
struct MeasurementCheck {
  private let table: Table
  private let top: MeasurementTop
  private let reader: TableReader
  private var decoder = BlockDecoder()
  private var starts: [UInt64] = []
  private var counts: [UInt64] = []
  private var firsts: [UInt64] = []
  private var lasts: [UInt64] = []
  /// Ordinals by the place of their rows.
  private var byRow: [Int] = []

  init(table: Table, top: MeasurementTop) {
    self.table = table
    self.top = top
    reader = TableReader(table: table, measurement: top.name, fields: top.fields, isKept: false)
  }

  mutating func run(_ totals: inout VerifiedTotals) throws(StorageError) {
    try checkKeys()
    try loadSeries()
    for key in top.tagKeys.indices { try checkTag(key) }
    try checkGroups(&totals)
    totals.rowCount += top.rowCount
    totals.seriesCount += top.seriesCount
    totals.measurementCount += 1
    totals.firstTimestamp = min(totals.firstTimestamp, top.firstTimestamp)
    totals.lastTimestamp = max(totals.lastTimestamp, top.lastTimestamp)
  }

  private func corrupt(_ detail: String) -> StorageError {
    StorageError(
      .corrupt, file: table.name, offset: top.extent.lowerBound,
      "measurement \(String(decoding: top.name, as: UTF8.self)): \(detail)")
  }

  /// Series ascend, are well formed, and are in the filter with their tags.
  private func checkKeys() throws(StorageError) {
    let list = try table.series(of: top.name, where: nil)
    guard list.count == top.seriesCount else {
      throw corrupt("expected \(top.seriesCount) series, found \(list.count)")
    }
    var last = ParsedSeriesKey()
    var key = ParsedSeriesKey()
    for index in 0..<list.count {
      let bytes = Array(list.keyBytes[list.keyRange(index)])
      guard SeriesKey(validating: bytes) != nil, key.parse(bytes, bytes.indices),
        index == 0 || ParsedSeriesKey.compare(last, key) < 0
      else { throw corrupt("series \(index) is out of order") }
      guard try table.mayContain(bytes) else { throw corrupt("the filter lacks series \(index)") }
      for tag in key.tags {
        guard
          try table.mayContain(
            measurement: top.name, tagKey: Array(bytes[tag.key]), value: Array(bytes[tag.value]))
        else { throw corrupt("the filter lacks a tag of series \(index)") }
      }
      swap(&last, &key)
    }
  }

  private mutating func loadSeries() throws(StorageError) {
    let all = 0..<top.seriesCount
    let source = table.source
    try source.decode(
      top.rowStarts, kind: .unsigned, count: all.count, rows: all, with: &decoder, into: &starts)
    try source.decode(
      top.rowCounts, kind: .unsigned, count: all.count, rows: all, with: &decoder, into: &counts)
    try source.decode(
      top.firstTimestamps, kind: .timestamp, count: all.count, rows: all, with: &decoder, into: &firsts)
    try source.decode(
      top.lastTimestamps, kind: .timestamp, count: all.count, rows: all, with: &decoder, into: &lasts)
    byRow = all.sorted { starts[$0] < starts[$1] }
    var row: UInt64 = 0
    for ordinal in byRow {
      guard starts[ordinal] == row, counts[ordinal] > 0, counts[ordinal] <= UInt64(top.rowCount) - row else {
        throw corrupt(
          "series \(ordinal) has \(counts[ordinal]) rows from \(starts[ordinal]), expected from \(row)")
      }
      row += counts[ordinal]
    }
    guard row == UInt64(top.rowCount) else { throw corrupt("series have \(row) rows of \(top.rowCount)") }
  }

  /// Every value is some series'; the tag index, where there is one, is what the codes say.
  private mutating func checkTag(_ key: Int) throws(StorageError) {
    let tag = top.tagKeys[key]
    var values = TagValues(source: table.source, top: top, key: key)
    for block in 0..<tag.values.count { _ = try values.load(block) }
    var codes: [UInt64] = []
    try table.source.decode(
      tag.codes, kind: .unsigned, count: top.seriesCount, rows: 0..<top.seriesCount, with: &decoder,
      into: &codes)
    var lists = [[UInt64]](repeating: [], count: tag.valueCount)
    for (ordinal, code) in codes.enumerated() where code > 0 {
      guard code <= UInt64(tag.valueCount) else { throw corrupt("value \(code) of \(tag.valueCount)") }
      lists[Int(code) - 1].append(UInt64(ordinal))
    }
    if let place = lists.firstIndex(where: \.isEmpty) { throw corrupt("no series has tag value \(place)") }
    guard tag.isIndexed else { return }
    var (ends, postings): ([UInt64], [UInt64]) = ([], [])
    let expected = lists.flatMap { $0 }
    try table.source.decode(
      tag.postingEnds, kind: .unsigned, count: tag.valueCount, rows: 0..<tag.valueCount, with: &decoder,
      into: &ends)
    let blocks = (expected.count + TableFormat.stripeCount - 1) / TableFormat.stripeCount
    guard blocks == tag.postings.count else { throw corrupt("tag index has \(tag.postings.count) blocks") }
    try table.source.decode(
      tag.postings, kind: .unsigned, count: expected.count, rows: 0..<expected.count, with: &decoder,
      into: &postings)
    var end: UInt64 = 0
    for (place, list) in lists.enumerated() {
      end += UInt64(list.count)
      guard ends[place] == end else { throw corrupt("tag index ends at \(ends[place]) for value \(place)") }
    }
    guard postings == expected else { throw corrupt("tag index names other series than the codes") }
  }

  private func checkGroups(_ totals: inout VerifiedTotals) throws(StorageError) {
    var next = 0
    var lastTime = Int64.min
    for stripe in top.stripes {
      let loaded = try reader.loadStripe(row: stripe.firstRow)
      for (group, entry) in loaded.groups.enumerated() {
        let decoded = try reader.decodeGroup(group)
        try checkSeries(entry, loaded.rows(group), decoded.timestamps, next: &next, lastTime: &lastTime)
        for (field, column) in decoded.columns.enumerated() {
          let stated = try reader.entries(of: field, withStatistics: true)[group]
          totals.valueCount += column.presentCount
          try checkStatistics(stated.statistics, column, decoded.timestamps)
        }
        totals.groupCount += 1
      }
    }
  }

  /// The series whose rows lie in a group are those it states; their times ascend and have the bounds that are stated.
  private func checkSeries(
    _ entry: RowGroupEntry, _ rows: Range<Int>, _ timestamps: [Int64], next: inout Int, lastTime: inout Int64
  ) throws(StorageError) {
    guard timestamps.min() == entry.firstTimestamp, timestamps.max() == entry.lastTimestamp else {
      throw corrupt("rows \(rows) have other times than the index says")
    }
    guard next < byRow.count, byRow[next] == entry.firstSeries else {
      throw corrupt("rows \(rows) do not begin with series \(entry.firstSeries)")
    }
    var seriesCount = 0
    while next < byRow.count, Int(starts[byRow[next]]) < rows.upperBound {
      let ordinal = byRow[next]
      let own = Int(starts[ordinal])..<Int(starts[ordinal] + counts[ordinal])
      let part = own.clamped(to: rows)
      guard entry.seriesCount == 1 ? part == rows : part == own else {
        throw corrupt("series \(ordinal) is cut by a row group of several")
      }
      if part.lowerBound == own.lowerBound {
        lastTime = .min
        guard timestamps[part.lowerBound - rows.lowerBound] == Int64(bitPattern: firsts[ordinal]) else {
          throw corrupt("series \(ordinal) begins at another time")
        }
      }
      for row in part {
        let time = timestamps[row - rows.lowerBound]
        guard time > lastTime || row == own.lowerBound else {
          throw corrupt("times of series \(ordinal) do not ascend")
        }
        lastTime = time
      }
      seriesCount += 1
      guard part.upperBound == own.upperBound else { break }
      guard lastTime == Int64(bitPattern: lasts[ordinal]) else {
        throw corrupt("series \(ordinal) ends at another time")
      }
      next += 1
    }
    guard seriesCount == entry.seriesCount else {
      throw corrupt("rows \(rows) are of \(seriesCount) series, expected \(entry.seriesCount)")
    }
  }

  private func checkStatistics(
    _ stated: ColumnStatistics, _ column: Column, _ timestamps: [Int64]
  ) throws(StorageError) {
    var found = ColumnStatistics()
    found.count = column.presentCount
    let present = timestamps.indices.filter { column.isPresent($0) }
    if column.key.type != .string, let first = present.first, let last = present.last {
      let words = present.map { column.values[$0] }
      found = ColumnStatistics(
        summarize(words.span, kind: columnKind(column.key.type)), firstTimestamp: timestamps[first],
        lastTimestamp: timestamps[last])
    }
    let isSame = column.key.type == .float ? Self.isSame(found, stated, column) : found == stated
    guard isSame else {
      throw corrupt(
        "column \(String(decoding: column.key.name, as: UTF8.self)): expected \(stated), found \(found)")
    }
  }

  /// Compares all but the sum by bits; the sum to an ulp, for the order of its additions is not part of the format.
  private static func isSame(_ a: ColumnStatistics, _ b: ColumnStatistics, _ column: Column) -> Bool {
    let (sumA, sumB) = (a.floatSum + a.floatError, b.floatSum + b.floatError)
    var (x, y) = (a, b)
    (x.floatSum, x.floatError, y.floatSum, y.floatError) = (0, 0, 0, 0)
    guard x == y else { return false }
    guard sumA.isFinite, sumB.isFinite else { return sumA.isFinite == sumB.isFinite }
    let magnitude = column.values.reduce(0) { $0 + Double(bitPattern: $1).magnitude }
    return (sumA - sumB).magnitude <= sumA.ulp + magnitude * 0x1p-90
  }
}

import Coding
import LineProtocol

extension TableWriter {
  /// Writes some rows of a buffer whose columns are padded as one row group: timestamps, then the columns by name and type.
  func writeGroup(
    _ buffer: RowBuffer, rows: Range<Int>, firstSeries: Int, seriesCount: Int
  ) throws(StorageError) {
    let offset = sink.offset
    payload.removeAll(keepingCapacity: true)
    let encoders = seriesCount == 1 ? 0 : 1
    fields.encoders[encoders].timestamps.encode(buffer.timestamps.span.extracting(rows), into: &payload)
    let timestampByteCount = try sink.append(payload)

    var entries: [(field: Int, entry: ColumnEntry)] = []
    for field in fields.sorted where field < buffer.columns.count {
      let present = buffer.columns[field].present(in: rows)
      guard !present.isEmpty else { continue }
      var entry = ColumnEntry()
      entry.relativeOffset = Int(sink.offset - offset)
      entry.encoding = encode(buffer.columns[field], rows: rows, present: present, field: field, encoders: encoders)
      entry.statistics = statistics(
        buffer.columns[field], rows: rows, present: present, times: buffer.timestamps,
        type: fields.keys[field].type)
      entry.byteCount = try sink.append(payload)
      properties.valueCount += present.count
      entries.append((field, entry))
    }
    let times = groupTimes(buffer.timestamps, rows: rows, isSorted: seriesCount == 1)
    append(
      RowGroupEntry(
        firstSeries: firstSeries, seriesCount: seriesCount, rowCount: rows.count, firstTimestamp: times.first,
        lastTimestamp: times.last, offset: offset, timestampByteCount: timestampByteCount),
      columns: entries)
  }

  /// Takes a row group that is in the file into the index.
  func append(_ group: RowGroupEntry, columns: [(field: Int, entry: ColumnEntry)]) {
    index.append(group, columns: columns)
    measurementRowCount += group.rowCount
    properties.rowCount += group.rowCount
    properties.rowGroupCount += 1
  }

  /// Puts the payload of a column into `payload`: varint length of the validity (0: every row has a value), validity, values.
  /// Returns the encoding that the values name.
  private func encode(
    _ column: PackedColumn, rows: Range<Int>, present: Range<Int>, field: Int, encoders: Int
  ) -> UInt8 {
    payload.removeAll(keepingCapacity: true)
    if present.count == rows.count {
      payload.append(0)
    } else {
      var bits = BitVector()
      bits.append(column.validity.words, from: rows.lowerBound, count: rows.count)
      var validity: [UInt8] = []
      encodeValidity(bits.words, count: rows.count, into: &validity)
      putVarint(validity.count, to: &payload)
      payload.append(contentsOf: validity)
    }
    let start = payload.count
    let words = column.words.span.extracting(present)
    if fields.keys[field].type == .string {
      fields.encoders[encoders].fields[field].encodeStrings(words, bytes: column.bytes.span, into: &payload)
    } else {
      fields.encoders[encoders].fields[field].encode(words, into: &payload)
    }
    return payload[start]
  }

  private func statistics(
    _ column: PackedColumn, rows: Range<Int>, present: Range<Int>, times: [Int64], type: FieldType
  ) -> ColumnStatistics {
    guard type != .string, let first = column.validity.firstOne(in: rows),
      let last = column.validity.lastOne(in: rows)
    else {
      var statistics = ColumnStatistics()
      statistics.count = present.count
      return statistics
    }
    return ColumnStatistics(
      summarize(column.words.span.extracting(present), kind: columnKind(type)),
      firstTimestamp: times[first], lastTimestamp: times[last])
  }

  private func groupTimes(
    _ timestamps: [Int64], rows: Range<Int>, isSorted: Bool
  ) -> (first: Int64, last: Int64) {
    if isSorted { return (timestamps[rows.lowerBound], timestamps[rows.upperBound - 1]) }
    var (first, last) = (Int64.max, Int64.min)
    for time in timestamps[rows] {
      first = min(first, time)
      last = max(last, time)
    }
    return (first, last)
  }
}

extension ColumnStatistics {
  /// A summary with the times of its first and last value.
  init(_ summary: Summary, firstTimestamp: Int64, lastTimestamp: Int64) {
    self.init()
    count = summary.count
    minimum = summary.minimum
    maximum = summary.maximum
    first = summary.first
    last = summary.last
    integerSum = summary.integerSum
    floatSum = summary.floatSum
    floatError = summary.floatError
    hasNaN = summary.hasNaN
    self.firstTimestamp = firstTimestamp
    self.lastTimestamp = lastTimestamp
  }
}

import LineProtocol

/// The values of one field over the rows of a buffer, only those that are there, one behind the other.
struct PackedColumn {
  /// Of present rows: words as in `Column.values`, strings as `offset << 32 | count` into `bytes`.
  var words: [UInt64] = []
  var bytes: [UInt8] = []
  /// One bit a row: whether it has a value.
  var validity = BitVector()

  var rowCount: Int { validity.count }

  mutating func reset() {
    words.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    validity.reset()
  }

  /// Rows without a value until there are `rowCount`.
  mutating func pad(to rowCount: Int) {
    if validity.count < rowCount { validity.append(false, count: rowCount - validity.count) }
  }

  /// Appends `count` rows of a batch's column.
  mutating func append(_ column: Column, count: Int) {
    let base = UInt64(bytes.count) << 32
    let first = words.count
    if column.presentCount == 0 {
      validity.append(false, count: count)
      return
    }
    if column.validity.isEmpty {
      words.append(contentsOf: column.values[..<count])
      validity.append(true, count: count)
    } else {
      validity.append(column.validity, from: 0, count: count)
      for (index, bits) in column.validity.enumerated() {
        var rest = bits
        while rest != 0 {
          let row = index << 6 + rest.trailingZeroBitCount
          guard row < count else { break }
          words.append(column.values[row])
          rest &= rest &- 1
        }
      }
    }
    if column.key.type == .string {
      bytes.append(contentsOf: column.bytes)
      if base > 0 { for index in first..<words.count { words[index] &+= base } }
    }
  }

  /// Appends some rows of a column of a batch, whose words are not strings.
  mutating func append(_ column: Column, rows: Range<Int>) {
    if column.presentCount == 0 {
      validity.append(false, count: rows.count)
    } else if column.validity.isEmpty {
      words.append(contentsOf: column.values[rows])
      validity.append(true, count: rows.count)
    } else {
      validity.append(column.validity, from: rows.lowerBound, count: rows.count)
      for row in rows where column.isPresent(row) { words.append(column.values[row]) }
    }
  }

  /// Appends the rows of another buffer's column.
  mutating func append(_ other: PackedColumn) {
    let base = UInt64(bytes.count) << 32
    let first = words.count
    words.append(contentsOf: other.words)
    if !other.bytes.isEmpty {
      bytes.append(contentsOf: other.bytes)
      if base > 0 { for index in first..<words.count { words[index] &+= base } }
    }
    validity.append(other.validity.words, from: 0, count: other.validity.count)
  }

  /// The present values among some rows, as a range of `words`.
  func present(in rows: Range<Int>) -> Range<Int> {
    let before = validity.onesCount(in: 0..<rows.lowerBound)
    return before..<before + validity.onesCount(in: rows)
  }

  /// Forgets the first rows.
  mutating func removeFirst(_ rows: Int) {
    words.removeFirst(present(in: 0..<rows).count)
    var rest = BitVector()
    rest.append(validity.words, from: rows, count: validity.count - rows)
    validity = rest
    if !bytes.isEmpty { compactStrings() }
  }

  /// Forgets bytes that no word names.
  private mutating func compactStrings() {
    var kept: [UInt8] = []
    for index in words.indices {
      let (offset, count) = (Int(words[index] >> 32), Int(words[index] & 0xffff_ffff))
      words[index] = UInt64(kept.count) << 32 | UInt64(count)
      kept.append(contentsOf: bytes[offset..<offset + count])
    }
    bytes = kept
  }
}

/// Rows of one measurement that wait to be written: timestamps and a column for each field of the measurement.
///
/// Holds at most some 17,000 rows of a long series, or those of one row group of short ones.
struct RowBuffer {
  private(set) var timestamps: [Int64] = []
  /// By the number that the writer has given the field.
  private(set) var columns: [PackedColumn] = []
  /// Bytes of strings held.
  private(set) var stringByteCount = 0

  var count: Int { timestamps.count }

  mutating func reset() {
    timestamps.removeAll(keepingCapacity: true)
    stringByteCount = 0
    for index in columns.indices { columns[index].reset() }
  }

  /// Forgets columns too: another measurement begins.
  mutating func removeColumns() {
    reset()
    columns.removeAll()
  }

  /// Appends a batch; column `i` is field `fields[i]`.
  mutating func append(_ batch: ColumnBatch, fields: [Int]) {
    let base = timestamps.count
    for (index, field) in fields.enumerated() where batch.columns[index].presentCount > 0 {
      prepare(field, rowCount: base)
      columns[field].append(batch.columns[index], count: batch.count)
      stringByteCount += batch.columns[index].bytes.count
    }
    timestamps.append(contentsOf: batch.timestamps)
  }

  /// Appends some rows of a batch without strings; column `i` is field `fields[i]`.
  mutating func append(_ batch: ColumnBatch, rows: Range<Int>, fields: [Int]) {
    let base = timestamps.count
    for (index, field) in fields.enumerated() where batch.columns[index].presentCount > 0 {
      prepare(field, rowCount: base)
      columns[field].append(batch.columns[index], rows: rows)
    }
    timestamps.append(contentsOf: batch.timestamps[rows])
  }

  /// Appends all rows of another buffer of the same measurement.
  mutating func append(_ other: RowBuffer) {
    let base = timestamps.count
    for field in other.columns.indices where !other.columns[field].words.isEmpty {
      prepare(field, rowCount: base)
      columns[field].append(other.columns[field])
    }
    stringByteCount += other.stringByteCount
    timestamps.append(contentsOf: other.timestamps)
  }

  /// Makes every column as long as the rows.
  mutating func padColumns() {
    for index in columns.indices { columns[index].pad(to: timestamps.count) }
  }

  /// Forgets the first rows of padded columns.
  mutating func removeFirst(_ rows: Int) {
    timestamps.removeFirst(rows)
    for index in columns.indices { columns[index].removeFirst(rows) }
    stringByteCount = columns.reduce(0) { $0 + $1.bytes.count }
  }

  private mutating func prepare(_ field: Int, rowCount: Int) {
    while columns.count <= field { columns.append(PackedColumn()) }
    columns[field].pad(to: rowCount)
  }
}

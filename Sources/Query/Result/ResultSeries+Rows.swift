import LineProtocol
import Storage

extension ResultSeries {
  /// Some of the rows.
  ///
  /// - Parameter byteCountMax: of a column whose strings have no more bytes in all these are not copied.
  func rows(_ range: Range<Int>, sharing byteCountMax: Int) -> ResultSeries {
    if range == 0..<rowCount { return self }
    var part = self
    part.timestamps = timestamps.map { Array($0[range]) }
    part.columns = columns.map { $0.part(range, count: rowCount, sharing: byteCountMax) }
    part.rowCount = range.count
    return part
  }

  /// Some of the rows, in the order given.
  package func rows(_ rows: [Int]) -> ResultSeries {
    var part = self
    part.timestamps = timestamps.map { times in rows.map { times[$0] } }
    part.columns = columns.map { $0.copy(of: rows) }
    part.rowCount = rows.count
    return part
  }
}

extension Column {
  /// Rows in a range, with only the bytes that their strings need where they are many.
  func part(_ rows: Range<Int>, count: Int, sharing byteCountMax: Int) -> Column {
    hasMoreBytes(byteCountMax) ? copy(of: rows) : slice(rows, count: count)
  }

  /// The rows at some places, in that order.
  func part(_ rows: [Int], sharing byteCountMax: Int) -> Column {
    hasMoreBytes(byteCountMax) ? copy(of: rows) : gathered(rows)
  }

  private func hasMoreBytes(_ byteCountMax: Int) -> Bool {
    key.type == .string && presentCount > 0 && bytes.count > byteCountMax
  }

  fileprivate func copy(of rows: some Sequence<Int>) -> Column {
    var out = Column(key: key)
    var last: (old: UInt64, new: UInt64)?
    for (place, row) in rows.enumerated() {
      guard isPresent(row) else {
        out.appendNull(rowCount: place)
        continue
      }
      guard key.type == .string else {
        out.append(word: values[row], rowCount: place)
        continue
      }
      // A text that is kept once for many rows stays so.
      if let last, last.old == values[row] {
        out.append(word: last.new, rowCount: place)
      } else {
        out.append(text: string(row), rowCount: place)
        last = (values[row], out.values[place])
      }
    }
    return out
  }
}

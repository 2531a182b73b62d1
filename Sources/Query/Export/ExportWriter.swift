import LineProtocol
import Storage

/// Writes points in one form; called once a measurement, a series and a batch.
protocol ExportWriter {
  /// A measurement begins: its tags, sorted, and the columns that batches have, of which several may be of one name with several types.
  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer)
  /// A series of it begins.
  mutating func begin(series tags: SeriesTags)
  /// Rows of the series: all, or those whose bits are set in `chosen`, a word for 64 of them.
  ///
  /// - Returns: how many points were written, and how many the form cannot write.
  mutating func append(
    _ batch: borrowing ColumnBatch, chosen: [UInt64]?, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int)
}

extension ColumnBatch {
  /// Calls `body` with each word of validity that has rows, all or chosen ones, and with the bits of these.
  ///
  /// - Returns: how many rows there are.
  func visitRows(_ chosen: [UInt64]?, _ body: (Int, UInt64) -> Void) -> Int {
    var rowCount = 0
    RowText.visitWords(of: 0..<count) { word, rows in
      let rows = rows & (chosen?[word] ?? .max)
      if rows == 0 { return }
      rowCount += rows.nonzeroBitCount
      body(word, rows)
    }
    return rowCount
  }
}

extension TextBuffer {
  /// A float in its shortest form, with a decimal or an exponent always.
  mutating func appendExported(_ value: Double) {
    // A whole number that a float holds exactly is the most usual one; -0 is none.
    if value.magnitude < 1e15, value == value.rounded(.towardZero), value.sign == .plus || value != 0 {
      append(Int64(value))
      append(UInt8(ascii: "."))
      return append(UInt8(ascii: "0"))
    }
    // The standard library writes no exponent there, and the same digits.
    if value.magnitude > 1e-3, value.magnitude < 1e9 { return append(value) }
    append(Array(value.description.utf8))
  }
}

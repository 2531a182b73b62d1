import LineProtocol
import Storage

/// Writes points in one form; called once a measurement, a series and a batch.
protocol ExportWriter {
  /// A measurement begins: its tags, sorted, and the columns that batches have, of which several may be of one name with several types.
  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer)
  /// A series of it begins.
  mutating func begin(series tags: SeriesTags)
  /// Rows of the series. `isChosen` tells of a row whether it is one of the points.
  ///
  /// - Returns: how many points were written, and how many the form cannot write.
  mutating func append(
    _ batch: borrowing ColumnBatch, isChosen: (Int) -> Bool, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int)
}

extension TextBuffer {
  /// A value as line protocol, JSON and CSV have it, floats in their shortest form. Room for it must be there: see `numberByteCountMax`.
  mutating func appendNumber(_ word: UInt64, _ type: FieldType) {
    switch type {
    case .float: appendFloat(Double(bitPattern: word))
    case .integer: append(Int64(bitPattern: word))
    case .unsigned: append(word)
    case .boolean: append(word == 0 ? Self.no : Self.yes)
    case .string: break
    }
  }

  /// The most bytes of a number or boolean.
  static let numberByteCountMax = 32
  private static let yes = Array("true".utf8)
  private static let no = Array("false".utf8)

  private mutating func appendFloat(_ value: Double) {
    // A whole number that a float holds exactly is the most usual one; -0 is none.
    if value.magnitude < 1e15, value == value.rounded(.towardZero), value.sign == .plus || value != 0 {
      append(Int64(value))
      append(UInt8(ascii: "."))
      return append(UInt8(ascii: "0"))
    }
    var text = value.description
    text.withUTF8 { bytes in for index in bytes.indices { append(unsafe bytes[index]) } }
  }
}

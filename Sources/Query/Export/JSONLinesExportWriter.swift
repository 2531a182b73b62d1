import LineProtocol
import Storage

/// An object a point: `{"name":"cpu","tags":{"host":"a"},"time":1700000000000000000,"fields":{"usage":1.5}}`.
struct JSONLinesExportWriter: ExportWriter {
  private var measurement: [UInt8] = []
  /// What stands before a field's value: a comma, its name, a colon.
  private var names: [[UInt8]] = []
  /// What stands before the time.
  private var head: [UInt8] = []

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    self.measurement = measurement
    names = columns.map { [UInt8(ascii: ",")] + Self.string($0.name[...]) + [UInt8(ascii: ":")] }
  }

  mutating func begin(series tags: SeriesTags) {
    head = Array("{\"name\":".utf8) + Self.string(measurement[...]) + Array(",\"tags\":{".utf8)
    var isFirst = true
    tags.visit { key, value in
      if !isFirst { head.append(UInt8(ascii: ",")) }
      isFirst = false
      head += Self.string(key) + [UInt8(ascii: ":")] + Self.string(value)
      return true
    }
    head += Array("},\"time\":".utf8)
  }

  mutating func append(
    _ batch: borrowing ColumnBatch, chosen: [UInt64]?, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    var text = RowText(columnCountMax: names.count + 3)
    let count = batch.visitRows(chosen) { word, rows in
      text.begin(rows)
      text.append(batch.timestamps, word: word, behind: head, .nanoseconds)
      text.append(Self.fields)
      for index in names.indices {
        text.append(batch.columns[index], word: word, count: batch.count, behind: names[index], ExportedJSONForm())
      }
      text.append(Self.end)
      text.lay(into: &out, opening: (2, UInt8(ascii: "{")))
    }
    return (count, 0)
  }

  private static let fields = Array(",\"fields\":".utf8)
  private static let end = Array("}}\n".utf8)

  private static func string(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.appendJSONString(text)
    return out
  }
}

/// Values of JSON; absent ones are left out.
private struct ExportedJSONForm: CellForm {
  let absent: [UInt8]? = nil

  func append(_ value: Double, to out: inout TextBuffer) { out.appendExported(value) }
  func append(_ text: Span<UInt8>, to out: inout TextBuffer) { JSONCellForm().append(text, to: &out) }
}

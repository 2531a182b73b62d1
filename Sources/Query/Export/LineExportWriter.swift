import LineProtocol
import Storage

/// Points as line protocol: what `varve import` and InfluxDB take, exact to the bit.
struct LineExportWriter: ExportWriter {
  /// What stands before a field's value: a comma, its name, an equals sign.
  private var names: [[UInt8]] = []
  private var fields: [FieldKey] = []
  /// Measurement and tags of the series; `nil` where line protocol cannot write them.
  private var head: [UInt8]?

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    fields = Set(columns.map(\.name)).map { FieldKey(name: $0, type: .float) }
    names = columns.map { column in
      var name = [UInt8(ascii: ",")]
      LinePrinter.appendFieldName(column.name, to: &name)
      return name + [UInt8(ascii: "=")]
    }
  }

  mutating func begin(series tags: SeriesTags) { head = LineWriter(key: tags.key, fields: fields).head }

  mutating func append(
    _ batch: borrowing ColumnBatch, chosen: [UInt64]?, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    guard let head else { return (0, batch.visitRows(chosen) { _, _ in }) }
    var text = RowText(columnCountMax: names.count + 3)
    let count = batch.visitRows(chosen) { word, rows in
      text.begin(rows)
      text.append(head)
      for index in names.indices {
        text.append(batch.columns[index], word: word, count: batch.count, behind: names[index], LineForm())
      }
      text.append(batch.timestamps, word: word, behind: [UInt8(ascii: " ")], .nanoseconds)
      text.append([UInt8(ascii: "\n")])
      text.lay(into: &out, opening: (1, UInt8(ascii: " ")))
    }
    return (count, 0)
  }
}

/// Values of line protocol; absent ones are left out.
private struct LineForm: CellForm {
  let absent: [UInt8]? = nil

  func append(_ value: Double, to out: inout TextBuffer) { out.appendExported(value) }

  @inline(__always) func append(_ value: Int64, to out: inout TextBuffer) {
    out.append(value)
    out.append(UInt8(ascii: "i"))
  }

  @inline(__always) func append(_ value: UInt64, to out: inout TextBuffer) {
    out.append(value)
    out.append(UInt8(ascii: "u"))
  }

  func append(_ text: Span<UInt8>, to out: inout TextBuffer) {
    // Each byte may be escaped.
    out.reserve(2 * text.count + 2)
    out.append(UInt8(ascii: "\""))
    for index in text.indices {
      let byte = text[index]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
      out.append(byte)
    }
    out.append(UInt8(ascii: "\""))
  }
}

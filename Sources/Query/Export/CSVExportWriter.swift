import LineProtocol
import Storage

/// A table a measurement, RFC 4180 with `\n`, an empty line between tables.
///
/// Its header says all that reading it back needs: `#measurement` and the measurement's name in the first cell, and behind them `time`, each tag's key,
/// and each field's name with its type, as `usage:float`. The first cell of rows is empty. An absent tag or value is empty, an empty
/// string `""`.
struct CSVExportWriter: ExportWriter {
  private var tagKeys: [[UInt8]] = []
  private var columnCount = 0
  /// The cells of the series' tags, with a comma before each.
  private var tagCells: [UInt8] = []
  private var isFirst = true

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    self.tagKeys = tagKeys
    columnCount = columns.count
    var header: [UInt8] = isFirst ? [] : [UInt8(ascii: "\n")]
    isFirst = false
    header.appendCSVField(Array("#measurement ".utf8) + measurement)
    header += Array(",time".utf8)
    for key in tagKeys {
      header.append(UInt8(ascii: ","))
      header.appendCSVField(key)
    }
    for column in columns {
      header.append(UInt8(ascii: ","))
      header.appendCSVField(column.name + Array(":\(column.type.name)".utf8))
    }
    header.append(UInt8(ascii: "\n"))
    out.reserve(header.count)
    out.append(header)
  }

  mutating func begin(series tags: SeriesTags) {
    tagCells = []
    for key in tagKeys {
      tagCells.append(UInt8(ascii: ","))
      let value = tags.value(of: key)
      if !value.isEmpty { tagCells.appendCSVField(value) }
    }
  }

  mutating func append(
    _ batch: borrowing ColumnBatch, chosen: [UInt64]?, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    let comma = [UInt8(ascii: ",")]
    var text = RowText(columnCountMax: columnCount + 3)
    let count = batch.visitRows(chosen) { word, rows in
      text.begin(rows)
      text.append(batch.timestamps, word: word, behind: comma, .nanoseconds)
      text.append(tagCells)
      for index in 0..<columnCount {
        text.append(batch.columns[index], word: word, count: batch.count, behind: comma, ExportedCSVForm())
      }
      text.append([UInt8(ascii: "\n")])
      text.lay(into: &out)
    }
    return (count, 0)
  }
}

/// Fields of CSV of which a float is seen to be one.
private struct ExportedCSVForm: CellForm {
  private let fields = CSVCellForm()

  var absent: [UInt8]? { fields.absent }

  func append(_ value: Double, to out: inout TextBuffer) { out.appendExported(value) }
  func append(_ text: Span<UInt8>, to out: inout TextBuffer) { fields.append(text, to: &out) }
}

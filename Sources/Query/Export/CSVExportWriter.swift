import LineProtocol
import Storage

/// A table a measurement, RFC 4180 with `\n`, an empty line between tables.
///
/// Its header says all that reading it back needs: `#measurement` and the measurement's name in the first cell, and behind them `time`, each tag's key,
/// and each field's name with its type, as `usage:float`. The first cell of rows is empty. An absent tag or value is empty, an empty
/// string `""`.
struct CSVExportWriter: ExportWriter {
  private var tagKeys: [[UInt8]] = []
  private var types: [FieldType] = []
  /// The cells of the series' tags, with a comma before each.
  private var tagCells: [UInt8] = []
  private var isFirst = true

  mutating func begin(
    measurement: [UInt8], tagKeys: [[UInt8]], columns: [ScanColumn], into out: inout TextBuffer
  ) {
    self.tagKeys = tagKeys
    types = columns.map(\.type)
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
    _ batch: borrowing ColumnBatch, isChosen: (Int) -> Bool, into out: inout TextBuffer
  ) -> (written: Int, unwritable: Int) {
    var count = 0
    let fixedByteCount = tagCells.count + types.count * (TextBuffer.numberByteCountMax + 1) + 32
    for row in 0..<batch.count where isChosen(row) {
      out.reserve(fixedByteCount)
      out.append(UInt8(ascii: ","))
      out.append(batch.timestamps[row])
      out.append(tagCells)
      for index in types.indices {
        out.append(UInt8(ascii: ","))
        guard batch.columns[index].isPresent(row) else { continue }
        if types[index] == .string {
          appendString(batch.columns[index].string(row), fixedByteCount, to: &out)
        } else {
          out.appendNumber(batch.columns[index].values[row], types[index])
        }
      }
      out.append(UInt8(ascii: "\n"))
      count += 1
    }
    return (count, 0)
  }

  private func appendString(_ text: ArraySlice<UInt8>, _ rest: Int, to out: inout TextBuffer) {
    var cell: [UInt8] = []
    cell.appendCSVField(text)
    out.reserve(cell.count + rest)
    out.append(cell)
  }
}

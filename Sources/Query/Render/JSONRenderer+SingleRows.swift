import LineProtocol
import Storage

extension JSONRenderer {
  /// Whether series of one row each may come as `StatementResult.singles`: all in one document, and not spread over lines.
  package static func takesSingleRows(_ options: RenderOptions) -> Bool {
    options.chunkRowCount == nil && !options.isPretty && !options.includesTypes
  }

  /// Series of one row each, separated by commas: like rows, but for what stands around the values of each.
  mutating func appendObjects(_ singles: SingleRowSeries, _ style: TimeStyle, into out: inout [UInt8]) {
    let (rows, comma) = (singles.rows, Array(",".utf8))
    let tags = singles.tags.sorted { $0.key < $1.key }.enumerated().map { place, tag in
      (lead: Self.keyText(tag.key, isFirst: place == 0), values: tag.values)
    }
    let opening = openingText(rows)
    let head = headText(rows)
    var text = RowText(columnCountMax: tags.count + rows.columns.count + 4, rowCount: rows.rowCount)
    RowText.visitWords(of: 0..<rows.rowCount) { word, bits in
      text.begin(bits)
      text.append(opening)
      for tag in tags { text.append(tag.values, word: word, count: rows.rowCount, behind: tag.lead, JSONCellForm()) }
      text.append(head)
      text.append(rows.timestamps ?? [], word: word, behind: [], style, isQuoted: true)
      for column in rows.columns {
        text.append(column, word: word, count: rows.rowCount, behind: comma, JSONCellForm())
      }
      text.append(Array("]]},".utf8))
      text.lay(into: &out)
    }
    out.removeLast()
  }

  /// `{"name":"cpu","tags":{`
  private func openingText(_ rows: ResultSeries) -> [UInt8] {
    var text = Array("{\"name\":".utf8)
    text.appendJSONString(rows.name)
    return text + Array(",\"tags\":{".utf8)
  }

  /// `"host":`
  private static func keyText(_ key: String, isFirst: Bool) -> [UInt8] {
    var text: [UInt8] = isFirst ? [] : [UInt8(ascii: ",")]
    text.appendJSONString(key)
    return text + [UInt8(ascii: ":")]
  }

  /// `},"columns":["time",…],"values":[[`
  private mutating func headText(_ rows: ResultSeries) -> [UInt8] {
    Array("},\"columns\":".utf8) + text(of: rows.columnNames) + Array(",\"values\":[[".utf8)
  }
}

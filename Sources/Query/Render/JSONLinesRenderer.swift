/// One object a row: `{"statement_id":0,"name":"cpu","tags":{"host":"a"},"time":…,"mean":1.5}`.
///
/// No key stands twice: where a column is called `name` (`SHOW DATABASES`) or `tags`, the series' own is left out.
public struct JSONLinesRenderer: ResultRenderer {
  private let options: RenderOptions

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    let style = TimeStyle(options, result)
    for series in result.series {
      let prefix = head(series, statementID: result.statementID)
      let keys = series.columnNames.suffix(series.columns.count).map { name in
        var key: [UInt8] = [UInt8(ascii: ",")]
        key.appendJSONString(name)
        key.append(UInt8(ascii: ":"))
        return key
      }
      let beforeTime = prefix + Array(",\"time\":".utf8)
      let columns = series.columns.span
      var text = RowText(columnCountMax: columns.count + 2, rowCount: series.rowCount)
      RowText.visitWords(of: 0..<series.rowCount) { word, rows in
        text.begin(rows)
        if let timestamps = series.timestamps {
          text.append(timestamps, word: word, behind: beforeTime, style, isQuoted: true)
        } else {
          text.append(prefix)
        }
        for index in columns.indices {
          text.append(columns[index], word: word, count: series.rowCount, behind: keys[index], JSONCellForm())
        }
        text.append(Array("}\n".utf8))
        text.lay(into: &out)
      }
    }
  }

  /// What all rows of a series begin with.
  private func head(_ series: ResultSeries, statementID: Int) -> [UInt8] {
    var out = Array("{\"statement_id\":".utf8)
    out.appendDecimal(Int64(statementID))
    if !series.name.isEmpty, !series.columnNames.contains("name") {
      out.append(contentsOf: ",\"name\":".utf8)
      out.appendJSONString(series.name)
    }
    if !series.tags.isEmpty, !series.columnNames.contains("tags") {
      out.append(contentsOf: ",\"tags\":{".utf8)
      for (index, tag) in series.tags.enumerated() {
        if index > 0 { out.append(UInt8(ascii: ",")) }
        out.appendJSONString(tag.key)
        out.append(UInt8(ascii: ":"))
        out.appendJSONString(tag.value)
      }
      out.append(UInt8(ascii: "}"))
    }
    return out
  }
}

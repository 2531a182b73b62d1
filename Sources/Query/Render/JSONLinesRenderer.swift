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
      for row in 0..<series.rowCount {
        out.append(contentsOf: prefix)
        if let timestamps = series.timestamps {
          out.append(contentsOf: ",\"time\":".utf8)
          out.appendJSONTime(timestamps[row], style)
        }
        for index in series.columns.indices {
          out.append(contentsOf: keys[index])
          out.appendJSONValue(series.columns[index], row)
        }
        out.append(contentsOf: "}\n".utf8)
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

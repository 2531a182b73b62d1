import LineProtocol
import Storage

/// One line of line protocol a row: name, group tags, columns as fields, time in nanoseconds.
///
/// Nulls, NaN and infinities are left out, and so is a row without a field.
public struct LineRenderer: ResultRenderer {
  public init() {}

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    for series in result.series { appendRows(series, into: &out) }
  }

  private func appendRows(_ series: ResultSeries, into out: inout [UInt8]) {
    var head: [UInt8] = []
    // A statement may list things without a name; line protocol has no nameless points.
    head.appendEscaped((series.name.isEmpty ? "result" : series.name).utf8, .measurement)
    for tag in series.tags where !tag.value.isEmpty {
      head.append(UInt8(ascii: ","))
      head.appendEscaped(tag.key.utf8, .tag)
      head.append(UInt8(ascii: "="))
      head.appendEscaped(tag.value.utf8, .tag)
    }
    let keys = series.columnNames.suffix(series.columns.count).map { name in
      var key: [UInt8] = []
      key.appendEscaped(name.utf8, .tag)
      key.append(UInt8(ascii: "="))
      return key
    }
    for row in 0..<series.rowCount {
      let start = out.count
      out.append(contentsOf: head)
      var isFirst = true
      for index in series.columns.indices where Self.hasForm(series.columns[index], row) {
        out.append(UInt8(ascii: isFirst ? " " : ","))
        isFirst = false
        out.append(contentsOf: keys[index])
        out.appendLineValue(series.columns[index], row)
      }
      if isFirst {
        out.removeSubrange(start...)
        continue
      }
      if let timestamps = series.timestamps {
        out.append(UInt8(ascii: " "))
        out.appendDecimal(timestamps[row])
      }
      out.append(UInt8(ascii: "\n"))
    }
  }

  private static func hasForm(_ column: Column, _ row: Int) -> Bool {
    column.isPresent(row) && (column.key.type != .float || Double(bitPattern: column.values[row]).isFinite)
  }
}

/// Where a name stands in a line: which bytes need a backslash.
package enum LinePlace { case measurement, tag }

extension [UInt8] {
  /// Appends a name with the backslashes that line protocol asks for.
  package mutating func appendEscaped(_ text: some Sequence<UInt8>, _ place: LinePlace) {
    for byte in text {
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: " "): append(UInt8(ascii: "\\"))
      case UInt8(ascii: "=") where place == .tag: append(UInt8(ascii: "\\"))
      default: break
      }
      append(byte)
    }
  }

  /// Appends a present value of a column as line protocol writes it.
  fileprivate mutating func appendLineValue(_ column: Column, _ row: Int) {
    switch column.key.type {
    case .float, .boolean: appendText(column, row)
    case .integer:
      appendText(column, row)
      append(UInt8(ascii: "i"))
    case .unsigned:
      appendText(column, row)
      append(UInt8(ascii: "u"))
    case .string:
      append(UInt8(ascii: "\""))
      for byte in column.string(row) {
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(UInt8(ascii: "\\")) }
        append(byte)
      }
      append(UInt8(ascii: "\""))
    }
  }
}

import LineProtocol
import Storage

/// RFC 4180 with `\n`: one header a statement, an empty line between statements.
///
/// Null and an absent tag are empty, an empty string is `""`. A statement without rows writes nothing.
public struct CSVRenderer: ResultRenderer {
  private let options: RenderOptions
  private var isFirst = true
  /// The header of the answer under way.
  private var grid: ResultGrid?
  private let texts = RepeatedTexts()

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    if result.continuation == .begins { grid = nil }
    guard result.series.contains(where: { $0.rowCount > 0 }) else { return }
    let grid = grid ?? begin(result, into: &out)
    let style = TimeStyle(options, result)
    for series in result.series { appendRows(series, grid.cells(of: series), style, into: &out) }
  }

  private mutating func begin(_ result: StatementResult, into out: inout [UInt8]) -> ResultGrid {
    if !isFirst { out.append(UInt8(ascii: "\n")) }
    isFirst = false
    let grid = ResultGrid(result)
    self.grid = grid
    for (index, title) in grid.titles.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.appendCSVField(Array(title.utf8))
    }
    out.append(UInt8(ascii: "\n"))
    return grid
  }

  private func appendRows(
    _ series: ResultSeries, _ cells: [ResultGrid.Cell], _ style: TimeStyle, into out: inout [UInt8]
  ) {
    let columns = series.columns.span
    var leads = columns.indices.map { _ in [UInt8(ascii: ",")] }
    if case .column(let first) = cells.first { leads[first] = [] }
    let places = places(cells, columns, behind: leads, rowCount: series.rowCount)
    var text = RowText(columnCountMax: cells.count + 1, rowCount: series.rowCount, texts: texts)
    RowText.visitWords(of: 0..<series.rowCount) { word, rows in
      text.begin(rows)
      for place in places {
        switch place {
        case .text(let constant): text.append(constant)
        case .time(let lead): text.append(series.timestamps ?? [], word: word, behind: lead, style)
        case .part(let part):
          text.append(part, of: columns, word: word, count: series.rowCount, behind: leads, CSVCellForm())
        }
      }
      text.append([UInt8(ascii: "\n")])
      text.lay(into: &out)
    }
  }

  /// What rows of a series are made of, in order.
  private enum Place {
    /// With the comma before it.
    case text([UInt8])
    case time(behind: [UInt8])
    case part(ColumnPart)
  }

  private func places(
    _ cells: [ResultGrid.Cell], _ columns: Span<Column>, behind leads: [[UInt8]], rowCount: Int
  ) -> [Place] {
    var places: [Place] = []
    var index = 0
    while index < cells.count {
      let lead = index > 0 ? [UInt8(ascii: ",")] : []
      switch cells[index] {
      case .empty: places.append(.text(lead))
      case .text(let constant):
        var field = lead
        field.appendCSVField(constant)
        places.append(.text(field))
      case .time: places.append(.time(behind: lead))
      case .column(let first):
        // Columns that follow one another in both.
        var end = first + 1
        while index + 1 < cells.count, case .column(end) = cells[index + 1] {
          index += 1
          end += 1
        }
        places += ColumnPart.parts(of: columns, in: first..<end, behind: leads, rowCount: rowCount, texts).map { .part($0) }
      }
      index += 1
    }
    return places
  }
}

/// InfluxDB's CSV form, of `Accept: application/csv`: `name,tags,time,…`, times as integers, floats without exponent.
public struct InfluxCSVRenderer: ResultRenderer {
  private let options: RenderOptions
  private var isFirst = true
  private let texts = RepeatedTexts()

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  /// The answer that says why nothing was run.
  public static func appendError(_ message: String, into out: inout [UInt8]) {
    out.append(contentsOf: "error\n".utf8)
    out.appendCSVField(Array(message.utf8), isEmptyQuoted: false)
    out.append(UInt8(ascii: "\n"))
  }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    guard let first = result.series.first else { return }
    if result.continuation == .begins { appendHeader(first, into: &out) }
    for series in result.series { appendRows(series, into: &out) }
  }

  private mutating func appendHeader(_ first: ResultSeries, into out: inout [UInt8]) {
    if !isFirst { out.append(UInt8(ascii: "\n")) }
    isFirst = false
    out.append(contentsOf: "name,tags".utf8)
    for name in first.columnNames {
      out.append(UInt8(ascii: ","))
      out.appendCSVField(Array(name.utf8), isEmptyQuoted: false)
    }
    out.append(UInt8(ascii: "\n"))
  }

  private func appendRows(_ series: ResultSeries, into out: inout [UInt8]) {
    var head: [UInt8] = []
    head.appendCSVField(Array(series.name.utf8), isEmptyQuoted: false)
    head.append(UInt8(ascii: ","))
    head.appendCSVField(Self.tagText(series.tags), isEmptyQuoted: false)
    let columns = series.columns.span
    let form = CSVCellForm(isEmptyQuoted: false, hasPlainFloats: true)
    let style = TimeStyle(options.precision ?? .nanoseconds)
    let comma = [UInt8(ascii: ",")]
    let (leads, headed) = (columns.indices.map { _ in comma }, head + comma)
    let parts = ColumnPart.parts(of: columns, in: columns.indices, behind: leads, rowCount: series.rowCount, texts)
    var text = RowText(columnCountMax: columns.count + 3, rowCount: series.rowCount, texts: texts)
    RowText.visitWords(of: 0..<series.rowCount) { word, rows in
      text.begin(rows)
      if let timestamps = series.timestamps {
        text.append(timestamps, word: word, behind: headed, style)
      } else {
        text.append(head)
      }
      for part in parts { text.append(part, of: columns, word: word, count: series.rowCount, behind: leads, form) }
      text.append([UInt8(ascii: "\n")])
      text.lay(into: &out)
    }
  }

  /// `host=a,region=b` sorted by key, escaped as line protocol escapes tags; empty values are left out.
  private static func tagText(_ tags: [(key: String, value: String)]) -> [UInt8] {
    var out: [UInt8] = []
    for tag in tags.sorted(by: { $0.key < $1.key }) where !tag.value.isEmpty {
      if !out.isEmpty { out.append(UInt8(ascii: ",")) }
      out.appendEscaped(tag.key.utf8, .tag)
      out.append(UInt8(ascii: "="))
      out.appendEscaped(tag.value.utf8, .tag)
    }
    return out
  }
}

extension [UInt8] {
  /// Appends a field, quoted where a comma, quote, line end or leading blank asks for it, and where it is empty.
  package mutating func appendCSVField(_ text: some Collection<UInt8>, isEmptyQuoted: Bool = true) {
    let needsQuotes =
      text.first.map { $0 == UInt8(ascii: " ") } ?? isEmptyQuoted
      || text.contains { byte in
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
          || byte == UInt8(ascii: "\r")
      }
    guard needsQuotes else { return append(contentsOf: text) }
    append(UInt8(ascii: "\""))
    for byte in text {
      if byte == UInt8(ascii: "\"") { append(byte) }
      append(byte)
    }
    append(UInt8(ascii: "\""))
  }
}

/// Aligned columns under a header with a rule, numbers to the right; an empty line between statements.
///
/// Of an answer in pieces the columns are as wide as the first piece needs.
public struct TableRenderer: ResultRenderer {
  private let options: RenderOptions
  private var isFirst = true
  /// Of the answer under way.
  private var table: TextTable?

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    if result.continuation == .begins { table = nil }
    guard result.series.contains(where: { $0.rowCount > 0 }) else { return }
    if table == nil { begin(TextTable(result, options), into: &out) } else { table?.replace(by: result) }
    guard let table else { return }
    for row in 0..<table.rowCount {
      for column in table.titles.indices { table.appendCell(row, column, separator: "  ", into: &out) }
      Self.endLine(&out)
    }
  }

  private mutating func begin(_ table: TextTable, into out: inout [UInt8]) {
    self.table = table
    if !isFirst { out.append(UInt8(ascii: "\n")) }
    isFirst = false
    for column in table.titles.indices { table.appendTitle(column, into: &out) }
    Self.endLine(&out)
    for column in table.titles.indices {
      if column > 0 { out.append(contentsOf: "  ".utf8) }
      for _ in 0..<table.widths[column] { out.append(contentsOf: "─".utf8) }
    }
    out.append(UInt8(ascii: "\n"))
  }

  /// Cuts blanks at the line's end.
  private static func endLine(_ out: inout [UInt8]) {
    while out.last == UInt8(ascii: " ") { out.removeLast() }
    out.append(UInt8(ascii: "\n"))
  }
}

/// A table of GitHub's Markdown, a statement each; numbers to the right.
public struct MarkdownRenderer: ResultRenderer {
  private let options: RenderOptions
  private var isFirst = true
  /// Of the answer under way.
  private var table: TextTable?

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    if result.continuation == .begins { table = nil }
    guard result.series.contains(where: { $0.rowCount > 0 }) else { return }
    if table == nil {
      begin(TextTable(result, options, isBarEscaped: true, widthMin: 3), into: &out)
    } else {
      table?.replace(by: result)
    }
    guard let table else { return }
    for row in 0..<table.rowCount {
      out.append(UInt8(ascii: "|"))
      for column in table.titles.indices {
        table.appendCell(row, column, separator: " | ", first: " ", into: &out)
      }
      out.append(contentsOf: " |\n".utf8)
    }
  }

  private mutating func begin(_ table: TextTable, into out: inout [UInt8]) {
    self.table = table
    if !isFirst { out.append(UInt8(ascii: "\n")) }
    isFirst = false
    out.append(UInt8(ascii: "|"))
    for column in table.titles.indices {
      table.appendTitle(column, separator: column == 0 ? " " : " | ", into: &out)
    }
    out.append(contentsOf: " |\n|".utf8)
    for column in table.titles.indices {
      out.append(contentsOf: (column == 0 ? " " : " | ").utf8)
      let isRight = table.isRightAligned[column]
      for _ in 0..<table.widths[column] - (isRight ? 1 : 0) { out.append(UInt8(ascii: "-")) }
      if isRight { out.append(UInt8(ascii: ":")) }
    }
    out.append(contentsOf: " |\n".utf8)
  }
}

/// A block a row, a line a column; for rows too wide for a table.
public struct VerticalRenderer: ResultRenderer {
  private let options: RenderOptions
  private var isFirst = true
  /// Of the answer under way.
  private var table: TextTable?

  public init(_ options: RenderOptions = RenderOptions()) { self.options = options }

  public mutating func append(_ result: StatementResult, into out: inout [UInt8]) {
    if result.continuation == .begins { table = nil }
    guard result.series.contains(where: { $0.rowCount > 0 }) else { return }
    if table == nil {
      if !isFirst { out.append(UInt8(ascii: "\n")) }
      isFirst = false
      table = TextTable(result, options)
    } else {
      table?.replace(by: result)
    }
    guard let table else { return }
    let width = table.titles.map(displayWidth).max() ?? 0
    for row in 0..<table.rowCount {
      let number = table.earlierRowCount + row + 1
      if number > 1 { out.append(UInt8(ascii: "\n")) }
      let title = "Row \(number):"
      out.append(contentsOf: "\(title)\n\(String(repeating: "─", count: title.utf8.count))\n".utf8)
      for column in table.titles.indices {
        out.append(contentsOf: table.titles[column])
        out.append(UInt8(ascii: ":"))
        let text = table.text(row, column)
        if !text.isEmpty {
          for _ in 0..<width - displayWidth(table.titles[column]) + 1 { out.append(UInt8(ascii: " ")) }
          out.append(contentsOf: text)
        }
        out.append(UInt8(ascii: "\n"))
      }
    }
  }
}

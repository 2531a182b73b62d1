import LineProtocol
import Query
import Storage

/// A table of words and numbers that a command prints in any of the formats of results.
struct Report {
  /// A cell.
  enum Value {
    case text(String)
    case integer(Int)
    case number(Double)
    case none

    /// A time as people read it; nothing where there is none.
    static func time(_ time: Int64?) -> Value { time.map { .text(QueryTime.print($0)) } ?? .none }
    static func bytes(_ count: UInt64) -> Value { .integer(Int(clamping: count)) }
  }
  private let name: String
  private let columnNames: [String]
  private var rows: [[Value]] = []

  init(_ name: String, columns: [String]) {
    self.name = name
    columnNames = columns
  }

  /// Adds a row of as many values as there are columns.
  mutating func append(_ row: [Value]) {
    precondition(row.count == columnNames.count, "\(row.count) values for \(columnNames.count) columns")
    rows.append(row)
  }

  /// Prints; without a format as `varve query` would.
  func print(_ format: String?) throws { try Self.print([self], format) }

  /// Prints several, each as the answer of a statement of its own.
  static func print(_ reports: [Report], _ format: String?) throws {
    let usual: ResultFormat = Output.standard.isTerminal ? .table : .csv
    var printer = ResultPrinter(format.flatMap(ResultFormat.init) ?? usual, RenderOptions())
    for (index, report) in reports.enumerated() { try printer.print(report.result(statementID: index)) }
    try printer.finish()
  }

  private func result(statementID: Int) -> StatementResult {
    var result = StatementResult(statementID: statementID)
    result.series = [
      ResultSeries(
        name: name, columnNames: columnNames, timestamps: nil, columns: columnNames.indices.map(column),
        rowCount: rows.count)
    ]
    return result
  }

  private func column(_ index: Int) -> Column {
    var column = Column(key: FieldKey(name: Array(columnNames[index].utf8), type: type(index)))
    column.validity = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
    for (row, cells) in rows.enumerated() {
      switch cells[index] {
      case .none:
        column.values.append(0)
        continue
      case .text(let text):
        column.values.append(UInt64(column.bytes.count) << 32 | UInt64(text.utf8.count))
        column.bytes += text.utf8
      case .integer(let value):
        column.values.append(
          column.key.type == .float ? Double(value).bitPattern : UInt64(bitPattern: Int64(value)))
      case .number(let value): column.values.append(value.bitPattern)
      }
      column.validity[row >> 6] |= 1 << UInt64(row & 63)
      column.presentCount += 1
    }
    if column.presentCount == rows.count { column.validity = [] }
    return column
  }

  private func type(_ index: Int) -> FieldType {
    var type = FieldType.integer
    for row in rows {
      switch row[index] {
      case .text: return .string
      case .number: type = .float
      case .integer, .none: break
      }
    }
    return type
  }
}

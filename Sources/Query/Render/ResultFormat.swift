public import LineProtocol

/// How rows are written.
public enum ResultFormat: String, CaseIterable, Sendable {
  /// Aligned columns for a terminal.
  case table
  /// RFC 4180 with `\n`, one header a statement.
  case csv
  /// The document of `/query`.
  case json
  /// One object a row.
  case jsonl
  /// One line of line protocol a row.
  case line
  /// A table of GitHub's Markdown.
  case markdown
  /// One column a line, a block a row.
  case vertical
  /// InfluxDB's own CSV form: `name,tags,time,…`.
  case influxCSV = "influx-csv"
}

/// What a renderer is told.
public struct RenderOptions: Sendable {
  /// The unit of times as integers; `nil` writes RFC 3339 in UTC.
  public var precision: Precision?
  /// JSON only: indents by four spaces.
  public var isPretty = false
  /// JSON only: rows of one series in one document; a longer series is cut, each piece a document and a line of its own.
  public var chunkRowCount: Int?
  /// JSON only: each series also says the types of its columns (`"types":["time","float"]`), its tags stand in the order asked, a piece says
  /// `"several":true` where series of other names may follow, and an error where its words stand (`"at":"line 1, char 8"`). What our own
  /// command asks for, so that nothing is lost on the way.
  public var includesTypes = false

  public init(precision: Precision? = nil) { self.precision = precision }
}

/// Turns answers into bytes, one after another.
///
/// Call `begin` once, `append` for each statement's answer in order, or for each piece of it, `finish` once; each appends to `out`, which the
/// caller may send and empty between calls. Errors of statements are the caller's, except in JSON, where they are part of
/// the document.
public protocol ResultRenderer {
  /// Whether errors of statements stand in the output.
  var includesErrors: Bool { get }
  /// What stands before the first answer.
  mutating func begin(into out: inout [UInt8])
  /// One statement's answer.
  mutating func append(_ result: StatementResult, into out: inout [UInt8])
  /// What stands after the last answer.
  mutating func finish(into out: inout [UInt8])
}

extension ResultRenderer {
  public var includesErrors: Bool { false }
  public mutating func begin(into out: inout [UInt8]) {}
  public mutating func finish(into out: inout [UInt8]) {}
}

extension ResultFormat {
  /// A renderer of this format for one input.
  public func makeRenderer(_ options: RenderOptions = RenderOptions()) -> any ResultRenderer {
    switch self {
    case .table: TableRenderer(options)
    case .csv: CSVRenderer(options)
    case .json: JSONRenderer(options)
    case .jsonl: JSONLinesRenderer(options)
    case .line: LineRenderer()
    case .markdown: MarkdownRenderer(options)
    case .vertical: VerticalRenderer(options)
    case .influxCSV: InfluxCSVRenderer(options)
    }
  }
}

public import Storage

/// Rows of one name and one set of group tags.
public struct ResultSeries: Sendable {
  /// Measurement, or what the statement lists ("databases"); may be empty.
  public var name: String
  /// Group tags in the order asked; those of a wildcard or regular expression by name.
  public var tags: [(key: String, value: String)]
  /// Names of the columns, "time" first where `timestamps` is there.
  public var columnNames: [String]
  /// Nanoseconds, one a row; `nil` for statements without a time column.
  public var timestamps: [Int64]?
  /// The columns after time, each of `rowCount` rows.
  public var columns: [Column]
  public var rowCount: Int

  public init(
    name: String, tags: [(key: String, value: String)] = [], columnNames: [String], timestamps: [Int64]?,
    columns: [Column], rowCount: Int
  ) {
    self.name = name
    self.tags = tags
    self.columnNames = columnNames
    self.timestamps = timestamps
    self.columns = columns
    self.rowCount = rowCount
  }
}

/// What the user should know beside the rows.
public struct ResultMessage: Sendable, Equatable {
  /// "warning" or "info".
  public var level: String
  public var text: String

  public init(level: String, text: String) {
    self.level = level
    self.text = text
  }
}

/// The answer to one statement.
public struct StatementResult: Sendable {
  /// How an answer in chunks is cut into documents, as InfluxDB cuts the answers of its statements.
  public enum Chunking: Sendable {
    /// By rows: each piece but the last says that it is partial.
    case rows
    /// A document a series, however long, none of them marked.
    case series
    /// One document.
    case whole
  }

  /// How a piece of an answer goes on from the piece before.
  public enum Continuation: Sendable {
    /// It is the first, perhaps the only one.
    case begins
    /// Its series are others.
    case nextSeries
    /// The rows of its first series follow those of the last one of the piece before.
    case sameSeries
  }

  /// Its place among the statements of one input, from 0.
  public var statementID: Int
  public var series: [ResultSeries] = []
  /// Series of one row each that come instead of `series`, where `QueryRequest.takesSingleRows`.
  package var singles: SingleRowSeries?
  public var messages: [ResultMessage] = []
  /// Why it failed; other statements still run.
  public var error: String?
  /// Where in the text of the query what `error` is about stands, where it is about its words: "line 1, char 8".
  public var errorPlace: String?
  /// It failed for want of memory that other statements hold: later it may not.
  package var isCrowdedOut = false
  /// Something is not in it: what is yet to be replayed, where it was answered while the log is; what is damaged, which `messages`
  /// names.
  public var isPartial = false
  public var chunking = Chunking.rows
  public var continuation = Continuation.begins
  /// Another piece of the same answer follows; messages, losses and an error may come with any.
  public var hasMore = false
  /// Series of other names may come in later pieces.
  public var hasSeveralNames = false

  /// The name of the time zone in which the statement is meant and its times are to be shown; empty: UTC.
  public var timeZone = ""

  public init(statementID: Int) { self.statementID = statementID }

  /// Bytes that the answer takes as text, roughly, and as much again while it grows.
  package var renderedByteCountMax: Int {
    let rows = series.reduce(0) { $0 + 2 * (256 + $1.renderedRowsByteCount) }
    guard let singles else { return rows }
    return rows + 2 * (256 * singles.rows.rowCount + singles.rows.renderedRowsByteCount)
  }

  /// Takes the rows out, and says why there are none.
  package mutating func fail(_ message: String) {
    (series, singles, error, errorPlace) = ([], nil, message, nil)
  }
}

extension ResultSeries {
  /// Bytes that the rows take as text, roughly.
  fileprivate var renderedRowsByteCount: Int {
    let strings = columns.reduce(0) { $0 + $1.bytes.count }
    return rowCount * (columns.count * 12 + 24) + strings
  }
}

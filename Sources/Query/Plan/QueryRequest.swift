import Storage

/// What to run, and for whom.
public struct QueryRequest: Sendable {
  /// One or several statements of InfluxQL.
  public var text: String
  public var database: String
  /// Empty: the database's default policy.
  public var policy = ""
  /// Bind parameters: `$name` in the text. JSON values as text of InfluxQL literals.
  public var parameters: [String: String] = [:]
  /// What each `SELECT` keeps to, besides its own condition.
  public var timeRange = TimeRange()
  /// In which each `SELECT` is meant that names no time zone with `tz()`; empty: UTC.
  public var timeZone = ""
  /// Nanoseconds; what `now()` is.
  public var now: Int64
  /// Set from outside to stop: asked at least every few milliseconds.
  public var isCancelled: @Sendable () -> Bool = { false }
  /// A statement that would lack what is damaged fails instead.
  public var isStrict = false
  /// It was asked in a way that is meant for reading: a statement that changes something is done, and said to be out of place.
  public var isReading = false
  /// Long answers are handed on in pieces while they are made: `StatementResult.hasMore`.
  public var isStreamed = false
  /// Who takes the answers knows `StatementResult.singles`.
  package var takesSingleRows = false
  /// Answered by a thread that must not wait: see `QueryEngine.NotShort`.
  public var isShort = false
  /// Where the statement that runs says what it leaves out.
  var leftOut = LeftOut()

  public init(text: String, database: String, now: Int64) {
    self.text = text
    self.database = database
    self.now = now
  }
}

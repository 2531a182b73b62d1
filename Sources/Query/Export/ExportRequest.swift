import Storage

/// How exported points are written.
public enum ExportFormat: String, CaseIterable, Sendable {
  /// Line protocol, a point a line, times in nanoseconds.
  case line
  /// A table a measurement: `time` in nanoseconds, a column a tag, a column a field and type.
  case csv
  /// An object a point.
  case jsonl
  /// InfluxDB's export form: statements that make the database and its policies, then line protocol.
  case influx
  /// Tables, as a tar.
  case sst
}

/// Which points to export.
public struct ExportRequest: Sendable {
  public var database: String
  /// `nil`: the default one; of the form `influx` all.
  public var policy: String?
  /// Empty: all.
  public var measurements: [String] = []
  /// A condition of InfluxQL, such as `host = 'a' AND usage > 5`; `nil`: every point.
  public var condition: String?
  public var times = TimeRange()
  public var format: ExportFormat
  /// Nanoseconds since 1970; what `now()` is in the condition.
  public var now: Int64
  /// In which its texts of times are meant; empty: UTC.
  public var timeZone = ""
  /// Asked at least every few milliseconds.
  public var isCancelled: @Sendable () -> Bool = { false }

  public init(database: String, format: ExportFormat, now: Int64) {
    self.database = database
    self.format = format
    self.now = now
  }
}

/// What an export came to.
public struct ExportSummary: Sendable, Equatable {
  public var pointCount = 0
  /// Points that line protocol has no form for: their names end in a backslash, hold a newline, or are empty.
  public var unwritableCount = 0

  public init() {}
}

/// What is dropped next, policy by policy, and why each window is still here: the document of `GET /stats/retention`.
///
/// Times are nanoseconds of the store clock.
public struct RetentionReport: Codable, Sendable, Equatable {
  public struct Policy: Codable, Sendable, Equatable {
    public var database: String
    public var policy: String
    /// Nanoseconds; 0: for ever.
    public var ttl: Int64
    public var windows: Int
    public var bytes: UInt64
    /// The window that goes next, when, and its bytes; `nil` where none will.
    public var nextStart: Int64?
    public var nextEnd: Int64?
    public var nextAt: Int64?
    public var nextBytes: UInt64
    /// Dropped since start.
    public var droppedWindows: UInt64
    public var droppedBytes: UInt64
  }

  public struct Window: Codable, Sendable, Equatable {
    public var database: String
    public var policy: String
    /// As its files name it: `20261120T000000Z`.
    public var name: String
    /// Half-open; `nil` for a window that is dropped and whose files are still read.
    public var start: Int64?
    public var end: Int64?
    public var bytes: UInt64
    /// Bytes of its replaced or dropped files that are still read.
    public var pinnedBytes: UInt64
    /// When it is dropped; `nil`: never, or it is.
    public var dropAt: Int64?
    public var why: String
  }

  /// When it was made.
  public var time: Int64
  /// A step forward of the wall clock that is not believed yet, nanoseconds; nothing is dropped meanwhile.
  public var doubtedStep: Int64?
  /// Age of the oldest snapshot held, nanoseconds; 0 where none is.
  public var oldestSnapshot: Int64
  public var policies: [Policy]
  public var windows: [Window]
}

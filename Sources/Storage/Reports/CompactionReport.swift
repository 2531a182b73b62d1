/// What every window holds, what merging will do with it and why: the document of `GET /stats/compaction`.
///
/// Times are nanoseconds of the store clock.
public struct CompactionReport: Codable, Sendable, Equatable {
  public struct Window: Codable, Sendable, Equatable {
    public var database: String
    public var policy: String
    /// Half-open.
    public var start: Int64
    public var end: Int64
    /// After its final merge, or past with nothing to merge.
    public var isClosed: Bool
    /// On disk.
    public var runs: Int
    public var tables: Int
    public var rows: Int
    public var bytes: UInt64
    /// In the memtable.
    public var memoryRows: Int
    public var memoryBytes: Int
    /// Of the newest run; `nil` while there is none.
    public var flushedAt: Int64?
    /// What is due or waited for, and why, in words.
    public var outlook: String
    /// When a merge is due if nothing more is flushed into it; `nil`: never.
    public var dueAt: Int64?
    /// Since when a job is under way.
    public var runningSince: Int64?
    /// Why the last job failed, how often in a row, and when it is tried again.
    public var failure: String?
    public var failureCount: Int
    public var retryAt: Int64?
  }

  /// When it was made.
  public var time: Int64
  public var isPaused: Bool
  /// Jobs done since start, and what they wrote.
  public var jobsDone: UInt64
  public var bytesWritten: UInt64
  /// Bytes that merging still has to write.
  public var pendingBytes: UInt64
  /// By keyspace, ascending by time.
  public var windows: [Window]
}

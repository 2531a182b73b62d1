/// Counters and gauges of a store; counters since start.
public struct StoreStatistics: Sendable {
  public struct Database: Sendable {
    public var name = ""
    public var memtableBytes = 0, liveSeries = 0
    public var tableBytes: UInt64 = 0
    public var tables = 0, windows = 0, windowRunsMax = 0
    /// Deletes that have not been carried out everywhere.
    public var tombstones = 0
    public var compactionPendingBytes: UInt64 = 0, compactionWrittenBytes: UInt64 = 0, flushWrittenBytes: UInt64 = 0
    public var stallNanoseconds: UInt64 = 0
    public var expiredWindows: UInt64 = 0, expiredBytes: UInt64 = 0, expiredOnArrival: UInt64 = 0
    /// Dropped for the quota, and the quota itself; 0: none.
    public var quotaWindows: UInt64 = 0, quotaBytes: UInt64 = 0, quotaLimitBytes: UInt64 = 0
    /// Points refused because their series was new and a limit was reached; the most values that a tag key has, of live series.
    public var refusedBySeriesLimit: UInt64 = 0, refusedByTagValuesLimit: UInt64 = 0
    public var tagValuesMax = 0
    public var writeAmplification = 0.0, readAmplification = 0.0, spaceAmplification = 0.0
    public init() {}
  }
  /// Damage met since start.
  public struct Corruptions: Sendable {
    /// Empty for what belongs to no database: log and manifest.
    public var database: String
    /// `table`, `wal` or `manifest`.
    public var kind: String
    public var count: UInt64
  }
  /// A part of the memory: what it may hold, and what it holds where that is counted.
  public struct Memory: Sendable {
    public var part: MemoryBudget.Part
    public var budgetBytes: Int
    public var usedBytes: Int?
  }
  public var memory: [Memory] = []
  public var databases: [Database] = []
  public var corruptions: [Corruptions] = []
  public var walSyncedBytes: UInt64 = 0, walSyncs: UInt64 = 0, walTornBytes: UInt64 = 0, walBytes: UInt64 = 0
  /// Counts of syncs by duration, bucket upper bounds in `walSyncBounds` seconds, the last one open; and their sum.
  public var walSyncBuckets: [UInt64] = []
  public var walSyncSeconds = 0.0
  public static let walSyncBounds = LogStatistics.syncBounds
  public var blockCacheBytes = 0
  public var blockCacheHits: UInt64 = 0, blockCacheMisses: UInt64 = 0
  public var tableReadBytes: UInt64 = 0
  /// Questions to tables that their Bloom filters answered.
  public var bloomSkips: UInt64 = 0
  public var snapshotOldestNanoseconds: Int64 = 0
  /// Bytes of files that the version in force does not name and that snapshots, or merges under way, still read.
  public var snapshotPinnedBytes: UInt64 = 0
  /// Space kept on the disk for edits: less than it should be where the disk is or was full.
  public var reserveBytes: UInt64 = 0
  /// What is allowed.
  public var cardinality = CardinalityLimits()
  /// Why writes are refused; `nil` while they are taken.
  public var degraded: String?
  public init() {}
}

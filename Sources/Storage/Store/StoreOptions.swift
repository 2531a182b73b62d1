/// What an operator sets.
public struct StoreOptions: Sendable {
  public var sync: SyncMode = .group
  /// Budget of the whole process, bytes.
  public var memoryByteCount = 1 << 30
  /// Log kept for replay before parts that pin it are sealed, bytes.
  public var walByteCountMax = 512 << 20
  /// How long a window waits after its end before its final merge.
  public var lateness: Duration = .seconds(600)
  /// How far ahead of now a point may lie.
  public var futureLimit: Duration = .seconds(10 * 365 * 86_400)
  /// TTL and window length of a database that is created without saying them; nanoseconds, 0: for ever, and by TTL.
  public var defaultTTL: Int64 = 0
  public var defaultWindowLength: Int64 = 0
  /// Bytes of tables that databases may hold; beyond that their oldest windows go.
  public var quotas: [String: UInt64] = [:]
  /// Where the disk has less free, the oldest windows of databases with a quota go; 0: that is not looked at.
  public var diskReserveByteCount: UInt64 = 0
  /// How windows are merged, in every keyspace.
  public var compactionPolicy = CompactionPolicy.timeWindow
  /// Series and tag values that may be live at once.
  public var cardinality = CardinalityLimits()
  /// Threads that merge, each one window at a time.
  public var compactorCount = 1
  /// What a store takes for `compactorCount` at most.
  public static let compactorCountMax = CompactionScheduler.threadCountMax
  /// That all merges together write at most; 0: without bound.
  public var compactionBytesPerSecond: UInt64 = 0
  /// Opens for reading: takes no lock, replays into memory, writes nothing.
  public var isReadOnly = false
  /// Goes on past a damaged log record, counting what is lost.
  public var ignoresDamagedLog = false
  /// Windows of one keyspace; fewer in tests.
  package var windowCountMax = Store.windowCountMax
  /// Bytes of a log segment, allocated in full before use; small in memory and in tests.
  package var segmentByteCount: UInt64 = 64 << 20
  /// Space kept on the disk for edits, bytes.
  package var reserveByteCount = Reserve.byteCountDefault

  public init() {}

  /// How the memory is split.
  public var memory: MemoryBudget { MemoryBudget(byteCount: memoryByteCount) }

  /// What of it may be changed while the store is open, with `Store.adjust`.
  public var adjustable: AdjustableOptions {
    AdjustableOptions(
      lateness: lateness, futureLimit: futureLimit, quotas: quotas, diskReserveByteCount: diskReserveByteCount,
      compactionBytesPerSecond: compactionBytesPerSecond)
  }

  /// What merging goes by.
  var compactionSettings: CompactionSettings {
    var settings = CompactionSettings()
    settings.policy = compactionPolicy
    settings.lateness = lateness.wholeNanoseconds
    return settings
  }
}

/// Those options of a store that may be changed while it is open; each is explained at `StoreOptions`.
public struct AdjustableOptions: Sendable, Equatable {
  public var lateness: Duration
  public var futureLimit: Duration
  public var quotas: [String: UInt64]
  public var diskReserveByteCount: UInt64
  public var compactionBytesPerSecond: UInt64

  /// What databases may take of the disk.
  var quota: Quota {
    var quota = Quota()
    quota.byteCounts = quotas
    quota.reserveByteCount = diskReserveByteCount
    return quota
  }
}

/// The options in force, shared by those who go by them.
final class AdjustedOptions: Sendable {
  private let state: Lock<AdjustableOptions>

  init(_ options: AdjustableOptions) { state = Lock(options) }

  /// What every batch asks for, without a copy of the rest.
  var futureLimit: Duration { state.withLock { $0.futureLimit } }

  var current: AdjustableOptions {
    get { state.withLock { $0 } }
    set { state.withLock { $0 = newValue } }
  }
}

extension Store {
  /// The options in force.
  public var adjustable: AdjustableOptions { adjusted.current }

  /// Puts other options in force: of the next batch, the next round of upkeep, the next merge.
  public func adjust(_ options: AdjustableOptions) {
    adjusted.current = options
    writing?.compaction.adjust(lateness: options.lateness.wholeNanoseconds, bytesPerSecond: options.compactionBytesPerSecond)
  }
}

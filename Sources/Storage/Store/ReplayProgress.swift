import Synchronization

/// How far a start has replayed the log, and whether it is to go on; shared by who opens a store and who is asked.
public final class ReplayProgress: Sendable {
  private let bytes = Atomic<UInt64>(0)
  private let total = Atomic<UInt64>(0)
  private let isCancelled = Atomic<Bool>(false)
  private let onBatch: BatchHandler?

  public init() { onBatch = nil }

  /// Called with the number of each batch before its rows are put back. It may block, to hold the replay there, until the second
  /// argument says that the replay is cancelled.
  package typealias BatchHandler = @Sendable (UInt64, _ isCancelled: () -> Bool) -> Void

  package init(onBatch: @escaping BatchHandler) { self.onBatch = onBatch }

  /// Bytes of the log read so far, and of all of it.
  public var value: (bytes: UInt64, total: UInt64) {
    (bytes.load(ordering: .relaxed), total.load(ordering: .relaxed))
  }

  /// Ends the replay at its next record: opening fails with `.cancelled`, and nothing is lost.
  public func cancel() { isCancelled.store(true, ordering: .relaxed) }

  package func checkIsWanted() throws(StorageError) {
    if isCancelled.load(ordering: .relaxed) { throw StorageError(.cancelled, "the replay of the log was stopped") }
  }

  package func begin(total count: UInt64) { total.store(count, ordering: .relaxed) }
  package func advance(to count: UInt64) { bytes.store(count, ordering: .relaxed) }
  package func pass(_ sequence: UInt64) { onBatch?(sequence) { isCancelled.load(ordering: .relaxed) } }
}

import Synchronization

/// How far a start has replayed the log; shared by who opens a store and who is asked.
public final class ReplayProgress: Sendable {
  private let bytes = Atomic<UInt64>(0)
  private let total = Atomic<UInt64>(0)

  public init() {}

  /// Bytes of the log read so far, and of all of it.
  public var value: (bytes: UInt64, total: UInt64) {
    (bytes.load(ordering: .relaxed), total.load(ordering: .relaxed))
  }

  package func begin(total count: UInt64) { total.store(count, ordering: .relaxed) }
  package func advance(to count: UInt64) { bytes.store(count, ordering: .relaxed) }
}

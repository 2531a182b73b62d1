/// The snapshots that are held: their ages are a metric.
package final class SnapshotRegistry: Sendable {
  private let starts = Lock<(next: UInt64, held: [UInt64: Int64])>((0, [:]))

  /// Pins a version for a snapshot.
  func hold(_ version: Version) -> Pin {
    let number = starts.withLock { starts in
      starts.next += 1
      starts.held[starts.next] = monotonicNanoseconds()
      return starts.next
    }
    return Pin(version: version, number: number, registry: self)
  }

  /// Age of the oldest snapshot, nanoseconds; 0 where none is held.
  var oldestNanoseconds: Int64 {
    starts.withLock { starts in starts.held.values.min() }.map { monotonicNanoseconds() - $0 } ?? 0
  }

  /// Keeps a version's files while it lives.
  final class Pin: Sendable {
    private let version: Version
    private let number: UInt64
    private let registry: SnapshotRegistry

    fileprivate init(version: Version, number: UInt64, registry: SnapshotRegistry) {
      self.version = version
      self.number = number
      self.registry = registry
    }

    deinit { registry.starts.withLock { _ = $0.held.removeValue(forKey: number) } }
  }
}

/// The snapshots that are held: their ages are a metric.
package final class SnapshotRegistry: Sendable {
  private struct State {
    var next: UInt64 = 0
    var held: [UInt64: Int64] = [:]
    var reads: [KeyspaceID: ReadCounters] = [:]
  }
  private let state = Lock(State())

  /// Pins a version for a snapshot of a keyspace, and says where its reads are counted.
  func hold(_ version: Version, for keyspace: KeyspaceID) -> (pin: Pin, reads: ReadCounters) {
    let reads = state.withLock { state in
      let reads = state.reads[keyspace] ?? ReadCounters()
      state.reads[keyspace] = reads
      return reads
    }
    return (pin(version), reads)
  }

  /// Pins a version of which no query reads.
  func pin(_ version: Version) -> Pin {
    let number = state.withLock { state in
      state.next += 1
      state.held[state.next] = monotonicNanoseconds()
      return state.next
    }
    return Pin(version: version, number: number, registry: self)
  }

  /// What queries of one series read in a keyspace since start.
  func reads(of keyspace: KeyspaceID) -> ReadCounters? { state.withLock { $0.reads[keyspace] } }

  /// Snapshots held now.
  var count: Int { state.withLock { $0.held.count } }

  /// Age of the oldest snapshot, nanoseconds; 0 where none is held.
  var oldestNanoseconds: Int64 {
    state.withLock { state in state.held.values.min() }.map { monotonicNanoseconds() - $0 } ?? 0
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

    deinit { registry.state.withLock { _ = $0.held.removeValue(forKey: number) } }
  }
}

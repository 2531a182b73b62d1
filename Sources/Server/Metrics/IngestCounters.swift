import LineProtocol
import Storage
import Synchronization

/// What one listener has taken in and refused since start. Counted a batch at a time.
final class IngestCounters: Sendable {
  /// The metric's label: `tcp`, `udp`, `http`, or the listener's name.
  let listener: String
  let accepted = Atomic<UInt64>(0)
  let bytes = Atomic<UInt64>(0)
  let datagrams = Atomic<UInt64>(0)
  let truncatedDatagrams = Atomic<UInt64>(0)
  let overloadDrops = Atomic<UInt64>(0)
  let oldTimestamps = Atomic<UInt64>(0)
  let connections = Atomic<Int>(0)
  let refusedConnections = Atomic<UInt64>(0)
  /// Connections at once; 0 where there are none.
  let connectionCountMax: Int
  private let rejects = Lock([UInt64](repeating: 0, count: RejectReason.allCases.count))

  init(listener: String, connectionCountMax: Int = 0) {
    self.listener = listener
    self.connectionCountMax = connectionCountMax
  }

  /// Takes over the refusals of a batch, by `RejectReason.rawValue`.
  func addRejects(_ counts: [Int]) {
    rejects.withLock { totals in
      for index in counts.indices where counts[index] > 0 { totals[index] += UInt64(counts[index]) }
    }
  }

  func addReject(_ reason: RejectReason, count: Int = 1) {
    rejects.withLock { $0[Int(reason.rawValue)] += UInt64(count) }
  }

  /// Refusals by reason.
  var rejectCounts: [UInt64] { rejects.withLock { $0 } }
}

import LineProtocol
import Storage

/// The last refused lines, for `GET /rejects` and `varve stats rejects`: a ring, bounded.
final class RejectLog: Sendable {
  /// Refused lines kept.
  static let countMax = 1_000

  struct Entry: Sendable {
    var listener: String
    /// Nanoseconds since 1970.
    var time: Int64
    var reject: Reject
  }

  private struct Ring {
    var entries: [Entry] = []
    var next = 0
  }

  private let ring = Lock(Ring())

  /// Keeps refusals; only the last `countMax` of them.
  func append(_ rejects: [Reject], listener: String, time: Int64) {
    if rejects.isEmpty { return }
    ring.withLock { ring in
      for reject in rejects.suffix(Self.countMax) {
        let entry = Entry(listener: listener, time: time, reject: reject)
        if ring.entries.count < Self.countMax {
          ring.entries.append(entry)
        } else {
          ring.entries[ring.next] = entry
          ring.next = (ring.next + 1) % Self.countMax
        }
      }
    }
  }

  /// Oldest first.
  var entries: [Entry] {
    ring.withLock { ring in Array(ring.entries[ring.next...]) + Array(ring.entries[..<ring.next]) }
  }
}

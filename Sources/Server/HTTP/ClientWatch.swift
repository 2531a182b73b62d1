import Storage
import Synchronization

/// Whether anybody waits for an answer still: the client is there, and the time limit is not past since it was asked, or since it took
/// the last piece. Asked by several threads.
final class ClientWatch: Sendable {
  /// The socket is looked at this often.
  private static let intervalNanoseconds: Int64 = 5_000_000

  private let exchange: HTTPExchange
  /// Monotonic, nanoseconds.
  private let deadline: Atomic<Int64>
  private let limit: Int64
  private let nextLook: Atomic<Int64>
  private let isGone = Atomic<Bool>(false)

  init(exchange: HTTPExchange, deadline: Int64, limit: Int64) {
    self.exchange = exchange
    self.deadline = Atomic(deadline)
    self.limit = limit
    // Most are answered before.
    nextLook = Atomic(monotonicNanoseconds() + Self.intervalNanoseconds)
  }

  /// The client took a piece: it may take as long again for the next.
  func renew() { deadline.store(monotonicNanoseconds() + limit, ordering: .relaxed) }

  var isOver: Bool {
    if isGone.load(ordering: .relaxed) { return true }
    let now = monotonicNanoseconds()
    if now > deadline.load(ordering: .relaxed) { return true }
    let due = nextLook.load(ordering: .relaxed)
    guard now >= due,
      nextLook.compareExchange(expected: due, desired: now + Self.intervalNanoseconds, ordering: .relaxed)
        .exchanged
    else { return false }
    guard exchange.isAbandoned else { return false }
    isGone.store(true, ordering: .relaxed)
    return true
  }
}

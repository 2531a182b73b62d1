/// What is done about once a second whether anybody asks or not: retention, unlinking, memory that may be given back.
package final class Upkeep: Sendable {
  /// Time between rounds, unless woken.
  package static let period: Duration = .seconds(1)

  private struct State {
    var isWoken = false
    var isStopping = false
  }
  private let state = Monitor(State())
  private let isDue = Condition()
  private let thread = Lock<WorkerThread?>(nil)
  /// One round at a time.
  private let round = Lock<(@Sendable () -> Void)?>(nil)

  package init() {}

  /// Starts the thread; `round` is called on it.
  package func start(round: @escaping @Sendable () -> Void) throws(StorageError) {
    self.round.withLock { $0 = round }
    let made = try WorkerThread(name: "varve-upkeep") { [self] in
      while true {
        let isStopping = state.withLock(on: isDue, for: Self.period, when: { $0.isWoken || $0.isStopping }) { state in
          state.isWoken = false
          return state.isStopping
        }
        if isStopping { return }
        runOnce()
      }
    }
    thread.withLock { $0 = made }
  }

  /// Does a round on the caller's thread.
  package func runOnce() { round.withLock { $0?() } }

  /// Has a round done soon.
  package func wake() {
    state.withLock { $0.isWoken = true }
    isDue.notifyOne()
  }

  package func stop() {
    state.withLock { $0.isStopping = true }
    isDue.notifyAll()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
    round.withLock { $0 = nil }
  }
}

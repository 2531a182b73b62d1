package import Storage

/// Holds a replay before the batch of a number, until it is let on or the store closes.
package final class ReplayGate: Sendable {
  private struct State {
    var holdsAt: UInt64
    var reached: UInt64 = 0
  }
  private let state: Monitor<State>
  private let hasChanged = Condition()

  package init(at sequence: UInt64) { state = Monitor(State(holdsAt: sequence)) }

  /// A progress whose replay comes by here.
  package func makeProgress() -> ReplayProgress {
    ReplayProgress { [self] sequence, isCancelled in pass(sequence, isCancelled) }
  }

  private func pass(_ sequence: UInt64, _ isCancelled: () -> Bool) {
    state.withLock { $0.reached = max($0.reached, sequence) }
    hasChanged.notifyAll()
    // Nobody is told of a cancel: it is looked for.
    while state.withLock(on: hasChanged, for: .milliseconds(5), when: { $0.holdsAt > sequence }, { $0.holdsAt <= sequence }),
      !isCancelled()
    {}
  }

  /// Waits until the replay is held at a number.
  package func waitUntilReached(_ sequence: UInt64) {
    state.withLock(on: hasChanged, when: { $0.reached >= sequence }) { _ in }
  }

  /// Lets the replay on to a number, which is held in its turn.
  package func open(to sequence: UInt64 = .max) {
    state.withLock { $0.holdsAt = sequence }
    hasChanged.notifyAll()
  }
}

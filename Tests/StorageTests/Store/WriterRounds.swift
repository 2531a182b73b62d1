import Storage
import Synchronization
import TestSupport

/// A clock that goes on only when every writer has read where it stands: however slow one is, its points are never more than one step
/// old when it looks for them.
final class WriterRounds: Sendable {
  private struct State {
    /// The time that each writer last read; the end of time once it has left.
    var begun: [Int64]
    var checkCounts: [Int]
    var hiddenCount = 0
    var isStopping = false
  }
  private let state: Monitor<State>
  private let hasBegun = Condition()
  private let clocks: ClockedStore.Clocks

  init(writerCount: Int, clocks: ClockedStore.Clocks) {
    state = Monitor(
      State(begun: Array(repeating: .min, count: writerCount), checkCounts: Array(repeating: 0, count: writerCount)))
    self.clocks = clocks
  }

  /// Checks that each writer has ended, and how many of them found a point missing.
  var checkCounts: [Int] { state.withLock { $0.checkCounts } }
  var hiddenCount: Int { state.withLock { $0.hiddenCount } }

  /// The time, for a writer whose last check has ended; `nil`: it is to stop.
  func begin(_ writer: Int) -> Int64? {
    let now = state.withLock { state in
      let now = clocks.wall.load(ordering: .relaxed)
      state.begun[writer] = now
      return state.isStopping ? nil : now
    }
    hasBegun.notifyAll()
    return now
  }

  func end(_ writer: Int, isHidden: Bool) {
    state.withLock { state in
      state.checkCounts[writer] += 1
      if isHidden { state.hiddenCount += 1 }
    }
  }

  /// Nobody waits for a writer any more.
  func leave(_ writer: Int) {
    state.withLock { $0.begun[writer] = .max }
    hasBegun.notifyAll()
  }

  /// Moves the clock on once every writer has begun a check since it was moved last.
  func advance(seconds: Int64) {
    let now = clocks.wall.load(ordering: .relaxed)
    state.withLock(on: hasBegun, when: { $0.begun.allSatisfy { $0 >= now } }) { _ in }
    clocks.advance(seconds: seconds)
  }

  func stop() { state.withLock { $0.isStopping = true } }
}

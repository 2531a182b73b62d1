/// The replay of a store's log as others see it: one thread, from the start until the log is read, or the store closes.
final class Replayer: Sendable {
  private enum State {
    case running
    case done
    case failed(StorageError)
  }
  let progress: ReplayProgress
  private let state = Monitor(State.running)
  private let hasEnded = Condition()
  private let thread = Lock<WorkerThread?>(nil)

  init(progress: ReplayProgress) { self.progress = progress }

  /// Runs `body`, which ends soon once the progress is cancelled, on a thread of its own.
  func start(_ body: @escaping @Sendable () throws(StorageError) -> Void) throws(StorageError) {
    let made = try WorkerThread(name: "varve-replay") { [state, hasEnded] in
      var end = State.done
      do throws(StorageError) { try body() } catch { end = .failed(error) }
      state.withLock { $0 = end }
      hasEnded.notifyAll()
    }
    thread.withLock { $0 = made }
  }

  /// Whether every batch of the log is put back.
  var isDone: Bool {
    state.withLock { state in
      if case .done = state { true } else { false }
    }
  }

  /// Waits until the log is replayed; throws why it could not be.
  func wait() throws(StorageError) {
    try state.withLock(on: hasEnded, when: { state in if case .running = state { false } else { true } }) {
      (state) throws(StorageError) in
      if case .failed(let error) = state { throw error }
    }
  }

  /// Ends the replay where it is; what was not put back is still in the log.
  func stop() {
    progress.cancel()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
    // A start that failed before its replay began.
    state.withLock { state in
      if case .running = state { state = .failed(StorageError(.cancelled, "the store is closing")) }
    }
    hasEnded.notifyAll()
  }
}

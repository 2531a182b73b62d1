import Storage

/// A few threads that run queries and upkeep for whoever may not block. The queue is bounded.
final class WorkerPool: Sendable {
  /// Jobs that may wait; one more is refused.
  static let queuedCountMax = 1_024

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isStopping = false
  }
  private let state = Monitor(State())
  private let hasWork = Condition()
  private let threads = Lock<[WorkerThread]>([])

  init(name: String, threadCount: Int) throws(StorageError) {
    for index in 0..<threadCount {
      let thread = try WorkerThread(name: "\(name)-\(index)") { [state, hasWork] in
        while let job = Self.next(state, hasWork) { job() }
      }
      threads.withLock { $0.append(thread) }
    }
  }

  private static func next(_ state: Monitor<State>, _ hasWork: Condition) -> (@Sendable () -> Void)? {
    state.withLock(on: hasWork, when: { !$0.jobs.isEmpty || $0.isStopping }) { state in
      state.jobs.isEmpty ? nil : state.jobs.removeFirst()
    }
  }

  /// Queues a job; `false` if the queue is full or the pool is stopping.
  func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    let isTaken = state.withLock { state in
      if state.isStopping || state.jobs.count >= Self.queuedCountMax { return false }
      state.jobs.append(job)
      return true
    }
    if isTaken { hasWork.notifyOne() }
    return isTaken
  }

  /// Runs what is queued, then ends the threads.
  func stop() {
    state.withLock { $0.isStopping = true }
    hasWork.notifyAll()
    let running = threads.withLock { threads in
      defer { threads = [] }
      return threads
    }
    for thread in running { thread.join() }
  }
}

package import Storage

/// A few threads that run queries and upkeep for whoever may not block. The queue is bounded.
package final class WorkerPool: Sendable {
  /// Jobs that may wait; one more is refused.
  static let queuedCountMax = 1_024
  /// Threads that may stand in for those that wait for clients.
  static let substituteCountMax = 64

  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var isStopping = false
    /// Threads without a job, and those that run one and wait for no client.
    var idleCount = 0
    var busyCount = 0
    var threads: [WorkerThread] = []
  }
  private let name: String
  private let threadCount: Int
  private let state = Monitor(State())
  private let hasWork = Condition()

  package init(name: String, threadCount: Int) throws(StorageError) {
    self.name = name
    self.threadCount = threadCount
    for _ in 0..<threadCount { try start() }
  }

  private func start() throws(StorageError) {
    let number = state.withLock { state in
      state.idleCount += 1
      return state.threads.count
    }
    do throws(StorageError) {
      let thread = try WorkerThread(name: "\(name)-\(number)") { [state, hasWork, threadCount] in
        while let job = Self.next(state, hasWork, threadCount) {
          job()
          // This thread looks for the next itself; waking one that finds nothing costs more than a short statement.
          let isWaitedFor = state.withLock { state in
            state.busyCount -= 1
            state.idleCount += 1
            return state.jobs.count > 1
          }
          if isWaitedFor { hasWork.notifyOne() }
        }
      }
      state.withLock { $0.threads.append(thread) }
    } catch {
      state.withLock { $0.idleCount -= 1 }
      throw error
    }
  }

  private static func next(
    _ state: Monitor<State>, _ hasWork: Condition, _ threadCount: Int
  ) -> (@Sendable () -> Void)? {
    func isDue(_ state: State) -> Bool { !state.jobs.isEmpty && state.busyCount < threadCount }
    return state.withLock(on: hasWork, when: { isDue($0) || $0.isStopping }) { state in
      state.idleCount -= 1
      if state.jobs.isEmpty { return nil }
      state.busyCount += 1
      return state.jobs.removeFirst()
    }
  }

  /// Another thread where work is due and nobody there for it, since others wait for their clients.
  private func substitute() {
    let isNeeded = state.withLock { state in
      !state.isStopping && !state.jobs.isEmpty && state.idleCount == 0 && state.busyCount < threadCount
        && state.threads.count < threadCount + Self.substituteCountMax
    }
    guard isNeeded else { return }
    // Without one the work waits for the others, and nothing else is wrong.
    do throws(StorageError) { try start() } catch {}
  }

  /// Runs what waits for a client on a worker's thread; meanwhile another one does the work.
  func whileBlocked<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    state.withLock { $0.busyCount -= 1 }
    defer { state.withLock { $0.busyCount += 1 } }
    hasWork.notifyOne()
    substitute()
    return try body()
  }

  /// Runs what takes little time on the calling thread, as if a worker did it: `nil` where all are busy, jobs wait, or the pool
  /// is stopping.
  package func runHere<Value>(_ body: () -> Value?) -> Value? {
    let isFree = state.withLock { state in
      guard state.jobs.isEmpty, state.busyCount < threadCount, !state.isStopping else { return false }
      state.busyCount += 1
      return true
    }
    guard isFree else { return nil }
    defer {
      let isWaitedFor = state.withLock { state in
        state.busyCount -= 1
        return !state.jobs.isEmpty
      }
      if isWaitedFor { hasWork.notifyOne() }
    }
    return body()
  }

  /// Whether jobs are to come to an end.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Queues a job; `false` if the queue is full or the pool is stopping.
  package func submit(_ job: @escaping @Sendable () -> Void) -> Bool {
    let isTaken = state.withLock { state in
      if state.isStopping || state.jobs.count >= Self.queuedCountMax { return false }
      state.jobs.append(job)
      return true
    }
    if isTaken {
      hasWork.notifyOne()
      substitute()
    }
    return isTaken
  }

  /// Runs what is queued, then ends the threads.
  package func stop() {
    state.withLock { $0.isStopping = true }
    hasWork.notifyAll()
    let running = state.withLock { state in
      defer { state.threads = [] }
      return state.threads
    }
    for thread in running { thread.join() }
  }
}

extension CompactionScheduler {
  /// Which windows a final merge is asked for.
  package enum Scope: Sendable, Equatable {
    case all
    case keyspace(KeyspaceID)
    case window(WindowID)

    func contains(_ id: WindowID) -> Bool {
      switch self {
      case .all: true
      case .keyspace(let keyspace): id.keyspace == keyspace
      case .window(let window): id == window
      }
    }
  }

  /// Asks for the final merge of every window of more than one run, quiet or not, also while paused. Flush first.
  ///
  /// - Parameter waits: returns when it is done, for what stood when it was called; else at once.
  /// - Throws: what a job failed with, `.cancelled` if the store is closed meanwhile.
  package func force(_ scope: Scope, waits: Bool) throws(StorageError) {
    guard let delegate = state.withLock({ $0.isStopping ? nil : $0.delegate }) else {
      throw StorageError(.cancelled, "compaction is stopped")
    }
    var pending: [WindowID: UInt64] = [:]
    for keyspace in delegate.compactionState().keyspaces {
      for window in keyspace.windows where window.runs.count > 1 || keyspace.holdsDeleted(window) {
        let id = WindowID(keyspace: keyspace.id, start: window.start)
        if scope.contains(id), let last = window.runs.last { pending[id] = last.lastSequence }
      }
    }
    if pending.isEmpty { return }
    let (number, hasThreads) = state.withLock { state in
      state.requests = state.requests.filter { !$0.value.pending.isEmpty || $0.value.isAwaited }
      let number = state.nextRequest
      state.nextRequest += 1
      state.requests[number] = CompactionScheduleState.Request(pending: pending, isAwaited: waits)
      return (number, !state.threads.isEmpty)
    }
    wake()
    guard waits else { return }
    if !hasThreads { while runOne() {} }
    let (failure, isDone) = state.withLock(
      on: changed, when: { $0.isStopping || !hasThreads || $0.requests[number]?.pending.isEmpty ?? true }
    ) { state in
      let request = state.requests.removeValue(forKey: number)
      return (request?.failure, request?.pending.isEmpty ?? true)
    }
    if let failure { throw failure }
    if !isDone { throw StorageError(.cancelled, "compaction was stopped before it was done") }
  }

  /// What is under way and what was done.
  package func status() -> CompactionStatus {
    let now = monotonic()
    return state.withLock { state in
      var status = CompactionStatus()
      status.startedAt = state.startedAt
      status.monotonic = now
      status.isPaused = state.isPaused
      status.running = state.running.values.sorted { $0.window < $1.window }
      status.failures = state.failures.values.sorted { $0.window < $1.window }
      status.bytesWritten = state.written
      status.jobCount = state.jobCount
      status.copiedGroupCount = state.copiedGroupCount
      status.busyNanoseconds = state.busyNanoseconds
      return status
    }
  }
}

/// Runs compaction: threads that pick, merge, publish, and wait for more.
///
/// One job a window at a time. A job that fails is kept with its error and tried again after one minute, doubling up to an hour,
/// never in a tight loop; one that met damage is not tried again by itself. Pausing lets jobs under way end and holds those that were not asked for. The scheduler retains its delegate
/// until `stop`.
package final class CompactionScheduler: Sendable {
  /// Windows tell of themselves through `wake`; the clock is looked at this often.
  private static let tick = Duration.seconds(5)
  /// Threads at most: each holds the memory of one job.
  package static let threadCountMax = 16

  let state: Monitor<CompactionScheduleState>
  let changed = Condition()
  private let options: TableOptions
  let monotonic: @Sendable () -> Int64

  /// - Parameters:
  ///   - bytesPerSecond: that all jobs together write at most; 0: without bound.
  ///   - monotonic: nanoseconds.
  package init(
    delegate: any CompactionDelegate, settings: CompactionSettings, bytesPerSecond: UInt64 = 0,
    options: TableOptions = TableOptions(), monotonic: @escaping @Sendable () -> Int64 = monotonicNanoseconds
  ) {
    self.options = options
    self.monotonic = monotonic
    state = Monitor(
      CompactionScheduleState(
        delegate: delegate, settings: settings,
        throttle: CompactionThrottle(bytesPerSecond: bytesPerSecond, monotonic: monotonic())))
  }

  /// Starts the threads. Without any, whoever calls `runOne` or waits for `force` does the work.
  package func start(threadCount: Int) throws(StorageError) {
    precondition(threadCount <= Self.threadCountMax, "\(threadCount) threads, at most \(Self.threadCountMax)")
    for index in 0..<threadCount {
      let thread = try WorkerThread(name: "varve-compact-\(index)") { [self] in work() }
      state.withLock { $0.threads.append(thread) }
    }
  }

  /// Cancels jobs under way, ends the threads, lets go of the delegate. Idempotent.
  package func stop() {
    let threads = state.withLock { state in
      defer { state.threads = [] }
      state.isStopping = true
      return state.threads
    }
    changed.notifyAll()
    for thread in threads { thread.join() }
    state.withLock { $0.delegate = nil }
  }

  /// Says that runs were published: something may be due.
  package func wake() {
    state.withLock { $0.wakeCount += 1 }
    changed.notifyAll()
  }

  /// What the picker goes by.
  package var settings: CompactionSettings { state.withLock { $0.settings } }

  /// Changes what the next pick goes by, and what jobs may write from now on.
  package func adjust(lateness: Int64, bytesPerSecond: UInt64) {
    let now = monotonic()
    state.withLock { state in
      state.settings.lateness = lateness
      if state.throttle.bytesPerSecond != bytesPerSecond {
        state.throttle = CompactionThrottle(bytesPerSecond: bytesPerSecond, monotonic: now)
      }
    }
    wake()
  }

  /// Bytes that merging a keyspace still has to write.
  package func debt(_ keyspace: KeyspaceState, now: Int64) -> UInt64 {
    Picker(settings: settings, now: now).debt(keyspace)
  }

  /// Holds jobs that nobody asked for.
  package func pause() { state.withLock { $0.isPaused = true } }

  /// Ends a pause.
  package func resume() {
    state.withLock { $0.isPaused = false }
    wake()
  }

  /// Picks and runs one job on the caller's thread; `false` if nothing is due.
  @discardableResult package func runOne() -> Bool {
    guard let (plan, delegate) = pick() else { return false }
    run(plan, delegate)
    return true
  }

  /// A thread's life.
  private func work() {
    while true {
      let seen = state.withLock { $0.isStopping ? nil : $0.wakeCount }
      guard let seen else { return }
      if runOne() { continue }
      state.withLock(on: changed, for: Self.tick, when: { $0.isStopping || $0.wakeCount != seen }) { _ in }
    }
  }

  /// Chooses a plan and marks its window as busy.
  private func pick() -> (CompactionPlan, any CompactionDelegate)? {
    let now = monotonic()
    let basis = state.withLock { state in
      state.isStopping
        ? nil : state.delegate.map { ($0, state.busyWindows, state.forcedWindows, state.isPaused) }
    }
    guard let (delegate, busy, forced, isPaused) = basis else { return nil }
    let standing = delegate.compactionState()
    let picker = Picker(settings: settings, now: standing.now)
    let plans = picker.plans(standing.keyspaces, busy: busy, forced: forced, floors: standing.floors)
    let (plan, settled) = state.withLock { state in
      let settled = state.settleRequests(standing)
      let plan = plans.first { plan in
        if state.running[plan.window] != nil { return false }
        if forced.contains(plan.window) { return state.forcedWindows.contains(plan.window) }
        return !isPaused && (state.failures[plan.window]?.retryAt ?? .min) <= now
      }
      if let plan {
        state.running[plan.window] = plan
        state.startedAt[plan.window] = now
      }
      return (plan, settled)
    }
    if settled { changed.notifyAll() }
    return plan.map { ($0, delegate) }
  }

  private func run(_ plan: CompactionPlan, _ delegate: any CompactionDelegate) {
    let job = CompactionJob(plan, delegate: delegate, options: options) {
      [self] byteCount throws(StorageError) in
      try pace(byteCount)
    }
    let started = monotonic()
    do throws(StorageError) {
      let outcome = try job.run()
      let standing = delegate.compactionState()
      state.withLock { state in
        state.finish(plan, outcome, nanoseconds: monotonic() - started)
        _ = state.settleRequests(standing)
      }
    } catch {
      delegate.note(error)
      state.withLock { $0.fail(plan, error, monotonic: monotonic()) }
    }
    wake()
  }

  /// Waits while jobs write more than they may; stops them with the store.
  private func pace(_ byteCount: UInt64) throws(StorageError) {
    let now = monotonic()
    let delay = state.withLock { $0.isStopping ? -1 : $0.throttle.take(byteCount, monotonic: now) }
    if delay == 0 { return }
    let isStopping = state.withLock(on: changed, for: .nanoseconds(max(delay, 0)), when: \.isStopping) {
      $0.isStopping
    }
    if isStopping { throw StorageError(.cancelled, "compaction is stopped") }
  }
}

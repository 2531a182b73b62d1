/// What the threads of a `CompactionScheduler` share.
struct CompactionScheduleState {
  /// A final merge that was asked for.
  struct Request {
    /// Windows that are not one run yet, and the highest sequence number that was in each when it was asked for: what is flushed
    /// later does not keep it waiting.
    var pending: [WindowID: UInt64]
    /// Whoever asked takes the request out; else it goes when another one comes.
    var isAwaited: Bool
    var failure: StorageError?
  }

  var delegate: (any CompactionDelegate)?
  var settings: CompactionSettings
  var throttle: CompactionThrottle
  var threads: [WorkerThread] = []
  var isStopping = false
  var isPaused = false
  var wakeCount: UInt64 = 0
  var running: [WindowID: CompactionPlan] = [:]
  /// When each began, by the monotonic clock.
  var startedAt: [WindowID: Int64] = [:]
  var requests: [UInt64: Request] = [:]
  var nextRequest: UInt64 = 1
  var failures: [WindowID: CompactionStatus.Failure] = [:]
  var written: [KeyspaceID: UInt64] = [:]
  var jobCount: UInt64 = 0
  var copiedGroupCount: UInt64 = 0
  var busyNanoseconds: Int64 = 0

  init(delegate: any CompactionDelegate, settings: CompactionSettings, throttle: CompactionThrottle) {
    self.delegate = delegate
    self.settings = settings
    self.throttle = throttle
  }

  var busyWindows: Set<WindowID> { Set(running.keys) }
  var forcedWindows: Set<WindowID> { requests.values.reduce(into: []) { $0.formUnion($1.pending.keys) } }

  mutating func finish(_ plan: CompactionPlan, _ outcome: CompactionJob.Outcome, nanoseconds: Int64) {
    running[plan.window] = nil
    startedAt[plan.window] = nil
    failures[plan.window] = nil
    busyNanoseconds += nanoseconds
    guard outcome.isPublished else { return }
    jobCount += 1
    copiedGroupCount += UInt64(outcome.copiedGroupCount)
    written[plan.window.keyspace, default: 0] += outcome.bytesWritten
  }

  mutating func fail(_ plan: CompactionPlan, _ error: StorageError, monotonic: Int64) {
    running[plan.window] = nil
    startedAt[plan.window] = nil
    for number in requests.keys where requests[number]?.pending.removeValue(forKey: plan.window) != nil {
      requests[number]?.failure = error
    }
    guard error.code != .cancelled else { return }
    let count = (failures[plan.window]?.count ?? 0) + 1
    let minutes = Int64(1) << Int64(min(count - 1, 6))
    // Damage does not heal: the window is left alone until it is repaired, which takes a stop, or somebody asks for it.
    let isDamage = error.code == .corrupt && error.file.hasPrefix("tables/")
    failures[plan.window] = CompactionStatus.Failure(
      window: plan.window, error: error, count: count,
      retryAt: isDamage ? .max : monotonic + min(minutes * 60, 3_600) * 1_000_000_000)
  }

  /// Takes out of the requests the windows that are one run by now, expired or gone; whether any was.
  mutating func settleRequests(_ standing: CompactionState) -> Bool {
    var isChanged = false
    for (number, request) in requests where !request.pending.isEmpty {
      for (id, sequence) in request.pending where running[id] == nil {
        let keyspace = standing.keyspaces.first { $0.id == id.keyspace }
        let window = keyspace?.windows.first { $0.start == id.start }
        let held = window?.runs.count { $0.firstSequence <= sequence } ?? 0
        let isExpired = (window?.end ?? .min) <= (standing.floors[id.keyspace] ?? keyspace?.horizon ?? .min)
        let isCleared = window.flatMap { keyspace?.holdsDeleted($0, below: sequence) } != true
        guard held <= 1 && isCleared || isExpired else { continue }
        requests[number]?.pending[id] = nil
        isChanged = true
      }
    }
    return isChanged
  }
}

/// What compaction is doing, for people and metrics.
package struct CompactionStatus: Sendable {
  /// A job that failed and will be tried again.
  package struct Failure: Sendable, Equatable {
    package var window: WindowID
    package var error: StorageError
    package var count: Int
    /// By the monotonic clock; `Int64.max`: not by itself, since its files are damaged.
    package var retryAt: Int64
  }

  package var isPaused = false
  package var running: [CompactionPlan] = []
  /// When each began, by the monotonic clock, and what that clock shows now.
  package var startedAt: [WindowID: Int64] = [:]
  package var monotonic: Int64 = 0
  package var failures: [Failure] = []
  /// Since start.
  package var bytesWritten: [KeyspaceID: UInt64] = [:]
  package var jobCount: UInt64 = 0
  package var copiedGroupCount: UInt64 = 0
  package var busyNanoseconds: Int64 = 0

  package init() {}
}

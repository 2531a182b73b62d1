import Query
import Storage

/// What all listeners of a server share.
final class ServerContext: Sendable {
  /// An open store and what answers from it.
  struct Opened: Sendable {
    var store: Store
    var engine: QueryEngine
  }
  /// What a request needs of the store.
  enum Stage: Sendable {
    /// It takes writes; answers may lack what is yet to be replayed.
    case replaying
    /// Every acknowledged point is in the answers.
    case ready
  }
  /// Told the store once it is so far, or why it will not be in time. Runs on a worker where there is a store, else on any thread.
  typealias Job = @Sendable (Result<Opened, StorageError>) -> Void

  /// Requests that may wait for the store; one more is refused.
  static let waitingCountMax = 1_024

  fileprivate enum Phase {
    case opening
    case replaying
    case ready
    case failed(StorageError)
    case stopped
  }
  fileprivate struct Waiting {
    var stage: Stage
    /// Monotonic, nanoseconds.
    var deadline: Int64
    var job: Job
  }
  fileprivate struct State {
    var phase = Phase.opening
    /// Set once.
    var opened: Opened?
    var waiting: [Waiting] = []
  }

  let configuration: ServerConfiguration
  let metrics: ServerMetrics
  let rejectLog = RejectLog()
  let bodies: BodyMemory
  /// What statements have written.
  let statementCounters: IngestCounters
  let workers: WorkerPool
  let queryTimeoutNanoseconds: Int64
  /// Words to the operator, a line each.
  let say: @Sendable (String) -> Void
  let progress: ReplayProgress
  private let state = Monitor(State())
  private let hasChanged = Condition()

  init(
    configuration: ServerConfiguration, metrics: ServerMetrics, statementCounters: IngestCounters,
    workers: WorkerPool, say: @escaping @Sendable (String) -> Void
  ) {
    self.configuration = configuration
    progress = configuration.progress
    bodies = BodyMemory(byteCountMax: configuration.store.memory.share(of: .bodies))
    self.metrics = metrics
    self.statementCounters = statementCounters
    self.workers = workers
    self.say = say
    queryTimeoutNanoseconds = configuration.queryTimeout.nanoseconds
  }

  /// The store, if requests may use it.
  var opened: Opened? { state.withLock { $0.opened(for: .replaying) } }

  /// The store, if every acknowledged point is in the answers.
  var readied: Opened? { state.withLock { $0.opened(for: .ready) } }

  /// The store once it is open, also while the server stops.
  var store: Store? { state.withLock { $0.opened?.store } }

  /// Whether every acknowledged point is in the answers.
  var isReady: Bool { readied != nil }

  /// Why the store could not be opened, or its log not replayed; `nil` where that did not happen.
  var failure: StorageError? {
    state.withLock { state in
      if case .failed(let error) = state.phase { error } else { nil }
    }
  }

  /// Bytes of the log replayed so far, and of all of it.
  var replayProgress: (bytes: UInt64, total: UInt64) { progress.value }

  // MARK: Requests

  /// Runs a job on a worker as soon as the store is so far; until then the job waits, and nobody with it, at most as long as a
  /// query may take.
  func submit(from stage: Stage, _ job: @escaping Job) {
    let deadline = monotonicNanoseconds() + queryTimeoutNanoseconds
    let now: Result<Opened, StorageError>? = state.withLock { state in
      if let opened = state.opened(for: stage) { return .success(opened) }
      if let refusal = state.refusal { return .failure(refusal) }
      guard state.waiting.count < Self.waitingCountMax else {
        return .failure(StorageError(.overloaded, "too many requests wait"))
      }
      state.waiting.append(Waiting(stage: stage, deadline: deadline, job: job))
      return nil
    }
    if let now { run(job, with: now) }
  }

  private func run(_ job: @escaping Job, with result: Result<Opened, StorageError>) {
    guard case .success = result else { return job(result) }
    if !workers.submit({ job(result) }) { job(.failure(StorageError(.overloaded, "too many requests wait"))) }
  }

  /// Refuses what has waited too long, until nothing has to wait any more: what a thread does during a start.
  func keepTime() {
    var isStarting = true
    while isStarting {
      let overdue = state.withLock(on: hasChanged, for: .milliseconds(100), when: { !$0.isStarting }) { state in
        isStarting = state.isStarting
        let now = monotonicNanoseconds()
        return state.takeWaiting { $0.deadline <= now }
      }
      for waiting in overdue {
        waiting.job(.failure(StorageError(.overloaded, "the log is still being replayed")))
      }
    }
  }

  // MARK: Phases

  /// Writes are taken from now on.
  ///
  /// - Parameter sink: takes what statements write.
  func becomeOpen(_ store: Store, sink: any PointSink) {
    let engine = QueryEngine(store: store, sink: sink)
    state.withLock { $0.opened = Opened(store: store, engine: engine) }
    enter(.replaying)
  }

  /// Every acknowledged point is in the answers.
  func becomeReady() { enter(.ready) }

  func fail(_ error: StorageError) { enter(.failed(error)) }

  func stop() { enter(.stopped) }

  private func enter(_ phase: Phase) {
    let served = state.withLock { state -> [(Job, Result<Opened, StorageError>)] in
      state.phase = phase
      if let refusal = state.refusal { return state.takeWaiting { _ in true }.map { ($0.job, .failure(refusal)) } }
      guard let opened = state.opened(for: .replaying) else { return [] }
      let isReady = !state.isStarting
      return state.takeWaiting { isReady || $0.stage == .replaying }.map { ($0.job, .success(opened)) }
    }
    hasChanged.notifyAll()
    for (job, result) in served { run(job, with: result) }
  }
}

extension ServerContext.State {
  fileprivate func opened(for stage: ServerContext.Stage) -> ServerContext.Opened? {
    switch phase {
    case .ready: opened
    case .replaying: stage == .replaying ? opened : nil
    case .opening, .failed, .stopped: nil
    }
  }

  /// Why no request will be served any more.
  fileprivate var refusal: StorageError? {
    switch phase {
    case .failed(let error): error
    case .stopped: StorageError(.overloaded, "the server is stopping")
    case .opening, .replaying, .ready: nil
    }
  }

  fileprivate var isStarting: Bool {
    switch phase {
    case .opening, .replaying: true
    case .ready, .failed, .stopped: false
    }
  }

  fileprivate mutating func takeWaiting(
    where isTaken: (ServerContext.Waiting) -> Bool
  ) -> [ServerContext.Waiting] {
    let taken = waiting.filter(isTaken)
    if !taken.isEmpty { waiting.removeAll(where: isTaken) }
    return taken
  }
}

extension Duration {
  /// Whole nanoseconds, clamped.
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? (seconds < 0 ? .min : .max) : product.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
  }
}

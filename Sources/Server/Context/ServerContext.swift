import Query
import Storage

/// What all listeners of a server share.
final class ServerContext: Sendable {
  /// An open store and what answers from it.
  struct Ready: Sendable {
    var store: Store
    var engine: QueryEngine
  }
  private enum State {
    case opening
    case ready(Ready)
    case failed(StorageError)
    case stopped
  }

  let configuration: ServerConfiguration
  let metrics: ServerMetrics
  let rejectLog = RejectLog()
  let workers: WorkerPool
  let queryTimeoutNanoseconds: Int64
  /// Words to the operator, a line each.
  let say: @Sendable (String) -> Void
  let progress = ReplayProgress()
  private let state = Monitor(State.opening)
  private let hasChanged = Condition()

  init(
    configuration: ServerConfiguration, metrics: ServerMetrics, workers: WorkerPool,
    say: @escaping @Sendable (String) -> Void
  ) {
    self.configuration = configuration
    self.metrics = metrics
    self.workers = workers
    self.say = say
    queryTimeoutNanoseconds = configuration.queryTimeout.nanoseconds
  }

  /// The store, if it is open.
  var ready: Ready? {
    state.withLock { state in
      if case .ready(let ready) = state { ready } else { nil }
    }
  }

  /// Why the store could not be opened; `nil` where it could.
  var failure: StorageError? {
    state.withLock { state in
      if case .failed(let error) = state { error } else { nil }
    }
  }

  /// Bytes of the log replayed so far, and of all of it.
  var replayProgress: (bytes: UInt64, total: UInt64) { progress.value }

  /// Waits for the store, at most as long as a query may take. Not for threads that must not block.
  func waitUntilReady() throws(StorageError) -> Ready {
    try state.withLock(
      on: hasChanged, for: configuration.queryTimeout,
      when: { state in if case .opening = state { false } else { true } }
    ) { (state) throws(StorageError) in
      switch state {
      case .ready(let ready): return ready
      case .opening: throw StorageError(.overloaded, "the log is still being replayed")
      case .failed(let error): throw error
      case .stopped: throw StorageError(.overloaded, "the server is stopping")
      }
    }
  }

  func becomeReady(_ store: Store) {
    state.withLock { $0 = .ready(Ready(store: store, engine: QueryEngine(store: store))) }
    hasChanged.notifyAll()
  }

  func fail(_ error: StorageError) {
    state.withLock { $0 = .failed(error) }
    hasChanged.notifyAll()
  }

  func stop() {
    state.withLock { $0 = .stopped }
    hasChanged.notifyAll()
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

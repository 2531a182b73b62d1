public import Storage

/// A running server: its listeners, its threads, its store.
public final class Server: Sendable {
  private let context: ServerContext
  private let daemons: [HTTPDaemon]
  private let waiters: TicketWaiters
  private let starter: Starter
  private let isStopped = Lock(false)
  /// As of the last `reload`, where it differs from what is in force only by what the next start will read.
  private let configuration: Lock<ServerConfiguration>
  /// The bound addresses as told to the operator, in order: "tcp 127.0.0.1:8094".
  public let listening: [String]

  /// Binds every listener, says so, answers `/health` from then on, and opens the store meanwhile: writes are taken as soon as the
  /// end of its log is known, and `ready` is said when the log is replayed.
  ///
  /// - Parameters:
  ///   - say: takes one line of words to the operator at a time; called from several threads.
  ///   - onFailure: called when the store cannot be opened or its log not be replayed, from another thread: `failure` says why, and
  ///     the server is to be stopped.
  /// - Throws: `.invalid` for an address that cannot be bound, with the reason.
  public init(
    _ configuration: ServerConfiguration, say: @escaping @Sendable (String) -> Void,
    onFailure: @escaping @Sendable () -> Void
  ) throws(StorageError) {
    self.configuration = Lock(configuration)
    let bound = try BoundListeners(configuration)
    listening = bound.descriptions
    let statements = IngestCounters(listener: "into")
    let metrics = ServerMetrics(
      ingest: bound.counters + [statements], openFileCountMax: configuration.openFiles.count,
      kernelDrops: bound.kernelDrops)
    let workers = try WorkerPool(name: "varve-query", threadCount: 4)
    context = ServerContext(
      configuration: configuration, metrics: metrics, statementCounters: statements, workers: workers, say: say)
    waiters = TicketWaiters()
    var mailboxes: [ReactorMailbox] = []
    for _ in 0..<max(1, configuration.receiverCount) { mailboxes.append(try ReactorMailbox()) }
    daemons = try bound.startHTTP(context: context, waiters: waiters)
    for line in listening { say("listening " + line) }
    starter = Starter(
      context: context, bound: bound, mailboxes: mailboxes, waiters: waiters, onFailure: onFailure)
    try starter.start()
  }

  /// Why the store could not be opened, or its log not be replayed; `nil` where that did not happen.
  public var failure: StorageError? { context.failure }

  /// Puts in force what has changed in the configuration and can be changed in a running server: rules, quotas, the disk's reserve,
  /// lateness, the limit of the future, the rate of merges. Says what was changed, and what the next start will read.
  ///
  /// - Throws: `.overloaded` before the store is open: the start reads the configuration that it was given. What the store says to rules.
  public func reload(_ new: ServerConfiguration) throws(StorageError) {
    guard let store = context.store else {
      throw StorageError(.overloaded, "the store is not open yet: send SIGHUP again once the server is ready")
    }
    try configuration.withLock { (current) throws(StorageError) in
      let change = ConfigurationChange(from: current, to: new)
      // What can fail goes first: then nothing is changed.
      if change.adjustable.contains("rule") {
        try ConfiguredDatabases(configuration: new, say: context.say).prepareRules(in: store)
      }
      store.adjust(new.store.adjustable)
      current = new
      if change.adjustable.isEmpty, change.fixed.isEmpty { context.say("reloaded: nothing has changed") }
      if !change.adjustable.isEmpty { context.say("reloaded: " + change.adjustable.joined(separator: ", ")) }
      if !change.fixed.isEmpty {
        context.say("warning: to change " + change.fixed.joined(separator: ", ") + " the server must be started again")
      }
    }
  }

  /// Takes in what has arrived, answers what is owed, flushes, closes. Idempotent.
  ///
  /// While the log is replayed nothing is flushed: the replay is ended, and the log keeps what it had and what came.
  public func stop() throws(StorageError) {
    let isFirst = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    for daemon in daemons { daemon.quiesce() }
    starter.stop()
    starter.stopReceivers()
    let store = context.store
    context.workers.stop()
    // Every ticket is decided once the log is closed, so no exchange stays suspended.
    var closing: StorageError?
    do throws(StorageError) { try store?.close() } catch { closing = error }
    waiters.answerAll(with: .error(503, "the server is stopping"))
    context.stop()
    starter.join()
    for daemon in daemons { daemon.stop() }
    if let closing { throw closing }
  }
}

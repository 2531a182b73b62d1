import CShims
import Glibc
import Query
public import Storage

/// A running server: its listeners, its threads, its store.
public final class Server: Sendable {
  private let context: ServerContext
  private let daemons: [HTTPDaemon]
  private let waiters: TicketWaiters
  private let mailboxes: [ReactorMailbox]
  private let threads = Lock<[WorkerThread]>([])
  private let opener: WorkerThread
  private let isStopped = Lock(false)
  /// The bound addresses as told to the operator, in order: "tcp 127.0.0.1:8094".
  public let listening: [String]

  /// Binds every listener, says so, answers `/health` from then on, and opens the store meanwhile.
  ///
  /// - Parameter say: takes one line of words to the operator at a time; called from several threads.
  /// - Throws: `.invalid` for an address that cannot be bound, with the reason.
  public init(
    _ configuration: ServerConfiguration, say: @escaping @Sendable (String) -> Void
  ) throws(StorageError) {
    let bound = try BoundListeners(configuration)
    listening = bound.descriptions
    let metrics = ServerMetrics(ingest: bound.counters, kernelDrops: bound.kernelDrops)
    let workers = try WorkerPool(name: "varve-query", threadCount: 4)
    let context = ServerContext(configuration: configuration, metrics: metrics, workers: workers, say: say)
    self.context = context
    let waiters = TicketWaiters()
    self.waiters = waiters
    var mailboxes: [ReactorMailbox] = []
    for _ in 0..<max(1, configuration.receiverCount) { mailboxes.append(try ReactorMailbox()) }
    self.mailboxes = mailboxes
    daemons = try bound.startHTTP(context: context, waiters: waiters)
    for line in listening { say("listening " + line) }
    let threads = Lock<[WorkerThread]>([])
    opener = try WorkerThread(name: "varve-open") { [mailboxes] in
      do throws(StorageError) {
        let store = try Store.open(
          directory: configuration.dataDirectory, options: configuration.store, progress: context.progress)
        try Self.prepareDatabases(of: configuration, in: store, say: say)
        store.onTicketsDecided {
          waiters.ticketsDecided(in: store)
          for mailbox in mailboxes { mailbox.ticketsDecided() }
        }
        for mailbox in mailboxes {
          let thread = try WorkerThread(name: "varve-receive") {
            Reactor(mailbox: mailbox, context: context, store: store).run()
          }
          threads.withLock { $0.append(thread) }
        }
        bound.attach(to: mailboxes)
        context.becomeReady(store)
        say("ready")
      } catch {
        context.fail(error)
      }
    }
    opener.join()
    self.threads.withLock { $0 = threads.withLock { $0 } }
  }

  /// Why the store could not be opened; `nil` where it could.
  public var failure: StorageError? { context.failure }

  /// Takes in what has arrived, answers what is owed, flushes, closes. Idempotent.
  public func stop() throws(StorageError) {
    let isFirst = isStopped.withLock { isStopped in
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    for daemon in daemons { daemon.quiesce() }
    // One after another: the first reactor owns the listening sockets and may still hand connections to the others.
    let running = threads.withLock { $0 }
    for (mailbox, thread) in zip(mailboxes, running) {
      mailbox.stop()
      thread.join()
    }
    let store = context.ready?.store
    context.workers.stop()
    // Every ticket is decided once the log is closed, so no exchange stays suspended.
    var closing: StorageError?
    do throws(StorageError) { try store?.close() } catch { closing = error }
    waiters.answerAll(with: .error(503, "the server is stopping"))
    context.stop()
    for daemon in daemons { daemon.stop() }
    if let closing { throw closing }
  }

  /// Makes the databases that listeners write to; warns where one is there with other settings than asked for.
  private static func prepareDatabases(
    of configuration: ServerConfiguration, in store: Store, say: (String) -> Void
  ) throws(StorageError) {
    let names = [configuration.database] + configuration.listeners.compactMap(\.database)
    for name in names {
      if let there = store.policies(of: name) {
        guard name == configuration.database, let policy = there.first(where: \.isDefault) else { continue }
        if configuration.retention != 0, policy.ttl != configuration.retention {
          say(
            "warning: database \(name) keeps its retention of \(policy.ttl / 1_000_000_000) s; to change it: "
              + "ALTER RETENTION POLICY \"\(policy.name)\" ON \"\(name)\" DURATION …")
        }
        if configuration.windowLength != 0, policy.windowLength != configuration.windowLength {
          say("warning: database \(name) keeps its window of \(policy.windowLength / 1_000_000_000) s")
        }
      } else {
        let isMain = name == configuration.database
        try store.createDatabase(
          name, ttl: isMain ? configuration.retention : nil,
          windowLength: isMain && configuration.windowLength != 0 ? configuration.windowLength : nil)
      }
    }
    try prepareRules(of: configuration, in: store, say: say)
  }

  /// Puts the rules in force that the configuration has, with policies that they need and it gives a TTL.
  private static func prepareRules(
    of configuration: ServerConfiguration, in store: Store, say: (String) -> Void
  ) throws(StorageError) {
    var rules: [String: [PolicyRule]] = [:]
    for entry in configuration.rules {
      let database = entry.database ?? configuration.database
      guard let rule = entry.rule else {
        rules[database] = []
        continue
      }
      try store.createDatabase(database)
      let isThere = store.policies(of: database)?.contains { $0.name == rule.policy } ?? false
      if !isThere, let ttl = entry.ttl {
        try store.createPolicy(rule.policy, on: database, ttl: ttl, windowLength: nil, isDefault: false)
      }
      rules[database, default: []].append(rule)
    }
    for (database, rules) in rules {
      do throws(StorageError) {
        try store.setRules(rules, of: database)
      } catch where error.code == .notFound {
        say(
          "warning: the rules of database \(database) are not changed: \(error.detail); make it, or give the rule a TTL: "
            + "--rule '…=>NAME=30d'")
      }
    }
  }
}

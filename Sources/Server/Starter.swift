import Storage
import Synchronization

/// What a start does behind listeners that answer already: opens the store, starts the receivers, waits until the log is replayed.
final class Starter: Sendable {
  private let context: ServerContext
  private let bound: BoundListeners
  private let mailboxes: [ReactorMailbox]
  private let waiters: TicketWaiters
  private let onFailure: @Sendable () -> Void
  /// One a mailbox, once the store takes writes.
  private let receivers = Lock<[WorkerThread]>([])
  private let threads = Lock<[WorkerThread]>([])
  private let isStopping = Atomic<Bool>(false)

  /// - Parameter onFailure: called when the store could not be opened, or its log not replayed; `context.failure` says why.
  init(
    context: ServerContext, bound: BoundListeners, mailboxes: [ReactorMailbox], waiters: TicketWaiters,
    onFailure: @escaping @Sendable () -> Void
  ) {
    self.context = context
    self.bound = bound
    self.mailboxes = mailboxes
    self.waiters = waiters
    self.onFailure = onFailure
  }

  func start() throws(StorageError) {
    let opener = try WorkerThread(name: "varve-open") { [self] in
      do throws(StorageError) {
        try open()
      } catch {
        // Stopped, it fails in many ways, and none is of interest.
        if isStopping.load(ordering: .acquiring) { return }
        context.fail(error)
        onFailure()
      }
    }
    threads.withLock { $0.append(opener) }
    let timer = try WorkerThread(name: "varve-start") { [context] in context.keepTime() }
    threads.withLock { $0.append(timer) }
  }

  private func open() throws(StorageError) {
    let configuration = context.configuration
    let store = try Store.open(
      directory: configuration.dataDirectory, options: configuration.store, progress: context.progress,
      waitsForReplay: false)
    for error in store.unreadableTables {
      context.say("\(error); answers leave out what it may hold: run `varve repair`")
    }
    // Before the first write, which may be for such a database and waits for its ticket.
    store.onTicketsDecided { [waiters, mailboxes] in
      waiters.ticketsDecided(in: store)
      for mailbox in mailboxes { mailbox.ticketsDecided() }
    }
    do throws(StorageError) {
      try ConfiguredDatabases(configuration: configuration, say: context.say).prepare(in: store)
    } catch {
      try store.close()
      throw error
    }
    // From here on `Server.stop` closes it.
    context.becomeOpen(store, sink: StatementSink(context: context, store: store))
    for mailbox in mailboxes {
      let receiver = try WorkerThread(name: "varve-receive") { [context] in
        Reactor(mailbox: mailbox, context: context, store: store).run()
      }
      receivers.withLock { $0.append(receiver) }
    }
    bound.attach(to: mailboxes)
    try store.waitUntilReplayed()
    context.becomeReady()
    context.say("ready")
  }

  /// Ends a start that goes on; afterwards no receiver comes any more.
  func stop() {
    isStopping.store(true, ordering: .releasing)
    context.progress.cancel()
    threads.withLock { $0.first }?.join()
  }

  /// Lets the receivers take in what has arrived, and ends them.
  func stopReceivers() {
    // One after another: the first reactor owns the listening sockets and may still hand connections to the others.
    for (mailbox, thread) in zip(mailboxes, receivers.withLock { $0 }) {
      mailbox.stop()
      thread.join()
    }
  }

  /// Waits for its threads; the context must be stopped.
  func join() {
    for thread in threads.withLock({ $0 }) { thread.join() }
  }
}

import CShims
import Glibc
import Storage
import Synchronization

/// Something a reactor watches: a listening socket, a connection, a UDP socket.
protocol EventSource: AnyObject {
  var socket: Int32 { get }
  /// Reads, writes, accepts what is there; bounded work a call. `false`: finished, to be closed.
  func handle(_ events: UInt32, on reactor: Reactor) -> Bool
  /// Called about once a second. `false`: finished, to be closed.
  func tick(_ now: Int64, on reactor: Reactor) -> Bool
  /// Called when tickets may have been decided.
  func ticketsDecided(on reactor: Reactor) -> Bool
  /// The server stops: take in what has arrived, answer what is owed.
  func drain(on reactor: Reactor)
  /// The socket is closed next.
  func willClose(on reactor: Reactor)
}

/// One receiver thread: an epoll loop over its own sockets, with its own buffers, batch and vocabulary.
///
/// Owned by its thread; others reach it through its `ReactorMailbox`.
final class Reactor {
  /// Bytes read from a TCP connection at once.
  static let readByteCount = 256 << 10

  let mailbox: ReactorMailbox
  let context: ServerContext
  let pipeline: IngestPipeline
  /// Shared by the connections of this thread; what is unfinished is kept by the connection.
  let buffer: ReadBuffer
  private var sources: [Int32: any EventSource] = [:]
  private var isStopping = false
  private var lastTick: Int64 = 0
  /// What a look at the sockets finds.
  private var sockets = [Int32](repeating: 0, count: eventCountMax)
  private var events = [UInt32](repeating: 0, count: eventCountMax)
  private static let eventCountMax = 64

  init(mailbox: ReactorMailbox, context: ServerContext, store: Store) {
    self.mailbox = mailbox
    self.context = context
    pipeline = IngestPipeline(store: store, configuration: context.configuration)
    buffer = ReadBuffer(capacity: Self.readByteCount)
  }

  /// Watches a source until it is finished.
  func add(_ source: any EventSource, events: UInt32) {
    sources[source.socket] = source
    mailbox.watch(source.socket, events: events, isNew: true)
  }

  /// Changes what is waited for.
  func watch(_ source: any EventSource, events: UInt32) {
    mailbox.watch(source.socket, events: events, isNew: false)
  }

  /// Runs until the mailbox says stop and everything is drained.
  func run() {
    while !isStopping { _ = turn(waiting: 500) }
    // What was sent before the stop may still lie with the sender's kernel, which hands it on as room comes free here.
    let end = monotonicNanoseconds() + Self.drainNanosecondsMax
    while monotonicNanoseconds() < end, turn(waiting: Self.quietMilliseconds) {}
    for source in Array(sources.values) {
      source.drain(on: self)
      close(source)
    }
  }

  /// Nothing more is on its way once nothing came for so long.
  private static let quietMilliseconds: Int32 = 50
  /// Who goes on sending does not keep a server from stopping for longer.
  private static let drainNanosecondsMax: Int64 = 1_000_000_000

  /// Handles what comes within a time, and what time brings; whether anything came.
  private func turn(waiting milliseconds: Int32) -> Bool {
    let count = unsafe CShims_epoll_wait(mailbox.epoll, &sockets, &events, Int32(Self.eventCountMax), milliseconds)
    for index in 0..<Int(max(count, 0)) {
      if sockets[index] == mailbox.wakeup {
        takeMail()
      } else if let source = sources[sockets[index]] {
        if !source.handle(events[index], on: self) { close(source) }
      }
    }
    let now = monotonicNanoseconds()
    if now - lastTick > 1_000_000_000 {
      lastTick = now
      for source in Array(sources.values) where !source.tick(now, on: self) { close(source) }
    }
    return count != 0
  }

  private func close(_ source: any EventSource) {
    guard sources.removeValue(forKey: source.socket) != nil else { return }
    source.willClose(on: self)
    mailbox.unwatch(source.socket)
    _ = Glibc.close(source.socket)
  }

  private func takeMail() {
    let mail = mailbox.take()
    for make in mail.newSources { make(self) }
    if mail.areTicketsDecided {
      for source in Array(sources.values) where !source.ticketsDecided(on: self) { close(source) }
    }
    if mail.isStopping { isStopping = true }
  }
}

/// The way into a reactor from other threads.
final class ReactorMailbox: Sendable {
  struct Mail {
    /// Run on the reactor's thread; each adds a source.
    var newSources: [@Sendable (Reactor) -> Void] = []
    var areTicketsDecided = false
    var isStopping = false
    /// Nothing more is taken in: the reactor was told to stop, and may have ended.
    var isClosed = false
  }
  private let mail = Lock(Mail())
  /// Whether a connection of the reactor waits for a ticket: only then is it woken for decisions.
  let waitsForTickets = Atomic<Bool>(false)
  let epoll: Int32
  let wakeup: Int32

  init() throws(StorageError) {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard epoll >= 0, wakeup >= 0 else { throw StorageError(.io, "cannot make an epoll instance: errno \(errno)") }
    watch(wakeup, events: EPOLLIN.rawValue, isNew: true)
  }

  deinit {
    _ = close(epoll)
    _ = close(wakeup)
  }

  func watch(_ socket: Int32, events: UInt32, isNew: Bool) {
    _ = CShims_epoll_watch(epoll, socket, events, isNew ? 1 : 0)
  }

  func unwatch(_ socket: Int32) { _ = CShims_epoll_unwatch(epoll, socket) }

  /// `false`: the reactor was told to stop, and takes no more.
  @discardableResult func add(_ make: @escaping @Sendable (Reactor) -> Void) -> Bool {
    let isTaken = mail.withLock { mail in
      if !mail.isClosed { mail.newSources.append(make) }
      return !mail.isClosed
    }
    if isTaken { wake() }
    return isTaken
  }

  func ticketsDecided() {
    guard waitsForTickets.load(ordering: .acquiring) else { return }
    mail.withLock { $0.areTicketsDecided = true }
    wake()
  }

  func stop() {
    mail.withLock { ($0.isStopping, $0.isClosed) = (true, true) }
    wake()
  }

  fileprivate func take() -> Mail {
    var count: UInt64 = 0
    _ = unsafe read(wakeup, &count, 8)
    return mail.withLock { mail in
      defer { mail = Mail(isClosed: mail.isClosed) }
      return mail
    }
  }

  private func wake() {
    var one: UInt64 = 1
    _ = unsafe write(wakeup, &one, 8)
  }
}

/// Memory that sockets read into; grows for a line longer than a read and shrinks back.
@safe final class ReadBuffer {
  private(set) var base: UnsafeMutableRawPointer
  private(set) var capacity: Int
  private let capacityMin: Int

  init(capacity: Int) {
    capacityMin = capacity
    self.capacity = capacity
    unsafe base = .allocate(byteCount: capacity, alignment: 64)
  }

  deinit { unsafe base.deallocate() }

  /// Makes room for `needed` bytes; what the first `kept` bytes hold is kept.
  func reserve(_ needed: Int, keeping kept: Int) {
    guard needed > capacity || capacity > 4 * max(needed, capacityMin) else { return }
    let larger = max(needed, capacityMin)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 64)
    unsafe moved.copyMemory(from: base, byteCount: kept)
    unsafe base.deallocate()
    unsafe base = moved
    capacity = larger
  }
}

import CShims
import Glibc
import LineProtocol
import Storage
import Synchronization

/// One sender of line protocol over TCP.
///
/// Each read is framed, parsed and committed as one batch, cut where a token asks for an acknowledgement. What is left of
/// an unfinished line waits in `carry`; the framer remembers how far it was scanned.
final class TCPConnection: EventSource {
  /// Bytes of answers that may wait for a peer that does not read; then nothing more is read from it.
  static let outputByteCountMax = 1 << 20
  /// Reads of one connection before others of the thread have their turn.
  private static let readCountMax = 4

  let socket: Int32
  private let peer: String
  private let settings: IngestSettings
  private var framer: LineFramer
  private var carry: [UInt8] = []
  private var line: UInt64 = 1
  private var lastActive: Int64
  /// Since the last token.
  private var acceptedCount = 0
  private var rejectedCount = 0
  private var rejects: [Reject] = []
  private var failure: StorageError?
  private var lastTicket = Ticket(sequence: 0)
  private var owed: [Acknowledgement] = []
  private var output: [UInt8] = []
  private var hasEnded = false
  private var watched = EPOLLIN.rawValue
  private var hasSpokenOfHTTP = false
  private let memory: BodyMemory.Account

  init(socket: Int32, peer: String, settings: IngestSettings, reactor: Reactor) {
    self.socket = socket
    self.peer = peer
    self.settings = settings
    framer = reactor.pipeline.makeFramer(settings)
    memory = BodyMemory.Account(reactor.context.bodies)
    lastActive = monotonicNanoseconds()
  }

  // MARK: Events

  func handle(_ events: UInt32, on reactor: Reactor) -> Bool {
    if events & EPOLLOUT.rawValue != 0, !send() { return false }
    if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0, !hasEnded {
      lastActive = monotonicNanoseconds()
      for _ in 0..<Self.readCountMax {
        switch read(on: reactor) {
        case .more: continue
        case .empty: break
        case .ended: hasEnded = true
        case .broken:
          drop()
          return false
        }
        break
      }
    }
    return settle(on: reactor)
  }

  func tick(_ now: Int64, on reactor: Reactor) -> Bool {
    if !owed.isEmpty { return settle(on: reactor) }
    guard now - lastActive > reactor.context.configuration.idleTimeout.nanoseconds else { return true }
    drop()
    return false
  }

  func ticketsDecided(on reactor: Reactor) -> Bool { settle(on: reactor) }

  func drain(on reactor: Reactor) {
    // What the kernel holds is taken in; the sender is not told to stop, so the number of reads is bounded.
    for _ in 0..<1_024 {
      guard !hasEnded, case .more = read(on: reactor) else { break }
    }
    for acknowledgement in owed {
      var state = TicketState.durable
      if acknowledgement.ticket.sequence > 0, let store = reactor.context.store {
        do throws(StorageError) { try store.wait(for: acknowledgement.ticket) } catch { state = .failed(error) }
      }
      output += acknowledgement.answer(state)
    }
    owed = []
    _ = send()
  }

  func willClose(on reactor: Reactor) {
    settings.counters.connections.wrappingSubtract(1, ordering: .relaxed)
  }

  // MARK: Reading

  private enum ReadResult { case more, empty, ended, broken }

  private func read(on reactor: Reactor) -> ReadResult {
    let buffer = reactor.buffer
    let kept = carry.count
    buffer.reserve(kept + Reactor.readByteCount, keeping: 0)
    unsafe carry.withUnsafeBytes { bytes in
      if let base = bytes.baseAddress { unsafe buffer.base.copyMemory(from: base, byteCount: kept) }
    }
    // The buffer has room for `kept` and one read behind it.
    let count = unsafe Glibc.read(socket, buffer.base + kept, buffer.capacity - kept)
    if count < 0 { return errno == EAGAIN || errno == EINTR ? .empty : .broken }
    settings.counters.bytes.wrappingAdd(UInt64(count), ordering: .relaxed)
    let isLast = count == 0
    if !isLast || kept > 0 {
      unsafe take(UnsafeRawBufferPointer(start: buffer.base, count: kept + count), isLast: isLast, on: reactor)
    }
    if isLast { return .ended }
    // An unfinished line may be long, and connections many.
    if !memory.hold(carry.count) {
      settings.counters.addReject(.overload)
      carry = []
      return .broken
    }
    return kept + count == buffer.capacity ? .more : .empty
  }

  /// Frames, parses and commits what has come; keeps the rest.
  private func take(_ bytes: UnsafeRawBufferPointer, isLast: Bool, on reactor: Reactor) {
    let pipeline = reactor.pipeline
    let now = wallNanoseconds()
    var rest = unsafe bytes
    pipeline.begin()
    while true {
      let piece = unsafe framer.next(rest, isLast: isLast)
      switch piece.kind {
      case .lines:
        // `byteCount` is at most what was given.
        let lines = unsafe UnsafeRawBufferPointer(rebasing: rest[..<piece.byteCount])
        line += unsafe pipeline.parse(lines, settings, now: now, firstLine: line)
      case .acknowledge(let token):
        commit(on: reactor, now: now)
        unsafe owe(Array(rest[token]), on: reactor)
        pipeline.begin()
        line += piece.newlineCount
      case .refused(var reject):
        reject.line += Int(clamping: line) - 1
        pipeline.batch.refuse(reject)
        line += piece.newlineCount
      case .skipped:
        line += piece.newlineCount
      case .incomplete:
        commit(on: reactor, now: now)
        carry = isLast ? [] : unsafe Array(rest)
        return
      }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[piece.byteCount...])
    }
  }

  private func commit(on reactor: Reactor, now: Int64) {
    let pipeline = reactor.pipeline
    guard pipeline.batch.count > 0 || pipeline.batch.rejectCount > 0 else { return }
    do throws(StorageError) {
      let result = try pipeline.commit(settings, context: reactor.context, now: now)
      acceptedCount += result.acceptedCount
      rejectedCount += result.rejectCounts.reduce(0, +)
      if result.ticket.sequence > 0 { lastTicket = result.ticket }
      keep(result.rejects)
    } catch {
      // The sender that asks hears of it and sends again; from one that does not the lines are lost, and counted.
      failure = failure ?? error
      settings.counters.addReject(.overload, count: pipeline.batch.count)
    }
    rejectedCount += pipeline.batch.rejectCount
    keep(pipeline.batch.rejects)
    explainHTTP(pipeline.batch.rejects, on: reactor)
  }

  private func keep(_ more: [Reject]) {
    let room = Acknowledgement.rejectCountMax - rejects.count
    if room > 0 { rejects += more.prefix(room) }
  }

  private func owe(_ token: [UInt8], on reactor: Reactor) {
    rejects.sort { $0.line < $1.line }
    owed.append(
      Acknowledgement(
        token: token, ticket: lastTicket, acceptedCount: acceptedCount, rejectedCount: rejectedCount,
        rejects: rejects, failure: failure))
    (acceptedCount, rejectedCount, rejects, failure) = (0, 0, [], nil)
    reactor.mailbox.waitsForTickets.store(true, ordering: .releasing)
  }

  /// Who speaks HTTP to this port is told where it is, in the words that the operator reads.
  private func explainHTTP(_ rejects: [Reject], on reactor: Reactor) {
    guard !hasSpokenOfHTTP, let text = rejects.first?.text,
      String(decoding: text, as: UTF8.self).contains(" HTTP/1.")
    else { return }
    hasSpokenOfHTTP = true
    reactor.context.say("\(peer) speaks HTTP to the line protocol port (\(settings.counters.listener)): use the http listener")
  }

  /// An unfinished line is dropped: half a number looks like a number.
  private func drop() {
    if !carry.isEmpty { settings.counters.addReject(.unterminated) }
    carry = []
  }

  // MARK: Answering

  /// Answers what is decided, in order; `false` when nothing is left to do on this connection.
  private func settle(on reactor: Reactor) -> Bool {
    if let store = reactor.context.store {
      var answeredCount = 0
      for acknowledgement in owed {
        let ticket = acknowledgement.ticket
        let state = ticket.sequence == 0 ? .durable : store.state(of: ticket)
        if state == .pending { break }
        output += acknowledgement.answer(state)
        answeredCount += 1
      }
      owed.removeFirst(answeredCount)
    }
    if !send() { return false }
    if hasEnded, owed.isEmpty, output.isEmpty { return false }
    let wantsInput = !hasEnded && output.count < Self.outputByteCountMax
    let events = (wantsInput ? EPOLLIN.rawValue : 0) | (output.isEmpty ? 0 : EPOLLOUT.rawValue)
    if events != watched {
      watched = events
      reactor.watch(self, events: events)
    }
    return true
  }

  /// Sends what waits; `false` if the peer is gone.
  private func send() -> Bool {
    var sentCount = 0
    defer { output.removeFirst(sentCount) }
    while sentCount < output.count {
      // `sentCount` is below the count: the rest has an address.
      let count = unsafe output.withUnsafeBytes { bytes in
        let rest = unsafe bytes[sentCount...]
        return unsafe Glibc.send(socket, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        return errno == EAGAIN
      }
      sentCount += count
    }
    return true
  }
}

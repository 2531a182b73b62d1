import CShims
import Glibc
import Storage
import Synchronization

/// A listening TCP socket: hands connections to the receiver threads in turn.
final class TCPListener: EventSource {
  /// Connections at once over one listener, where the limit of open files has room for them; further ones are closed at once.
  static let connectionCountMax = 10_000

  let socket: Int32
  private let settings: IngestSettings
  private let mailboxes: [ReactorMailbox]
  private var next = 0

  init(socket: Int32, settings: IngestSettings, mailboxes: [ReactorMailbox]) {
    self.socket = socket
    self.settings = settings
    self.mailboxes = mailboxes
  }

  func handle(_ events: UInt32, on reactor: Reactor) -> Bool {
    while let (accepted, peer) = accept(on: reactor) {
      let mailbox = mailboxes[next % mailboxes.count]
      next += 1
      let settings = settings
      let make: @Sendable (Reactor) -> Void = { reactor in
        let connection = TCPConnection(socket: accepted, peer: peer, settings: settings, reactor: reactor)
        reactor.add(connection, events: EPOLLIN.rawValue)
      }
      // While the server stops another receiver may have ended already: this one drains it then.
      if !mailbox.add(make) { make(reactor) }
    }
    return true
  }

  /// The next connection that waits, counted; `nil` if there is none.
  private func accept(on reactor: Reactor) -> (socket: Int32, peer: String)? {
    while true {
      var peer = [CChar](repeating: 0, count: 128)
      let accepted = unsafe CShims_accept(socket, &peer, peer.count)
      if accepted < 0 {
        if accepted == -EMFILE || accepted == -ENFILE { reactor.context.say("no file left for a TCP connection") }
        return nil
      }
      let most = settings.counters.connectionCountMax
      guard settings.counters.connections.load(ordering: .relaxed) < most else {
        reactor.context.say("more than \(most) TCP connections: closing one")
        settings.counters.refusedConnections.wrappingAdd(1, ordering: .relaxed)
        _ = close(accepted)
        continue
      }
      settings.counters.connections.wrappingAdd(1, ordering: .relaxed)
      let name = String(decoding: peer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      return (accepted, name)
    }
  }

  func tick(_ now: Int64, on reactor: Reactor) -> Bool { true }
  func ticketsDecided(on reactor: Reactor) -> Bool { true }

  /// Connections that the kernel accepted have sent lines already: they are taken in here.
  func drain(on reactor: Reactor) {
    while let (accepted, peer) = accept(on: reactor) {
      let connection = TCPConnection(socket: accepted, peer: peer, settings: settings, reactor: reactor)
      connection.drain(on: reactor)
      connection.willClose(on: reactor)
      _ = close(accepted)
    }
  }

  func willClose(on reactor: Reactor) {}
}

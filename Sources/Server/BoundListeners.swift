import CShims
import Glibc
import LineProtocol
import Storage

/// The sockets of all listeners, bound, with the counters of each.
struct BoundListeners: Sendable {
  private struct Bound: Sendable {
    var configuration: ListenerConfiguration
    var counters: IngestCounters
    /// One; for UDP one a receiver thread.
    var sockets: [Int32]
    var address: String
  }
  private var listeners: [Bound] = []
  private let configuration: ServerConfiguration

  /// Binds all; what was bound is let go of if one fails.
  init(_ configuration: ServerConfiguration) throws(StorageError) {
    self.configuration = configuration
    var used: [String: Int] = [:]
    do throws(StorageError) {
      for listener in configuration.listeners {
        let kind = listener.kind.rawValue
        used[kind, default: 0] += 1
        let label = used[kind] == 1 ? kind : "\(kind)-\(used[kind] ?? 0)"
        listeners.append(
          try Self.bind(
            listener, IngestCounters(listener: label, connectionCountMax: connectionCount(of: listener.kind)),
            receiverCount: max(1, configuration.receiverCount)))
      }
    } catch {
      for socket in listeners.flatMap(\.sockets) { _ = close(socket) }
      throw error
    }
  }

  /// Connections that one listener of a kind may have: what memory and the limit of open files have room for.
  private func connectionCount(of kind: ListenerConfiguration.Kind) -> Int {
    let most =
      switch kind {
      case .udp: 0
      case .tcp: TCPListener.connectionCountMax
      case .http: HTTPDaemon.connectionCount(in: configuration.store.memory.share(of: .bodies))
      }
    let listenerCount = configuration.listeners.count { $0.kind == kind }
    return most == 0 ? 0 : configuration.openFiles.connectionCount(most: most, listenerCount: listenerCount)
  }

  private static func bind(
    _ listener: ListenerConfiguration, _ counters: IngestCounters, receiverCount: Int
  ) throws(StorageError) -> Bound {
    var sockets: [Int32] = []
    var port = listener.port
    var address = ""
    if listener.kind == .udp, port != 0 {
      // Sockets that share a port would take half of another server's datagrams: one that does not share tells.
      let probe = unsafe CShims_bind_udp(listener.host, port, 0)
      guard probe >= 0 else { throw cannotListen(listener, port, errno: -probe) }
      _ = close(probe)
    }
    for _ in 0..<(listener.kind == .udp ? receiverCount : 1) {
      let socket =
        listener.kind == .udp
        ? unsafe CShims_bind_udp(listener.host, port, 1) : unsafe CShims_listen_tcp(listener.host, port)
      guard socket >= 0 else {
        for socket in sockets { _ = close(socket) }
        throw cannotListen(listener, port, errno: -socket)
      }
      var text = [CChar](repeating: 0, count: 128)
      _ = unsafe CShims_local_address(socket, &text, text.count, &port)
      address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      if listener.kind == .udp { _ = CShims_receive_buffer(socket, UDPSocket.receiveBufferByteCount) }
      sockets.append(socket)
    }
    return Bound(
      configuration: listener, counters: counters, sockets: sockets, address: address)
  }

  private static func cannotListen(_ listener: ListenerConfiguration, _ port: UInt16, errno: Int32) -> StorageError {
    let kind = listener.kind.rawValue
    let reason = unsafe String(cString: strerror(errno))
    let advice = errno == EADDRINUSE ? "; another program has it: choose another address with --\(kind)" : ""
    return StorageError(
      .invalid, "cannot listen on \(kind) \(listener.host.isEmpty ? "*" : listener.host):\(port): \(reason)\(advice)")
  }

  var descriptions: [String] { listeners.map { "\($0.configuration.kind.rawValue) \($0.address)" } }

  var counters: [IngestCounters] { listeners.map(\.counters) }

  /// What the kernel dropped, by UDP listener, over its sockets.
  var kernelDrops: @Sendable () -> [(listener: String, drops: UInt64)] {
    let udp = listeners.filter { $0.configuration.kind == .udp }
    return {
      udp.map { bound in
        (bound.counters.listener, bound.sockets.reduce(0) { $0 + UInt64(max(0, CShims_kernel_drops($1))) })
      }
    }
  }

  /// Starts a daemon for each HTTP listener.
  func startHTTP(context: ServerContext, waiters: TicketWaiters) throws(StorageError) -> [HTTPDaemon] {
    var daemons: [HTTPDaemon] = []
    for listener in listeners where listener.configuration.kind == .http {
      try HTTPDaemon.load()
      let settings = settings(of: listener)
      let router = Router(
        context: context, query: QueryRoute(context: context),
        write: WriteRoute(context: context, settings: settings, waiters: waiters))
      guard
        let daemon = HTTPDaemon(
          socket: listener.sockets[0], threadCount: max(1, configuration.receiverCount),
          bodies: context.bodies, counters: listener.counters, commonHeaders: Router.commonHeaders, route: { router.reply(to: $0) })
      else { throw StorageError(.io, "cannot start the HTTP daemon on \(listener.address)") }
      daemons.append(daemon)
    }
    return daemons
  }

  /// Gives the TCP and UDP sockets to the receiver threads.
  func attach(to mailboxes: [ReactorMailbox]) {
    for listener in listeners {
      let settings = settings(of: listener)
      switch listener.configuration.kind {
      case .http: continue
      case .tcp:
        let socket = listener.sockets[0]
        mailboxes[0].add { reactor in
          reactor.add(
            TCPListener(socket: socket, settings: settings, mailboxes: mailboxes), events: EPOLLIN.rawValue)
        }
      case .udp:
        for (socket, mailbox) in zip(listener.sockets, mailboxes) {
          mailbox.add { reactor in
            guard let source = UDPSocket(socket: socket, settings: settings) else {
              reactor.context.say("no memory for the buffers of UDP \(listener.address)")
              return
            }
            reactor.add(source, events: EPOLLIN.rawValue)
          }
        }
      }
    }
  }

  private func settings(of listener: Bound) -> IngestSettings {
    let own = listener.configuration
    return IngestSettings(
      counters: listener.counters, database: own.database ?? configuration.database, policy: own.policy,
      precision: own.precision ?? configuration.precision ?? (own.kind == .http ? .nanoseconds : .auto),
      carriageReturn: own.carriageReturn ?? configuration.carriageReturn)
  }
}

import CMicroHTTPD
import CShims
import Glibc
import Storage
import Synchronization

/// What a route says to a request.
enum HTTPReply {
  case now(HTTPResponse)
  /// The exchange is suspended; the closure starts the work that calls `answer` once, later, from another thread.
  case later((HTTPExchange) -> Void)
}

/// libmicrohttpd with a pool of epoll threads; none of them blocks: who must wait is suspended.
@safe final class HTTPDaemon: Sendable {
  /// The largest body, as received.
  static let bodyByteCountMax = 64 << 20
  /// Connections at once.
  static let connectionCountMax = 4_096
  /// Memory of a connection's buffers, most and least: bodies arrive in pieces of about half this size. The library zeroes all of it
  /// after each request.
  static let connectionMemory = 64 << 10
  static let connectionMemoryMin = 32 << 10
  /// Bytes of a stream that are asked for at once.
  static let streamBlockByteCount = 32 << 10
  /// Connections that there is always room for.
  static let connectionCountMin = 256

  private let route: @Sendable (HTTPRequest) -> HTTPReply
  private let commonHeaders: [(name: String, value: String)]
  private let handle: Lock<UInt>
  private let bodies: BodyMemory
  private let counters: IngestCounters

  /// Loads the library that daemons are of; comes before the first of them.
  static func load() throws(StorageError) {
    if let failure = unsafe CMicroHTTPD_load() {
      throw StorageError(.io, "cannot serve HTTP: \(unsafe String(cString: failure)) (Debian's package is libmicrohttpd12; --http off does without)")
    }
  }

  /// Serves `socket`, which it owns from now on, with `threadCount` threads; every answer carries `commonHeaders`.
  init?(
    socket: Int32, threadCount: Int, bodies: BodyMemory, counters: IngestCounters, commonHeaders: [(name: String, value: String)],
    route: @escaping @Sendable (HTTPRequest) -> HTTPReply
  ) {
    self.route = route
    self.commonHeaders = commonHeaders
    handle = Lock(0)
    (self.bodies, self.counters) = (bodies, counters)
    let flags =
      MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_USE_PEDANTIC_CHECKS.rawValue
    let options: [any CVarArg] = [
      Int32(MHD_OPTION.LISTEN_SOCKET.rawValue), socket,
      Int32(MHD_OPTION.THREAD_POOL_SIZE.rawValue), UInt32(threadCount),
      Int32(MHD_OPTION.CONNECTION_MEMORY_LIMIT.rawValue), Self.connectionMemory(bodies.byteCountMax),
      Int32(MHD_OPTION.CONNECTION_LIMIT.rawValue), UInt32(counters.connectionCountMax),
      Int32(MHD_OPTION.CONNECTION_TIMEOUT.rawValue), UInt32(120),
      Int32(MHD_OPTION.NOTIFY_COMPLETED.rawValue), unsafe unsafeBitCast(Self.completed, to: Int.self), 0,
      Int32(MHD_OPTION.NOTIFY_CONNECTION.rawValue), unsafe unsafeBitCast(Self.connected, to: Int.self),
      unsafe Int(bitPattern: Unmanaged.passUnretained(self).toOpaque()),
      Int32(MHD_OPTION.END.rawValue),
    ]
    // The daemon is stopped before `self` goes, so the unretained pointer outlives its use.
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    let daemon = unsafe withVaList(options) { list in
      unsafe MHD_start_daemon_va(flags, 0, nil, nil, Self.access, context, list)
    }
    guard let daemon = unsafe daemon else { return nil }
    handle.withLock { $0 = UInt(bitPattern: daemon) }
  }

  private static func connectionMemory(_ byteCountMax: Int) -> Int {
    min(max(byteCountMax / 1_024, connectionMemoryMin), connectionMemory)
  }

  /// Connections at once that have room in so many bytes.
  static func connectionCount(in byteCountMax: Int) -> Int {
    min(max(byteCountMax / connectionMemory(byteCountMax), connectionCountMin), connectionCountMax)
  }

  /// Stops listening and waits until every exchange is answered. All suspended ones must have been answered.
  func stop() {
    let daemon = handle.withLock { handle in
      defer { handle = 0 }
      return handle
    }
    if let daemon = unsafe OpaquePointer(bitPattern: daemon) { unsafe MHD_stop_daemon(daemon) }
  }

  /// Takes no new connections from now on; those there go on.
  func quiesce() {
    handle.withLock { handle in
      if let daemon = unsafe OpaquePointer(bitPattern: handle) {
        let socket = unsafe MHD_quiesce_daemon(daemon)
        if socket >= 0 { _ = close(socket) }
      }
    }
  }

  // MARK: The daemon's calls

  private static let completed:
    @convention(c) (
      UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
      MHD_RequestTerminationCode
    ) -> Void = { _, _, slot, _ in
      guard let slot = unsafe slot, let pointer = unsafe slot.pointee else { return }
      let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(pointer)
      unsafe exchange.takeUnretainedValue().close()
      unsafe exchange.release()
      unsafe slot.pointee = nil
    }

  private static let connected:
    @convention(c) (
      UnsafeMutableRawPointer?, OpaquePointer?, UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
      MHD_ConnectionNotificationCode
    ) -> Void = { context, _, _, code in
      guard let context = unsafe context else { return }
      let daemon = unsafe Unmanaged<HTTPDaemon>.fromOpaque(context).takeUnretainedValue()
      // MHD_CONNECTION_NOTIFY_STARTED; the other one is its end.
      daemon.counters.connections.wrappingAdd(code.rawValue == 0 ? 1 : -1, ordering: .relaxed)
    }

  private static let access: MHD_AccessHandlerCallback = {
    context, connection, url, method, _, data, count, slot in
    guard let context = unsafe context, let connection = unsafe connection, let slot = unsafe slot,
      let count = unsafe count
    else { return .NO }
    let daemon = unsafe Unmanaged<HTTPDaemon>.fromOpaque(context).takeUnretainedValue()
    guard let pointer = unsafe slot.pointee else {
      let request = unsafe HTTPRequest(connection: connection, url: url, method: method)
      let exchange = unsafe HTTPExchange(connection: connection, request: request, bodies: daemon.bodies)
      unsafe slot.pointee = Unmanaged.passRetained(exchange).toOpaque()
      return .YES
    }
    let exchange = unsafe Unmanaged<HTTPExchange>.fromOpaque(pointer).takeUnretainedValue()
    if unsafe count.pointee > 0 {
      unsafe exchange.append(
        UnsafeRawBufferPointer(start: data, count: count.pointee), byteCountMax: HTTPDaemon.bodyByteCountMax)
      unsafe count.pointee = 0
      return .YES
    }
    return unsafe daemon.serve(exchange, on: connection)
  }

  private func serve(_ exchange: HTTPExchange, on connection: OpaquePointer) -> MHD_Result {
    if let response = exchange.takeResponse() { return unsafe queue(response, on: connection) }
    if exchange.isTooLarge {
      return unsafe queue(.error(413, "Request Entity Too Large"), on: connection)
    }
    if exchange.isCrowdedOut {
      return unsafe queue(
        .unavailable(StorageError(.overloaded, "the bodies of requests under way fill their share of the memory")), on: connection)
    }
    guard let request = exchange.takeRequest() else { return .YES }
    switch route(request) {
    case .now(let response):
      return unsafe queue(compressed(response, for: request), on: connection)
    case .later(let start):
      exchange.suspend()
      start(exchange)
      return .YES
    }
  }

  private func queue(_ response: HTTPResponse, on connection: OpaquePointer) -> MHD_Result {
    let made = unsafe make(response, for: connection)
    guard let made = unsafe made else { return .NO }
    defer { unsafe MHD_destroy_response(made) }
    var headers = response.headers + commonHeaders
    // InfluxDB says it beside 204 as well.
    if !headers.contains(where: { $0.name == "Content-Type" }) { headers.append(("Content-Type", "application/json")) }
    for header in headers {
      _ = unsafe MHD_add_response_header(made, header.name, header.value)
    }
    return unsafe MHD_queue_response(connection, response.status, made)
  }

  private func make(_ response: HTTPResponse, for connection: OpaquePointer) -> OpaquePointer? {
    guard let stream = response.stream else {
      return unsafe response.body.withUnsafeBytes { bytes in
        unsafe MHD_create_response_from_buffer(
          bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
      }
    }
    // Released by the last callback, which the daemon makes when the response goes.
    let reader = unsafe Unmanaged.passRetained(StreamReader(stream, UInt(bitPattern: connection)))
    return unsafe MHD_create_response_from_callback(
      UInt64.max, Self.streamBlockByteCount,
      { context, _, target, count in
        guard let context = unsafe context, let target = unsafe target else { return -2 }
        let reader = unsafe Unmanaged<StreamReader>.fromOpaque(context).takeUnretainedValue()
        return unsafe reader.stream.read(
          into: UnsafeMutableRawBufferPointer(start: target, count: count), connection: reader.connection)
      }, reader.toOpaque(),
      { context in
        if let context = unsafe context { unsafe Unmanaged<StreamReader>.fromOpaque(context).release() }
      })
  }
}

/// Where the daemon finds the bytes of a stream, and whom they are for.
private final class StreamReader {
  let stream: ResponseStream
  let connection: UInt

  init(_ stream: ResponseStream, _ connection: UInt) {
    self.stream = stream
    self.connection = connection
  }
}

/// Whether the client takes its answer packed.
func takesGzip(_ request: HTTPRequest) -> Bool { request.headers["accept-encoding"]?.contains("gzip") == true }

/// The answer, packed where the client takes gzip and it is long enough to gain.
func compressed(_ response: HTTPResponse, for request: HTTPRequest) -> HTTPResponse {
  guard response.body.count > 1_024, takesGzip(request),
    let packed = gzip(response.body)
  else { return response }
  var out = response
  out.body = packed
  out.headers.append(("Content-Encoding", "gzip"))
  return out
}

extension HTTPRequest {
  /// Reads what the daemon knows before the body: path, parameters, headers.
  init(connection: OpaquePointer, url: UnsafePointer<CChar>?, method: UnsafePointer<CChar>?) {
    self.init(
      method: unsafe method.map { unsafe String(cString: $0) } ?? "",
      path: unsafe url.map { unsafe String(cString: $0) } ?? "")
    // The daemon calls back once a value, on this thread, before the call returns.
    unsafe withUnsafeMutablePointer(to: &self) { request in
      _ = unsafe MHD_get_connection_values(
        connection, .HEADER_KIND,
        { context, _, name, value in
          guard let name = unsafe name, let context = unsafe context else { return .YES }
          let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
          unsafe context.assumingMemoryBound(to: HTTPRequest.self).pointee.headers.append(String(cString: name), text)
          return .YES
        }, request)
      _ = unsafe MHD_get_connection_values(
        connection, .GET_ARGUMENT_KIND,
        { context, _, name, value in
          guard let name = unsafe name, let context = unsafe context else { return .YES }
          let text = unsafe value.map { unsafe String(cString: $0) } ?? ""
          unsafe context.assumingMemoryBound(to: HTTPRequest.self).pointee
            .parameters.append((String(cString: name), text))
          return .YES
        }, request)
    }
  }
}

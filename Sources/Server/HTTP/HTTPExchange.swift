import CMicroHTTPD
import Glibc
import Query
import Storage

/// One request under way in the daemon: gathers the body, waits suspended for its answer, is answered once.
///
/// The daemon's thread owns it until it is suspended; `answer` may then come once from any thread.
@safe final class HTTPExchange: Sendable {
  fileprivate struct State {
    var request: HTTPRequest
    var response: HTTPResponse?
    var isRouted = false
    var isTooLarge = false
    var isCrowdedOut = false
    /// What the answer holds of the memory of queries, until it is sent.
    var account: QueryAccount?
    /// The body of the answer, where it is sent while it is made.
    var stream: ResponseStream?
  }
  private let state: Lock<State>
  /// The daemon's connection, as a number so that it may cross threads; it lives until the exchange is completed.
  private let connection: UInt

  private let memory: BodyMemory.Account
  private let bodyByteCountMax: Int

  init(connection: OpaquePointer, request: HTTPRequest, bodies: BodyMemory) {
    self.connection = UInt(bitPattern: connection)
    state = Lock(State(request: request))
    memory = BodyMemory.Account(bodies)
    bodyByteCountMax = bodies.byteCountMax
  }

  /// Takes a piece of the body in, up to `byteCountMax` in all.
  func append(_ bytes: UnsafeRawBufferPointer, byteCountMax: Int) {
    state.withLock { state in
      if state.isTooLarge || state.isCrowdedOut { return }
      let needed = state.request.body.count + bytes.count
      if max(needed, state.toldByteCount) > min(byteCountMax, bodyByteCountMax) {
        state.isTooLarge = true
      } else if state.makeRoom(for: needed, memory) {
        return unsafe state.request.body.append(contentsOf: bytes)
      } else {
        state.isCrowdedOut = true
      }
      state.request.body = []
      _ = memory.hold(0)
    }
  }

  var isTooLarge: Bool { state.withLock { $0.isTooLarge } }

  /// Whether the bodies of others left no room for this one.
  var isCrowdedOut: Bool { state.withLock { $0.isCrowdedOut } }

  /// The request when its body is there for the first time; `nil` on later calls.
  func takeRequest() -> HTTPRequest? {
    state.withLock { state in
      if state.isRouted { return nil }
      state.isRouted = true
      defer { state.request.body = [] }
      return state.request
    }
  }

  /// The answer, if it has come.
  func takeResponse() -> HTTPResponse? {
    state.withLock { state in
      defer { state.response = nil }
      state.account = state.response?.account
      return state.response
    }
  }

  /// Whether the client has closed its end while it waits; only between `suspend` and a whole `answer`, when the daemon leaves the
  /// socket alone. A client that closes its sending half alone counts as gone, as for InfluxDB.
  var isAbandoned: Bool {
    let stream = state.withLock { $0.stream }
    return stream?.isAbandoned ?? isPeerClosed(connection)
  }

  /// The connection is done with it.
  func close() { state.withLock { $0.stream }?.close() }

  /// Stops the connection until `answer`; only from the daemon's handler.
  func suspend() { unsafe MHD_suspend_connection(OpaquePointer(bitPattern: connection)) }

  /// Gives the answer to a suspended exchange.
  func answer(_ response: HTTPResponse) {
    state.withLock { state in
      state.response = response
      state.stream = response.stream
    }
    unsafe MHD_resume_connection(OpaquePointer(bitPattern: connection))
  }
}

extension HTTPExchange.State {
  /// The body's length as the client states it; 0 where it does not.
  fileprivate var toldByteCount: Int { request.headers["content-length"].flatMap(Int.init) ?? 0 }

  /// Makes room for a body of so many bytes at least: for all of it where its length is known, so that it is not moved as it grows.
  fileprivate mutating func makeRoom(for needed: Int, _ memory: BodyMemory.Account) -> Bool {
    let capacity = request.body.capacity
    if needed <= capacity { return true }
    let wanted = max(needed, toldByteCount, min(capacity * 2, HTTPDaemon.bodyByteCountMax))
    guard memory.hold(wanted) else { return false }
    request.body.reserveCapacity(wanted)
    return true
  }
}

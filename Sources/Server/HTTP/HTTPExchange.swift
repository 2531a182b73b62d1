import CMicroHTTPD
import Storage

/// One request under way in the daemon: gathers the body, waits suspended for its answer, is answered once.
///
/// The daemon's thread owns it until it is suspended; `answer` may then come once from any thread.
@safe final class HTTPExchange: Sendable {
  private struct State {
    var request: HTTPRequest
    var response: HTTPResponse?
    var isRouted = false
    var isTooLarge = false
  }
  private let state: Lock<State>
  /// The daemon's connection, as a number so that it may cross threads; it lives until the exchange is completed.
  private let connection: UInt

  init(connection: OpaquePointer, request: HTTPRequest) {
    self.connection = UInt(bitPattern: connection)
    state = Lock(State(request: request))
  }

  /// Takes a piece of the body in, up to `byteCountMax` in all.
  func append(_ bytes: UnsafeRawBufferPointer, byteCountMax: Int) {
    state.withLock { state in
      if state.request.body.count + bytes.count > byteCountMax {
        state.isTooLarge = true
        state.request.body = []
      } else if !state.isTooLarge {
        unsafe state.request.body.append(contentsOf: bytes)
      }
    }
  }

  var isTooLarge: Bool { state.withLock { $0.isTooLarge } }

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
      return state.response
    }
  }

  /// Stops the connection until `answer`; only from the daemon's handler.
  func suspend() { unsafe MHD_suspend_connection(OpaquePointer(bitPattern: connection)) }

  /// Gives the answer to a suspended exchange.
  func answer(_ response: HTTPResponse) {
    state.withLock { $0.response = response }
    unsafe MHD_resume_connection(OpaquePointer(bitPattern: connection))
  }
}

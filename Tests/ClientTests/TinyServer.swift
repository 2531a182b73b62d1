import Glibc
import Synchronization

/// An HTTP server of one thread that answers what a closure says; counts its connections.
final class TinyServer: Sendable {
  let url: String
  private let listener: Int32
  private let state = Mutex((connections: 0, requests: [String]()))
  private let answer: @Sendable (String) -> String

  /// - Parameter answer: gets head and body of a request as one text, gives the whole answer.
  init(_ answer: @escaping @Sendable (String) -> String) {
    self.answer = answer
    let (descriptor, port) = Self.listen()
    listener = descriptor
    url = "http://127.0.0.1:\(port)"
    var thread = pthread_t()
    let context = Unmanaged.passRetained(self).toOpaque()
    pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<TinyServer>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context)
    pthread_detach(thread)
  }

  /// A socket on a free port.
  private static func listen() -> (descriptor: Int32, port: UInt16) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        _ = bind(descriptor, pointer, length)
        _ = getsockname(descriptor, pointer, &length)
      }
    }
    Glibc.listen(descriptor, 8)
    return (descriptor, UInt16(bigEndian: address.sin_port))
  }

  var connectionCount: Int { state.withLock { $0.connections } }
  var requests: [String] { state.withLock { $0.requests } }

  /// Ends the thread once its connection is closed.
  func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

  private func run() {
    while true {
      let connection = accept(listener, nil, nil)
      if connection < 0 { break }
      state.withLock { $0.connections += 1 }
      serve(connection)
      close(connection)
    }
    close(listener)
  }

  private func serve(_ connection: Int32) {
    var pending: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let text = String(decoding: pending, as: UTF8.self)
      if let head = text.firstRange(of: "\r\n\r\n") {
        let length =
          text[..<head.lowerBound].split(separator: "\r\n")
          .first { $0.lowercased().hasPrefix("content-length:") }
          .flatMap { Int($0.dropFirst(15).filter(\.isNumber)) } ?? 0
        let headCount = text[..<head.upperBound].utf8.count
        if pending.count >= headCount + length {
          state.withLock { $0.requests.append(text) }
          pending.removeFirst(headCount + length)
          let bytes = Array(answer(text).utf8)
          if bytes.isEmpty { return }
          _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
          continue
        }
      }
      let count = read(connection, &piece, piece.count)
      if count <= 0 { return }
      pending += piece[..<count]
    }
  }
}

/// A whole answer.
func answer(_ status: String, _ body: String, _ headers: String = "") -> String {
  "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
}

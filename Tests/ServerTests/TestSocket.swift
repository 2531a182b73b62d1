import Glibc

/// A blocking client socket; every call ends within its time limit.
final class TestSocket {
  struct Failure: Error, CustomStringConvertible {
    var description: String
    init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
  }

  private var descriptor: Int32
  /// Received, not yet given out.
  private var received: [UInt8] = []

  /// Connects to "127.0.0.1:8094".
  ///
  /// - Parameter receiveByteCount: what the system holds for who does not read, about; else it grows to megabytes.
  init(_ address: String, isDatagram: Bool = false, timeoutSeconds: Int = 20, receiveByteCount: Int32? = nil) throws {
    let parts = address.split(separator: ":")
    guard parts.count == 2, let port = UInt16(parts[1]) else { throw Failure("address \(address)") }
    let kind = isDatagram ? SOCK_DGRAM : SOCK_STREAM
    descriptor = socket(AF_INET, Int32(kind.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("socket") }
    var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    if var size = receiveByteCount {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var peer = sockaddr_in()
    peer.sin_family = sa_family_t(AF_INET)
    peer.sin_port = port.bigEndian
    inet_pton(AF_INET, String(parts[0]), &peer.sin_addr)
    let status = withUnsafePointer(to: &peer) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      let failure = Failure("connect \(address)")
      close()
      throw failure
    }
  }

  deinit { close() }

  func close() {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    descriptor = -1
  }

  /// Ends the connection so that the peer sees a reset.
  func reset() {
    var option = linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    close()
  }

  /// Says that nothing more is sent.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    repeat {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Failure("send")
      }
      sent += count
    } while sent < bytes.count
  }

  /// Sends as much as the system takes without waiting; the bytes that it took.
  func sendWithoutWaiting(_ bytes: [UInt8]) -> Int {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      }
      if count < 0 { break }
      sent += count
    }
    return sent
  }

  /// The next line without its newline; `nil` at the end.
  func readLine() throws -> String? {
    while true {
      if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
        defer { received.removeSubrange(...end) }
        return String(decoding: received[..<end], as: UTF8.self)
      }
      if try receive() == 0 { return nil }
    }
  }

  /// All until the peer closes.
  func readToEnd() throws -> [UInt8] {
    while try receive() > 0 {}
    defer { received = [] }
    return received
  }

  /// Reads until the peer closes, and keeps nothing.
  func discardToEnd() throws {
    while try receive() > 0 { received = [] }
  }

  /// Whether something, or the end, can be read within the time.
  func isReadable(withinMilliseconds limit: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return !received.isEmpty || poll(&wanted, 1, limit) > 0
  }

  private func receive() throws -> Int {
    var piece = [UInt8](repeating: 0, count: 65_536)
    let count = read(descriptor, &piece, piece.count)
    guard count >= 0 else { throw Failure("read") }
    received += piece[..<count]
    return count
  }
}

extension TestSocket {
  /// The answer to a token: its `reject` lines and the line that ends it.
  func answer() throws -> (rejects: [String], last: String) {
    var rejects: [String] = []
    while let line = try readLine() {
      guard line.hasPrefix("reject ") else { return (rejects, line) }
      rejects.append(line)
    }
    return (rejects, "")
  }

  /// Asks for an acknowledgement and returns its last line.
  func acknowledge(_ token: String) throws -> String {
    try send("# ack \(token)\n")
    return try answer().last
  }
}

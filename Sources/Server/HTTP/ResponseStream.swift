import CMicroHTTPD
import Glibc
import Storage

/// The body of an answer that is sent while it is made: from the worker that makes it to the daemon that sends it, with at most so
/// many bytes between them.
@safe final class ResponseStream: Sendable {
  /// Bytes that wait to be sent; then the worker does.
  static let byteCountMax = 512 << 10
  /// How often who waits for room looks up.
  private static let wait: Duration = .milliseconds(5)

  /// The client is gone.
  struct Gone: Error {}

  private enum End { case open, whole, cut }
  private struct State {
    var pieces: [[UInt8]] = []
    /// Of the first piece: bytes sent.
    var sentCount = 0
    var byteCount = 0
    var end = End.open
    var isClosed = false
    /// The daemon's connection waits for bytes; as a number so that it may cross threads.
    var suspended: UInt = 0
  }
  private let state = Monitor(State())
  private let hasRoom = Condition()

  // MARK: The worker

  /// Hands on bytes, and waits where too many are on the way already until `isOver`; `false` if that came first.
  func write(_ bytes: [UInt8], isOver: () -> Bool) throws(Gone) -> Bool {
    while true {
      let isTaken = try state.withLock(
        on: hasRoom, for: Self.wait, when: { $0.isClosed || $0.byteCount < Self.byteCountMax }
      ) { state throws(Gone) in
        if state.isClosed { throw Gone() }
        guard state.byteCount < Self.byteCountMax else { return false }
        Self.append(bytes, to: &state)
        return true
      }
      if isTaken { return true }
      if isOver() { return false }
    }
  }

  /// Hands on the last bytes, of which there are few, whether there is room or not.
  ///
  /// - Parameter isWhole: else the connection is cut behind them, so that no client takes the answer for one.
  func finish(_ bytes: [UInt8], isWhole: Bool) {
    state.withLock { state in
      state.end = isWhole ? .whole : .cut
      Self.append(bytes, to: &state)
    }
  }

  private static func append(_ bytes: [UInt8], to state: inout State) {
    if !bytes.isEmpty { state.pieces.append(bytes) }
    state.byteCount += bytes.count
    guard state.suspended != 0 else { return }
    // Suspended, the connection lives until it is resumed.
    unsafe MHD_resume_connection(OpaquePointer(bitPattern: state.suspended))
    state.suspended = 0
  }

  /// Whether nobody takes more: the client closed its end, or the connection is done for.
  var isAbandoned: Bool {
    state.withLock { state in
      if state.isClosed { return true }
      return state.suspended != 0 && isPeerClosed(state.suspended)
    }
  }

  /// Whether the worker would have to wait.
  var isFull: Bool { state.withLock { $0.byteCount >= Self.byteCountMax } }

  // MARK: The daemon

  /// The next bytes, as many as there is room for; none are there yet: the connection is suspended until there are.
  func read(into target: UnsafeMutableRawBufferPointer, connection: UInt) -> Int {
    let count = state.withLock { state -> Int in
      guard let first = state.pieces.first else {
        switch state.end {
        case .whole: return Int(MHD_CONTENT_READER_END_OF_STREAM)
        case .cut: return Int(MHD_CONTENT_READER_END_WITH_ERROR)
        case .open:
          state.suspended = connection
          unsafe MHD_suspend_connection(OpaquePointer(bitPattern: connection))
          return 0
        }
      }
      let count = min(target.count, first.count - state.sentCount)
      unsafe first.withUnsafeBytes { bytes in
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.sentCount..<state.sentCount + count]))
      }
      state.sentCount += count
      state.byteCount -= count
      if state.sentCount == first.count {
        state.pieces.removeFirst()
        state.sentCount = 0
      }
      return count
    }
    if count > 0 { hasRoom.notifyAll() }
    return count
  }

  /// The connection is done with it.
  func close() {
    state.withLock { state in
      state.isClosed = true
      state.pieces = []
      state.suspended = 0
    }
    hasRoom.notifyAll()
  }
}

/// Linux's `POLLRDHUP`, which Glibc's module leaves out.
private let peerHasClosed: Int16 = 0x2000

/// Whether the client of a suspended connection has closed its end.
func isPeerClosed(_ connection: UInt) -> Bool {
  let socket = unsafe CMicroHTTPD_socket(OpaquePointer(bitPattern: connection))
  guard socket >= 0 else { return false }
  var entry = pollfd(fd: socket, events: peerHasClosed, revents: 0)
  return unsafe poll(&entry, 1, 0) > 0
}

import Glibc
import Storage

/// The reader of standard output went away: the command ends quietly.
package struct BrokenPipe: Error {}

/// Standard output: bytes, gathered into large writes.
package final class Output: Sendable {
  /// The only one.
  package static let standard = Output()
  private let gathered = Lock<[UInt8]>([])
  private static let byteCountMax = 1 << 16

  /// Whether a person reads it.
  package var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

  package func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Appends bytes; written once they are many, and by `flush`.
  package func write(_ bytes: [UInt8]) throws {
    try gathered.withLock { gathered in
      gathered.append(contentsOf: bytes)
      if gathered.count >= Self.byteCountMax { try Self.drain(&gathered) }
    }
  }

  /// Writes what is gathered.
  package func flush() throws { try gathered.withLock { try Self.drain(&$0) } }

  private static func drain(_ gathered: inout [UInt8]) throws {
    defer { gathered.removeAll(keepingCapacity: true) }
    try unsafe gathered.withUnsafeBytes { bytes in
      try unsafe writeAll(bytes, to: STDOUT_FILENO, name: "standard output")
    }
  }
}

/// Writes all bytes to a descriptor.
///
/// - Throws: `BrokenPipe` where nobody reads; `CommandFailure` that names the file else.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, name: String) throws {
  var offset = 0
  while offset < bytes.count {
    // `offset` is below the count, so the address lies inside the bytes.
    let count = unsafe Glibc.write(
      descriptor, bytes.baseAddress.map { unsafe $0 + offset }, bytes.count - offset)
    let code = errno
    if count >= 0 {
      offset += count
    } else if code == EPIPE || code == ECONNRESET {
      throw BrokenPipe()
    } else if code != EINTR {
      throw CommandFailure("cannot write to \(name): \(systemErrorText(code))")
    }
  }
}

/// Writes bytes into a file, which is made if it is not there.
///
/// - Parameters:
///   - mode: `O_TRUNC` in place of what it has, `O_APPEND` behind it.
///   - rights: of a file that is made.
func writeFile(_ bytes: [UInt8], to path: String, mode: Int32 = O_TRUNC, rights: mode_t = 0o644) throws {
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC | mode, rights)
  guard descriptor >= 0 else { throw CommandFailure("cannot write \(path): \(systemErrorText(errno))") }
  defer { close(descriptor) }
  try unsafe bytes.withUnsafeBytes { try unsafe writeAll($0, to: descriptor, name: path) }
}

/// One line on standard error; where that cannot be written there is nobody to tell.
package func printError(_ text: String) {
  let line = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
  _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// The system's words for an `errno`.
package func systemErrorText(_ code: Int32) -> String {
  var buffer = [CChar](repeating: 0, count: 256)
  // The thread-safe form; the buffer is ours, and its last byte stays zero.
  guard unsafe strerror_r(code, &buffer, buffer.count - 1) == 0 else { return "error \(code)" }
  return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// All bytes of a file; `-` is standard input.
package func readWholeFile(_ path: String) throws -> [UInt8] {
  let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw CommandFailure("cannot open \(path): \(systemErrorText(errno))") }
  defer { if path != "-" { close(descriptor) } }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe read(descriptor, &piece, piece.count)
    let code = errno
    if count == 0 { return bytes }
    if count > 0 {
      bytes.append(contentsOf: piece[..<count])
    } else if code != EINTR {
      throw CommandFailure("cannot read \(path): \(systemErrorText(code))")
    }
  }
}

/// Nanoseconds since 1970, by the machine's clock.
package func wallNanoseconds() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Seconds of a clock that never jumps.
package func monotonicSeconds() -> Double {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

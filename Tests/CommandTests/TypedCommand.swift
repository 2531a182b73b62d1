import Glibc
import TestSupport
import Testing
import varve

/// A command on a terminal of its own, to which a test types.
final class TypedCommand {
  private let terminal: Int32
  private let process: ChildProcess
  /// Whose folder it works in.
  private let command: BuiltCommand
  /// All that it showed so far and no test has waited for.
  private(set) var shown: [UInt8] = []

  /// Starts a line of shell in a command's folder on a terminal of some columns.
  init(_ line: String, of command: BuiltCommand, columnCount: UInt16 = 100) throws {
    self.command = command
    terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    // TIOCSPTLCK and TIOCGPTN, macros that are not brought in: unlock the other end, and tell its number.
    var (lock, number) = (Int32(0), UInt32(0))
    var size = winsize(ws_row: 30, ws_col: columnCount, ws_xpixel: 0, ws_ypixel: 0)
    guard terminal >= 0, ioctl(terminal, 0x4004_5431, &lock) == 0, ioctl(terminal, 0x8004_5430, &number) == 0,
      ioctl(terminal, UInt(TIOCSWINSZ), &size) == 0
    else { throw CommandFailure("no terminal") }
    process = try command.start(line, terminal: "/dev/pts/\(number)")
  }

  deinit {
    process.kill()
    close(terminal)
  }

  func type(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(write(terminal, bytes, bytes.count) == bytes.count)
  }

  /// Waits until a text is shown, up to 30 s; what was shown before it and with it.
  @discardableResult
  func wait(for text: String, _ location: SourceLocation = #_sourceLocation) -> String {
    for _ in 0..<300 {
      if let end = find(text) {
        defer { shown.removeFirst(end) }
        return String(decoding: shown[..<end], as: UTF8.self)
      }
      guard readMore() else { break }
    }
    Issue.record("no \(text) in: \(String(decoding: shown, as: UTF8.self))", sourceLocation: location)
    return ""
  }

  /// Waits until it ends; its status.
  func end() -> Int32 {
    while readMore(forever: true) {}
    return process.wait()
  }

  private func find(_ text: String) -> Int? {
    let wanted = Array(text.utf8)
    guard shown.count >= wanted.count else { return nil }
    return (0...shown.count - wanted.count).first { shown[$0..<$0 + wanted.count].elementsEqual(wanted) }
      .map { $0 + wanted.count }
  }

  /// Reads what comes within 100 ms; `false` where the command has left the terminal.
  private func readMore(forever: Bool = false) -> Bool {
    var wait = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    guard poll(&wait, 1, forever ? 30_000 : 100) > 0 else { return !forever }
    var piece = [UInt8](repeating: 0, count: 4096)
    let count = read(terminal, &piece, piece.count)
    guard count > 0 else { return false }
    shown += piece[..<count]
    return true
  }
}

import CLineEditor
import Glibc

/// Gives the lines that a person types, edited and with a history; or those of standard input as they come, where it is no terminal.
/// Belongs to one thread.
@safe final class LineEditor {
  enum Input: Equatable {
    case line(String)
    /// Ctrl-D, or the end of standard input.
    case end
    /// Ctrl-C: what was typed is thrown away.
    case interrupted
  }
  /// What Tab does: puts `text` in place of some characters before the cursor, and lists what else would fit.
  struct Completion: Equatable {
    var replacedCount = 0
    var text = ""
    var choices: [String] = []
  }

  /// Whether a person types.
  let isInteractive: Bool
  /// Answers the line up to the cursor.
  var complete: (String) -> Completion = { _ in Completion() }
  private var editor: OpaquePointer?
  private var unread: [UInt8] = []
  private var isAtEnd = false
  private static let historyCountMax = 2_000

  /// - Parameter complain: is told where the terminal's lines cannot be edited, and why.
  init(complain: (String) -> Void) {
    isInteractive = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
    guard isInteractive else { return }
    var error = [CChar](repeating: 0, count: 256)
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe editor = CLineEditor_open(
      "varve", Self.historyCountMax, completeTypedLine, context, &error, error.count)
    if unsafe editor == nil {
      let reason = String(decoding: error.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      complain("lines are not edited: that needs libedit (apt install libedit2): \(reason)")
    }
  }

  deinit { if let editor = unsafe editor { unsafe CLineEditor_close(editor) } }

  /// Reads the next line, without its newline.
  func read(prompt: String) throws -> Input {
    guard let editor = unsafe editor else { return try readPlain(prompt: prompt) }
    var (text, count) = unsafe (nil as UnsafePointer<CChar>?, 0)
    switch unsafe CLineEditor_read(editor, prompt, &text, &count) {
    case CLineEditor_line:
      // The text lives until the next call.
      let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
      return .line(unsafe String(decoding: bytes, as: UTF8.self))
    case CLineEditor_interrupted: return .interrupted
    default: return .end
    }
  }

  /// While `body` runs Ctrl-C is a signal.
  func withSignals<Value>(_ body: () throws -> Value) rethrows -> Value {
    if unsafe editor == nil { return try body() }
    CLineEditor_setSignals(true)
    defer { CLineEditor_setSignals(false) }
    return try body()
  }

  /// Adds to the history that the arrow keys walk.
  func remember(_ line: String) {
    if let editor = unsafe editor { unsafe CLineEditor_remember(editor, line) }
  }

  private func readPlain(prompt: String) throws -> Input {
    if isInteractive {
      try Output.standard.write(prompt)
      try Output.standard.flush()
    }
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      if let end = endOfLine {
        defer { unread.removeFirst(end + 1) }
        return .line(String(decoding: unread[..<end].trimmingReturn, as: UTF8.self))
      }
      let count = unsafe Glibc.read(STDIN_FILENO, &piece, piece.count)
      let code = errno
      if count < 0, code != EINTR {
        throw CommandFailure("cannot read standard input: \(systemErrorText(code))")
      }
      if count == 0, !isAtEnd {
        isAtEnd = true
        continue
      }
      if count == 0 {
        defer { unread = [] }
        return unread.isEmpty ? .end : .line(String(decoding: unread[...].trimmingReturn, as: UTF8.self))
      }
      if count > 0 { unread += piece[..<count] }
    }
  }

  /// The newline that ends the first line that was read and what it goes on with: in a script a line that begins with a blank continues the one before.
  /// `nil` where more must be read to tell.
  private var endOfLine: Int? {
    var start = 0
    while let end = unread[start...].firstIndex(of: 0x0a) {
      if isInteractive { return end }
      guard end + 1 < unread.count else { return isAtEnd ? end : nil }
      guard unread[end + 1] == UInt8(ascii: " ") || unread[end + 1] == UInt8(ascii: "\t") else { return end }
      start = end + 1
    }
    return nil
  }

  /// Called by libedit's binding of Tab.
  fileprivate func completeLine(_ editor: OpaquePointer, _ line: UnsafeRawBufferPointer, cursor: Int) {
    let completion = complete(unsafe String(decoding: line.prefix(cursor), as: UTF8.self))
    if completion.replacedCount > 0 || !completion.text.isEmpty {
      unsafe CLineEditor_replace(editor, Int32(completion.replacedCount), completion.text)
    }
    if !completion.choices.isEmpty { unsafe CLineEditor_show(editor, columns(completion.choices)) }
  }

  /// Words side by side, as many as the terminal is wide.
  private func columns(_ words: [String]) -> String {
    let width = (words.map(\.count).max() ?? 0) + 2
    let perLine = max(1, (TerminalSize.current?.columnCount ?? 80) / width)
    return stride(from: 0, to: words.count, by: perLine).map { start in
      words[start..<min(start + perLine, words.count)].map { $0.padded(to: width) }.joined().trimmingEnd
    }.joined(separator: "\n")
  }
}

private func completeTypedLine(
  _ editor: OpaquePointer?, _ context: UnsafeMutableRawPointer?, _ line: UnsafePointer<CChar>?, _ count: Int,
  _ cursor: Int
) {
  guard let editor = unsafe editor, let context = unsafe context else { return }
  // The context is what `init` gave: the owner of the editor, which closes it before it goes.
  let owner = unsafe Unmanaged<LineEditor>.fromOpaque(context).takeUnretainedValue()
  unsafe owner.completeLine(editor, UnsafeRawBufferPointer(start: line, count: count), cursor: cursor)
}

extension ArraySlice<UInt8> {
  /// Without a carriage return at its end.
  fileprivate var trimmingReturn: ArraySlice<UInt8> { last == 0x0d ? dropLast() : self }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
  fileprivate var trimmingEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}

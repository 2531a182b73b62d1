import Glibc

/// How large the terminal is that standard output goes to.
struct TerminalSize {
  var columnCount: Int
  var rowCount: Int

  /// `nil` where there is none, or it does not say.
  static var current: TerminalSize? {
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    // Some say their width alone.
    return TerminalSize(columnCount: Int(size.ws_col), rowCount: size.ws_row > 0 ? Int(size.ws_row) : 24)
  }
}

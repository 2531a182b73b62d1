import Glibc
import Query

/// Where `--plot` draws: the terminal, or a file.
struct PlotOutput {
  private let path: String
  private let title: String
  private let hasColor: Bool

  /// - Throws: `UsageError` for a kind of picture that is not written.
  init(path: String, title: String) throws {
    if path.hasSuffix(".png") {
      throw UsageError("--plot does not write PNG yet: write FILE.svg, and convert it with rsvg-convert")
    }
    if !path.isEmpty, !path.hasSuffix(".svg") { throw UsageError("--plot writes FILE.svg, not \"\(path)\"") }
    self.path = path
    self.title = title.split { $0.isWhitespace }.joined(separator: " ")
    hasColor = unsafe Output.standard.isTerminal && getenv("NO_COLOR") == nil
  }

  func write(_ answers: [StatementResult]) throws {
    guard let data = PlotData(answers) else {
      printError("varve query: nothing to plot: no number over time in the answer")
      return
    }
    var out: [UInt8] = []
    if path.isEmpty {
      TerminalPlot(data, columnCount: terminalWidth(), hasColor: hasColor).append(to: &out)
      try Output.standard.write(Array("\n".utf8) + out)
      return try Output.standard.flush()
    }
    SVGPlot(data, title: title).append(to: &out)
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw CommandFailure("cannot write \(path): \(systemErrorText(errno))") }
    defer { close(descriptor) }
    try unsafe out.withUnsafeBytes { try unsafe writeAll($0, to: descriptor, name: path) }
  }

  /// Places of the terminal's line, 80 where there is none.
  private func terminalWidth() -> Int {
    var size = winsize()
    guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}

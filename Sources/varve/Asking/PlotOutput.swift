import Glibc
import Query

/// Where `--plot` draws: the terminal, or a file.
struct PlotOutput {
  private let path: String
  private let title: String
  private let hasColor: Bool

  /// - Throws: `UsageError` for a kind of picture that is not written.
  init(path: String, title: String) throws {
    guard path.isEmpty || path.hasSuffix(".svg") || path.hasSuffix(".png") else {
      throw UsageError("--plot writes FILE.svg or FILE.png, not \"\(path)\"")
    }
    self.path = path
    self.title = title.split { $0.isWhitespace }.joined(separator: " ")
    hasColor = unsafe Output.standard.isTerminal && getenv("NO_COLOR") == nil
  }

  /// Draws the numbers over time of the answers; where there are none it says so, in the picture too unless a
  /// statement failed: then the old picture stays.
  func write(_ answers: [StatementResult]) throws {
    let data = PlotData(answers)
    if data == nil { printError("varve query: nothing to plot: no number over time in the answer") }
    if data == nil, path.isEmpty || answers.contains(where: { $0.error != nil }) { return }
    if let data, path.isEmpty {
      var out: [UInt8] = Array("\n".utf8)
      TerminalPlot(data, columnCount: TerminalSize.current?.columnCount ?? 80, hasColor: hasColor).append(to: &out)
      try Output.standard.write(out)
      return try Output.standard.flush()
    }
    // Drawn before the file is opened: what cannot be drawn leaves the old picture.
    try writeFile(picture(data), to: path)
  }

  private func picture(_ data: PlotData?) throws -> [UInt8] {
    var out: [UInt8] = []
    guard path.hasSuffix(".png") else {
      SVGPlot(data, title: title).append(to: &out)
      return out
    }
    do {
      try PNGPlot(data, title: title).append(to: &out)
    } catch .missingLibrary(let reason) {
      throw CommandFailure(
        "cannot draw \(path): PNG needs librsvg (apt install librsvg2-2 fonts-dejavu-core), or write FILE.svg: "
          + reason)
    } catch .failed(let reason) {
      throw CommandFailure("cannot draw \(path): \(reason)")
    }
    return out
  }
}

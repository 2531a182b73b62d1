import Query

/// Writes answers to standard output, and what failed or is worth knowing to standard error.
struct ResultPrinter {
  private var renderer: any ResultRenderer
  private(set) var hasFailed = false
  private var out: [UInt8] = []
  /// What was asked: places of failures are shown in it.
  private let text: String

  init(_ format: ResultFormat, _ options: RenderOptions, of text: String = "") {
    self.text = text
    renderer = format.makeRenderer(options)
    renderer.begin(into: &out)
  }

  mutating func print(_ result: StatementResult) throws {
    renderer.append(result, into: &out)
    try Output.standard.write(out)
    out.removeAll(keepingCapacity: true)
    let notes = result.messages.map { "varve query: \($0.level): \($0.text)" }
    let partial =
      result.isPartial && !result.lacksDamaged
      ? ["varve query: warning: the log is being replayed, the answer lacks what is yet to be replayed"] : []
    if result.error != nil { hasFailed = true }
    for line in notes + partial + failure(result) {
      // Words come after the rows they are about.
      try Output.standard.flush()
      printError(line)
    }
  }

  private func failure(_ result: StatementResult) -> [String] {
    result.error.map { ["varve query: " + described($0, at: result.errorPlace, in: text)] } ?? []
  }

  mutating func finish() throws {
    renderer.finish(into: &out)
    try Output.standard.write(out)
    try Output.standard.flush()
  }
}

import Client
import Glibc
import LineProtocol
import Query
import Storage

/// Reads statements and its own words, and answers them, until the user has had enough. Belongs to one thread.
final class Shell {
  var state: ShellState
  /// Statements of this shell and of earlier ones, oldest first.
  private(set) var past: [String] = []
  private var source: any QuerySource
  private let editor: LineEditor
  private let history: ShellHistory
  private let schema: Schema
  /// Whether a statement failed: the status where nobody types.
  private var hasFailed = false

  init(_ source: any QuerySource, _ state: ShellState, history: ShellHistory) throws {
    (self.source, self.state, self.history) = (source, state, history)
    editor = LineEditor { printError("varve shell: \($0)") }
    // Asked for names that are current, wherever the shell is connected by then.
    let asking = Asking()
    schema = Schema { try asking.ask($0) }
    let completer = Completer(schema: schema, directives: ShellDirective.all.map { $0.names[0] })
    editor.complete = { completer.complete($0) }
    asking.shell = self
    guard editor.isInteractive else { return }
    past = try history.load()
    for line in past { editor.remember(line) }
  }

  /// What the schema asks through: it stands before the shell does.
  private final class Asking {
    weak var shell: Shell?

    func ask(_ text: String) throws -> [StatementResult] {
      guard let shell else { return [] }
      var options = shell.state.options
      (options.time, options.timeZone, options.isPartial) = (nil, "", true)
      var results: [StatementResult] = []
      try shell.source.run(text, options) { results.append($0) }
      return results
    }
  }

  /// Runs until the end of the input.
  ///
  /// - Returns: 0; 1 where nobody types and a statement failed.
  func run() throws -> Int32 {
    if editor.isInteractive {
      try Output.standard.write(
        "varve \(CommandLineTool.version), \(source.name). Type \\? for help, Ctrl-D to leave.\n")
      try Output.standard.flush()
    }
    var text = ""
    while !state.isOver {
      switch try editor.read(prompt: prompt(isFirst: text.isEmpty)) {
      case .end:
        if !text.isEmpty { try take(text) }
        if editor.isInteractive { try Output.standard.write("\n") }
        return editor.isInteractive || !hasFailed ? 0 : 1
      case .interrupted: text = ""
      case .line(let line): text = try take(line, behind: text)
      }
    }
    return editor.isInteractive || !hasFailed ? 0 : 1
  }

  private func prompt(isFirst: Bool) -> String {
    let place = state.options.database + (state.options.policy.map { ".\($0)" } ?? "")
    return isFirst ? "\(place)> " : String(repeating: " ", count: max(0, place.count - 2)) + "...> "
  }

  /// Takes a line behind what is unfinished; what is unfinished now.
  private func take(_ line: String, behind text: String) throws -> String {
    let isBlank = line.allSatisfy(\.isWhitespace)
    if text.isEmpty {
      if isBlank { return "" }
      // A text of one line needs no semicolon; one that goes on ends with it, or with an empty line.
      if try isDirective(line) || !InfluxQLNames.isUnfinished(line) || line.hasSuffix(";") {
        try take(line)
        return ""
      }
      return line
    }
    let all = text + "\n" + line
    guard isBlank || (line.hasSuffix(";") && !InfluxQLNames.isUnfinished(all)) else { return all }
    try take(isBlank ? text : all)
    return ""
  }

  /// Runs a directive or a text; what fails is told, and the shell goes on.
  private func take(_ text: String) throws {
    let flat = text.split { $0.isNewline }.joined(separator: " ")
    if editor.isInteractive, past.last != flat {
      editor.remember(flat)
      past.append(flat)
      do { try history.append(flat) } catch { printError("varve shell: \(error)") }
    }
    do {
      if let (directive, operands) = try ShellDirective.parse(text) {
        try directive.run(self, operands)
      } else {
        try run(text)
      }
      try Output.standard.flush()
    } catch let error as BrokenPipe {
      throw error
    } catch {
      hasFailed = true
      try Output.standard.flush()
      printError("varve shell: \(error)")
    }
  }

  private func isDirective(_ line: String) throws -> Bool {
    do { return try ShellDirective.parse(line) != nil } catch { return true }
  }

  // MARK: Statements

  /// While `body` runs Ctrl-C breaks it off, and no more.
  private func interruptible<Value>(_ body: () throws -> Value) rethrows -> Value {
    try editor.withSignals { try Interrupt.during(body) }
  }

  /// Runs a text and shows its answers. Ctrl-C breaks it off, and no more.
  func run(_ text: String) throws {
    let start = monotonicSeconds()
    let answers = try interruptible {
      do {
        return try print(text)
      } catch let error as QueryParseError {
        throw CommandFailure(error.message + "\n" + caret(under: error, in: text))
      } catch let error as ClientError where error.code == .cancelled {
        throw CommandFailure("interrupted")
      }
    }
    state.lastText = text
    if state.drawsPlot { try PlotOutput(path: "", title: text).write(answers) }
    if state.showsTime {
      let milliseconds = Int((monotonicSeconds() - start) * 1e4)
      let count = answers.reduce(0) { $0 + $1.series.reduce(0) { $0 + $1.rowCount } }
      try Output.standard.write("\(count) rows, \(milliseconds / 10).\(milliseconds % 10) ms\n")
    }
    if InfluxQLNames.changesNames(text) { schema.forget() }
  }

  /// Prints the answers as they come, through the pager where a person reads; gives them back for a chart.
  private func print(_ text: String) throws -> [StatementResult] {
    var answers: [StatementResult] = []
    let body = { [self] in
      var printer = ResultPrinter(state.format, state.rendering, of: text)
      var options = state.options
      options.isInPieces = !state.drawsPlot && !state.showsTime
      try source.run(text, options) { result in
        try printer.print(result)
        if state.drawsPlot || state.showsTime { answers.append(result) }
      }
      try printer.finish()
      if printer.hasFailed { hasFailed = true }
    }
    if editor.isInteractive { try state.pager.during(body) } else { try body() }
    return answers
  }

  /// Draws the last text's answers into a file.
  func plot(into path: String) throws {
    guard !state.lastText.isEmpty else { throw UsageError("there is no statement yet to draw") }
    var answers: [StatementResult] = []
    let plot = try PlotOutput(path: path, title: state.lastText)
    try interruptible { try source.run(state.lastText, state.options) { answers.append($0) } }
    try plot.write(answers)
  }

  /// Runs the last text every so often until Ctrl-C.
  func watch(every text: String) throws {
    guard let period = Quantity.nanoseconds(text), period > 0 else {
      throw UsageError("takes a duration such as 5s, not \"\(text)\"")
    }
    guard !state.lastText.isEmpty else { throw UsageError("there is no statement yet to repeat") }
    let repeated = state.lastText
    while true {
      // Home and clear; where it is no terminal the answers follow each other.
      if Output.standard.isTerminal { try Output.standard.write("\u{1b}[H\u{1b}[2J") }
      try Output.standard.write("every \(text): \(repeated)\n")
      let pager = state.pager.command
      state.pager.command = ""
      defer { state.pager.command = pager }
      try run(repeated)
      try Output.standard.flush()
      let isOver = interruptible {
        let end = monotonicSeconds() + Double(period) * 1e-9
        while monotonicSeconds() < end, !Interrupt.wasPressed { usleep(20_000) }
        return Interrupt.wasPressed
      }
      if isOver { return }
    }
  }

  // MARK: What directives change

  /// Changes what holds for statements; a range or zone that does not hold is told and leaves all as it was.
  func change(_ body: (inout QueryOptions) throws -> Void) throws {
    var options = state.options
    try body(&options)
    _ = try options.timeRange(now: wallNanoseconds())
    state.options = options
  }

  /// `DATABASE` or `DATABASE.POLICY`, each in double quotes where it must be.
  func use(_ text: String) throws {
    let words = LineTokens(text + " ").words.filter { $0 != "." }
    let parts =
      words.count == 1 && !text.hasPrefix("\"")
      ? words[0].split(separator: ".", maxSplits: 1).map(String.init) : words
    guard (1...2).contains(parts.count) else {
      throw UsageError("takes a database: use metrics, use metrics.week")
    }
    guard schema.databases.contains(parts[0]) else {
      let near = nearest(to: parts[0], among: schema.databases).map { "; did you mean \($0)?" } ?? ""
      throw UsageError("there is no database \"\(parts[0])\"\(near)")
    }
    state.options.database = parts[0]
    state.options.policy = parts.count > 1 ? parts[1] : nil
    schema.forget()
  }

  func connect(_ text: String) throws {
    let server = try ServerSource(text.isEmpty ? "http://127.0.0.1:8086" : text)
    try server.client.checkAlive()
    source = server
    schema.forget()
    try Output.standard.write("connected to \(server.name)\n")
  }

  func insert(_ text: String) throws {
    guard let server = source as? ServerSource else {
      throw UsageError("\(source.name) is opened for reading: insert needs a server")
    }
    let words = text.split(maxSplits: 2) { $0.isWhitespace }.map(String.init)
    let hasPolicy = words.count == 3 && words[0].lowercased() == "into"
    var parameters = [(name: "db", value: state.options.database)]
    if let policy = hasPolicy ? words[1] : state.options.policy { parameters.append(("rp", policy)) }
    try server.client.write(hasPolicy ? words[2] : text, parameters)
    schema.forget()
  }

  func showSettings() throws {
    var report = Report("settings", columns: ["setting", "value"])
    for (name, value) in state.descriptions { report.append([.text(name), .text(value)]) }
    try report.print(state.format.rawValue)
  }

  func clear(_ text: String) throws {
    switch text.lowercased() {
    case "": if editor.isInteractive { try Output.standard.write("\u{1b}[H\u{1b}[2J") }
    case "database", "db": state.options.database = ""
    case "retention policy", "rp": state.options.policy = nil
    default: throw UsageError("clears the screen, the database or the retention policy, not \"\(text)\"")
    }
  }

  func help(_ word: String) throws {
    let wanted =
      word.isEmpty
      ? ShellDirective.all : ShellDirective.all.filter { $0.names.contains(word.filter { $0 != "\\" }) }
    guard !wanted.isEmpty else { throw UsageError("there is no \"\(word)\"; \\? lists what there is") }
    let heads = wanted.map { "\\\($0.names.joined(separator: ", \\")) \($0.operands)" }
    let width = min(heads.map(\.count).max() ?? 0, 34)
    var text =
      word.isEmpty
      ? "A statement of InfluxQL runs at Enter; one that is not whole goes on to a \";\" or an empty line.\n\n"
      : ""
    for (head, directive) in zip(heads, wanted) {
      text += "  \(head)\(String(repeating: " ", count: max(1, width - head.count + 2)))\(directive.help)\n"
    }
    if word.isEmpty {
      text +=
        "\nTab completes words and names; the arrow keys and Ctrl-R find earlier statements; Ctrl-C stops what runs.\n"
    }
    try Output.standard.write(text)
  }
}

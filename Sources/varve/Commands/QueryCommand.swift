import Client
import Glibc
import LineProtocol
import Query
import Storage

/// `varve query`.
package let queryCommand = Subcommand(
  name: "query",
  summary: "Run InfluxQL on a server, a data directory, or a file of line protocol",
  operands: "['InfluxQL']",
  operandCountMax: 1,
  flags: [
    Flag("file", .string, "FILE", help: "read the statements from a file; - is standard input"),
    CommonFlags.database,
    CommonFlags.policy,
    CommonFlags.format,
    CommonFlags.precision,
    CommonFlags.time,
    CommonFlags.timeZone,
    Flag(
      "param", .string, "NAME=VALUE", isRepeatable: true,
      help:
        "what $NAME stands for in the statements: a number, a boolean, a string, or {\"regex\":…}, {\"duration\":…}, {\"identifier\":…}"
    ),
    Flag(
      "plot", .optional(endings: [".svg", ".png"]), "FILE.svg|FILE.png",
      help:
        "draw the numbers over time: in the terminal, or as a picture (PNG: 1920 pixels wide, by librsvg2-2)"),
    Flag("follow", .toggle, help: "go on with what is new, each second, until Ctrl-C"),
    Flag(
      "sparklines", .toggle,
      help:
        "a row a line of the chart in place of the rows: least, mean, greatest and last value, and its course in small"
    ),
    Flag("partial", .toggle, help: "do not wait for a server that replays its log: answer from what it has"),
    Flag(
      "strict", .toggle, help: "fail where an answer would lack what is damaged, in place of a partial one"),
    CommonFlags.server,
    CommonFlags.data,
    CommonFlags.from,
  ],
  examples: [
    (
      "varve query --from Fixtures/sample.lp 'SELECT mean(usage_user) FROM cpu GROUP BY host'",
      "the mean of a field by host, straight from a file"
    ),
    (
      "varve query --from Fixtures/sample.lp --format csv 'SHOW MEASUREMENTS'",
      "what is in a file, for another program"
    ),
    (
      "varve query --from Fixtures/sample.lp --plot 'SELECT mean(usage_user) FROM cpu GROUP BY time(10m), host'",
      "a chart in the terminal, a line a host"
    ),
    (
      "varve query --from Fixtures/sample.lp --time 2026-01-01 --sparklines 'SELECT usage_user FROM cpu GROUP BY host'",
      "each host's day in one line"
    ),
    (
      "varve query --from Fixtures/sample.lp --plot load.png 'SELECT max(load1) FROM cpu GROUP BY time(10m), host'",
      "the same as a picture, for a report"
    ),
  ],
  run: { arguments in try QueryCommand(arguments).run() })

/// What one `varve query` does.
struct QueryCommand {
  private let arguments: Arguments
  private let text: String
  private let format: ResultFormat
  private let options: RenderOptions
  private let queryOptions: QueryOptions

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    text = try Self.statements(arguments)
    let usual: ResultFormat = Output.standard.isTerminal ? .table : .csv
    format = arguments.string("format").flatMap(ResultFormat.init) ?? usual
    options = RenderOptions(precision: arguments.string("precision").flatMap(Precision.init))
    queryOptions = try QueryOptions(arguments)
  }

  /// From the argument, `--file`, or standard input.
  private static func statements(_ arguments: Arguments) throws -> String {
    if let text = arguments.operands.first, text != "-" {
      if arguments.isGiven("file") {
        throw UsageError("--file and statements on the command line exclude each other")
      }
      return text
    }
    if arguments.operands.isEmpty, !arguments.isGiven("file"), isatty(STDIN_FILENO) == 1 {
      throw UsageError("no statement: give one as an argument, in --file, or on standard input")
    }
    return String(decoding: try readWholeFile(arguments.string("file") ?? "-"), as: UTF8.self)
  }

  func run() throws -> Int32 {
    let source = try openSource(arguments)
    if arguments.isOn("follow") { return try follow(source) }
    if arguments.isOn("sparklines") { return try runSparklines(source) }
    // A chart needs all answers at once.
    var answers: [StatementResult] = []
    let plot = try arguments.isGiven("plot") ? PlotOutput(path: arguments.text("plot"), title: text) : nil
    var printer = ResultPrinter(format, options, of: text)
    try ask(source, inPieces: plot == nil) { result in
      try printer.print(result)
      if plot != nil { answers.append(result) }
    }
    try printer.finish()
    try plot?.write(answers)
    return printer.hasFailed ? 1 : 0
  }

  private func ask(
    _ source: any QuerySource, inPieces: Bool = false, emit: (StatementResult) throws -> Void
  ) throws {
    var options = queryOptions
    options.isInPieces = inPieces
    do {
      try source.run(text, options, emit: emit)
    } catch let error as QueryParseError {
      throw CommandFailure(error.message + "\n" + caret(under: error, in: text))
    }
  }

  /// Gives what is new, a second after a second, until Ctrl-C or until nobody reads.
  private func follow(_ source: any QuerySource) throws -> Int32 {
    if arguments.isGiven("plot") || arguments.isOn("sparklines") {
      throw UsageError("--follow does not draw")
    }
    if arguments.isWritten("data") || arguments.isGiven("from") {
      throw UsageError("--follow needs a server: files do not grow")
    }
    var follower = try Follower(text, queryOptions, now: wallNanoseconds())
    var printer = ResultPrinter(format, options, of: text)
    var isFirst = true
    while true {
      try follower.round(source, now: wallNanoseconds()) { result in
        var result = result
        // One answer that goes on.
        if !isFirst, result.continuation == .begins { result.continuation = .nextSeries }
        guard result.series.contains(where: { $0.rowCount > 0 }) || result.error != nil else { return }
        result.hasMore = true
        isFirst = false
        try printer.print(result)
      }
      try Output.standard.flush()
      if printer.hasFailed { return 1 }
      usleep(1_000_000)
    }
  }

  private func runSparklines(_ source: any QuerySource) throws -> Int32 {
    var answers: [StatementResult] = []
    try ask(source) { answers.append($0) }
    for answer in answers {
      if let error = answer.error { printError("varve query: " + described(error, at: answer.errorPlace, in: text)) }
    }
    if let data = PlotData(answers) {
      var report = Report("", columns: ["line", "count", "min", "mean", "max", "last", "course"])
      for line in data.lines {
        let summary = Sparkline.summary(of: line, in: data)
        report.append([
          .text(line.label), .integer(summary.count), .number(summary.min), .number(summary.mean),
          .number(summary.max),
          .number(summary.last), .text(summary.text),
        ])
      }
      try report.print(format.rawValue)
      if data.omittedCount > 0 { printError("varve query: \(data.omittedCount) more lines are not shown") }
    }
    return answers.contains { $0.error != nil } ? 1 : 0
  }
}

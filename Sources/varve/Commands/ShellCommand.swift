import LineProtocol
import Query

/// `varve shell`.
package let shellCommand = Subcommand(
  name: "shell",
  summary: "Ask one question after another: history, completion, charts",
  flags: [
    CommonFlags.database,
    CommonFlags.policy,
    CommonFlags.format,
    CommonFlags.precision,
    CommonFlags.time,
    CommonFlags.timeZone,
    CommonFlags.server,
    CommonFlags.data,
    CommonFlags.from,
  ],
  examples: [
    ("varve shell", "asks the server on this machine"),
    (
      "varve shell --from Fixtures/sample.lp --time 2026-01-01 --tz local", "asks a file, of one day's points"
    ),
    ("echo 'SHOW MEASUREMENTS' | varve shell --from Fixtures/sample.lp", "runs what standard input says"),
  ],
  run: { arguments in
    let source = try openSource(arguments)
    let usual: ResultFormat = Output.standard.isTerminal ? .table : .csv
    let state = ShellState(
      options: try QueryOptions(arguments),
      format: arguments.string("format").flatMap(ResultFormat.init) ?? usual,
      rendering: RenderOptions(precision: arguments.string("precision").flatMap(Precision.init)),
      pager: Pager(environment: environmentText))
    // A server that is not there is told before anything is typed.
    if let server = source as? ServerSource { try server.client.checkAlive() }
    return try Shell(source, state, history: ShellHistory(environment: environmentText)).run()
  })

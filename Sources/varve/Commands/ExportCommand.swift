import Client
import Glibc
import Query
import Storage

/// `varve export`.
package let exportCommand = Subcommand(
  name: "export",
  summary: "Write points out of a server or a data directory, in a form that comes back in exactly",
  flags: [
    CommonFlags.database,
    Flag(
      "policy", .string, "NAME",
      help: "the retention policy; without it the default one, of the format influx all"),
    Flag("measurement", .string, "NAME", isRepeatable: true, help: "only this one"),
    Flag("where", .string, "CONDITION", help: "only points that satisfy it: \"host = 'a' AND usage > 5\""),
    Flag("start", .string, "TIME", help: "only from then on: 2026-11-20, -1h, yesterday 14:00"),
    Flag("end", .string, "TIME", help: "only before then"),
    CommonFlags.timeZone,
    Flag(
      "format", .choice(ExportFormat.allCases.map(\.rawValue)), "FORMAT", default: "line",
      help: "of the points; sst is a tar of tables"),
    Flag(
      "output", .string, "FILE", default: "-",
      help: "where they go; FILE.gz is compressed, - is standard output"),
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    (
      "varve export --measurement cpu --start 2026-01-01 --output cpu.lp.gz",
      "one measurement from a day on, compressed"
    ),
    ("varve export --where \"host = 'alder'\" --format csv", "one host's points for another program"),
    ("varve export --format influx --output metrics.influx", "a database as InfluxDB's import takes it"),
    ("varve export --format sst --output metrics.tar", "as tables, many times smaller than text"),
    ("varve import --database copy metrics.tar", "which come in again, and are asked with query --from"),
  ],
  run: { arguments in
    if arguments.text("format") == ExportFormat.sst.rawValue, arguments.text("output") == "-",
      Output.standard.isTerminal
    {
      throw UsageError("a tar is nothing for a terminal: --output FILE.tar, or a pipe")
    }
    let output = try OutputFile(arguments.text("output"))
    let summary: ExportSummary
    do {
      summary = try Interrupt.during {
        if try arguments.usesDirectory() { return try exportDirectory(arguments, to: output) }
        return try exportServer(arguments, to: output)
      }
    } catch let error as ClientError where error.code == .cancelled {
      throw Interrupted()
    } catch let error as QueryFailure where error == .interrupted {
      throw Interrupted()
    } catch let error as QueryParseError {
      throw CommandFailure(error.message + "\n" + caret(under: error, in: arguments.text("where")))
    }
    try output.finish()
    if summary.unwritableCount > 0 {
      printError(
        "varve export: \(summary.unwritableCount) points have names that line protocol cannot write, and are not in it; --format csv or jsonl has them"
      )
    }
    if summary.pointCount > 0 { printError("\(summary.pointCount) points exported") }
    return summary.unwritableCount > 0 ? 1 : 0
  })

private func exportDirectory(_ arguments: Arguments, to output: OutputFile) throws -> ExportSummary {
  var options = StoreOptions()
  options.isReadOnly = true
  let store = try Store.open(directory: arguments.text("data"), options: options)
  guard let format = ExportFormat(rawValue: arguments.text("format")) else {
    throw UsageError("no such format")
  }
  var request = ExportRequest(database: arguments.text("database"), format: format, now: wallNanoseconds())
  request.policy = arguments.string("policy")
  request.measurements = arguments.strings("measurement")
  request.condition = arguments.string("where")
  request.timeZone = try QueryOptions.timeZone(arguments.string("tz") ?? "")
  request.isCancelled = { Interrupt.wasPressed }
  do {
    request.times = try TimeRange(
      from: arguments.string("start"), to: arguments.string("end"), now: request.now, zone: request.timeZone)
  } catch {
    throw UsageError("\(error)")
  }
  return try QueryEngine(store: store, isBounded: false).export(request) { piece in
    try unsafe piece.withUnsafeBytes { try unsafe output.write($0) }
  }
}

private func exportServer(_ arguments: Arguments, to output: OutputFile) throws -> ExportSummary {
  let client = try HTTPClient(arguments.text("server"))
  client.isCancelled = { Interrupt.wasPressed }
  var parameters = [(name: "db", value: arguments.text("database")), ("format", arguments.text("format"))]
  for (flag, name) in [("policy", "rp"), ("where", "where"), ("start", "start"), ("end", "end")] {
    if let value = arguments.string(flag) { parameters.append((name, value)) }
  }
  let zone = try QueryOptions.timeZone(arguments.string("tz") ?? "")
  if !zone.isEmpty { parameters.append(("tz", zone)) }
  for name in arguments.strings("measurement") { parameters.append(("measurement", name)) }
  var summary = ExportSummary()
  // What could not be written is told by the last line.
  var last: [UInt8] = []
  let response = try client.postForm("/export", parameters, receiving: { piece in
    try unsafe piece.withUnsafeBytes { bytes in
      try unsafe output.write(bytes)
      last = unsafe Array((last + bytes.suffix(256)).suffix(256))
    }
  })
  guard response.isSuccess else {
    throw CommandFailure("\(client.baseURL)/export answered \(response.status): \(errorText(of: response))")
  }
  let text = String(decoding: last, as: UTF8.self)
  if let line = text.split(separator: "\n").last, line.hasPrefix("# "),
    line.hasSuffix("line protocol cannot write")
  {
    summary.unwritableCount = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 1
  }
  return summary
}

import Client
import Query
import Server

/// `varve stats`.
package let statsCommand = Subcommand(
  name: "stats",
  summary: "What a running server, or a data directory, holds and does",
  operands: "[ingest|compaction|retention|series|rejects]",
  operandCountMax: 1,
  flags: [
    CommonFlags.format,
    Flag("top", .integer, "N", default: "10", help: "series: entries of each kind, those with the most series"),
    Flag("database", .string, "NAME", help: "series: only this database"),
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve stats", "by database: series, bytes, the three amplifications, debt, stalls"),
    ("varve stats compaction", "what each window holds, what is due, why and when"),
    ("varve stats retention --format table", "what goes next, and why each window is still here"),
    ("varve stats series --top 3", "series and bytes by measurement, tag key and tag value"),
    ("varve stats compaction --data ./varve-data", "the same of a directory, without a server"),
    ("varve stats ingest --format csv", "lines by listener and result"),
    ("varve stats rejects", "the last refused lines"),
  ],
  run: { arguments in
    let source: any StatsSource =
      try arguments.usesDirectory() ? DirectoryStats(arguments) : ServerStats(arguments)
    let format = arguments.string("format")
    switch arguments.operands.first {
    case "ingest": try ingestReport(source.metrics(live: "ingest")).print(format)
    case "compaction": try Report.print(compactionReports(source.compaction()), format)
    case "retention": try Report.print(retentionReports(source.retention()), format)
    case "series": try Report.print(seriesReports(source.series(arguments)), format)
    case "rejects": try rejectReport(source.client(live: "rejects")).print(format)
    case nil: try databaseReport(source.metrics(live: nil), "stats", summaryColumns).print(format)
    case let word?:
      let duties = ["ingest", "compaction", "retention", "series", "rejects"]
      let near = nearest(to: word, among: duties).map { "; did you mean \($0)?" } ?? ""
      throw UsageError("unknown view \"\(word)\"\(near) There are: \(duties.joined(separator: ", "))")
    }
    return 0
  })

/// Columns of the summary by database: heading and metric.
private let summaryColumns = [
  ("live_series", "varve_live_series"), ("memtable_bytes", "varve_memtable_bytes"),
  ("tables", "varve_sstables"), ("table_bytes", "varve_sstable_bytes"), ("windows", "varve_windows"),
  ("runs_a_window_max", "varve_window_runs_max"), ("pending_bytes", "varve_compaction_pending_bytes"),
  ("write_amplification", "varve_write_amplification"), ("read_amplification", "varve_read_amplification"),
  ("space_amplification", "varve_space_amplification"), ("stall_seconds", "varve_stall_seconds_total"),
  ("flushed_bytes", "varve_flush_written_bytes_total"), ("merged_bytes", "varve_compaction_written_bytes_total"),
  ("expired_windows", "varve_expired_windows_total"), ("expired_bytes", "varve_expired_bytes_total"),
]

/// Lines by listener and result, and what was refused by reason.
private func ingestReport(_ metrics: Metrics) -> Report {
  var report = Report("ingest", columns: ["listener", "result", "lines", "reason"])
  for sample in metrics.samples where sample.name == "varve_ingest_lines_total" {
    report.append([
      .text(sample.label("listener") ?? ""), .text(sample.label("result") ?? ""), .integer(Int(sample.value)),
      .none,
    ])
  }
  for sample in metrics.samples where sample.name == "varve_ingest_rejects_total" && sample.value > 0 {
    report.append([
      .text(sample.label("listener") ?? ""), .text("reason"), .integer(Int(sample.value)),
      .text(sample.label("reason") ?? ""),
    ])
  }
  return report
}

/// One row a database.
private func databaseReport(_ metrics: Metrics, _ name: String, _ columns: [(title: String, metric: String)])
  -> Report
{
  var databases: [String] = []
  for sample in metrics.samples where columns.contains(where: { $0.metric == sample.name }) {
    if let database = sample.label("database"), !databases.contains(database) { databases.append(database) }
  }
  var report = Report(name, columns: ["database"] + columns.map(\.title))
  for database in databases {
    report.append(
      [.text(database)]
        + columns.map { column in
          let sample = metrics.samples.first { $0.name == column.metric && $0.label("database") == database }
          guard let value = sample?.value else { return .none }
          return value == value.rounded() && value.magnitude < 9e15 ? .integer(Int(value)) : .number(value)
        })
  }
  return report
}

/// The refused lines that the server keeps, oldest first.
private func rejectReport(_ client: HTTPClient) throws -> Report {
  let response = try client.get("/rejects")
  guard response.isSuccess else {
    throw CommandFailure("\(client.baseURL)/rejects answered \(response.status): \(errorText(of: response))")
  }
  var report = Report("rejects", columns: ["time", "listener", "line", "column", "reason", "text"])
  var reader = JSONReader(response.body)
  try reader.readObject { key, reader throws(JSONSyntaxError) in
    guard key == "rejects" else { return try reader.skipValue() }
    try reader.readArray { reader throws(JSONSyntaxError) in
      var (time, line, column) = (Int64(0), 0, 0)
      var (listener, reason, text) = ("", "", "")
      try reader.readObject { key, reader throws(JSONSyntaxError) in
        switch key {
        case "time": time = try reader.readNumber().integer ?? 0
        case "listener": listener = try reader.readString()
        case "line": line = Int(try reader.readNumber().integer ?? 0)
        case "column": column = Int(try reader.readNumber().integer ?? 0)
        case "reason": reason = try reader.readString()
        case "text": text = try reader.readString()
        default: try reader.skipValue()
        }
      }
      report.append([
        .text(QueryTime.print(time)), .text(listener), .integer(line), .integer(column), .text(reason),
        .text(text),
      ])
    }
  }
  return report
}

import Client
import Glibc
import Query

/// `varve top`.
package let topCommand = Subcommand(
  name: "top",
  summary: "What a running server does, a line a second",
  flags: [
    Flag("interval", .duration, "D", default: "1s", help: "between lines"),
    Flag("count", .integer, "N", default: "0", help: "lines; 0 until Ctrl-C"),
    CommonFlags.server,
  ],
  examples: [("varve top --count 3", "three seconds of it")],
  run: { arguments in
    let client = try HTTPClient(arguments.text("server"))
    let count = arguments.integer("count") ?? 0
    let interval = Double(arguments.nanoseconds("interval") ?? 0) * 1e-9
    guard interval > 0 else { throw UsageError("--interval takes a duration above 0") }
    var before = try TopSample(client)
    var lineCount = 0
    while count == 0 || lineCount < count {
      usleep(UInt32(min(interval, 3_600) * 1e6))
      let now = try TopSample(client)
      if lineCount % TopSample.linesAHeader == 0 { try Output.standard.write(TopSample.header) }
      try Output.standard.write(now.line(since: before))
      try Output.standard.flush()
      before = now
      lineCount += 1
    }
    return 0
  })

/// The counters of one moment.
private struct TopSample {
  static let linesAHeader = 20
  private static let columns: [(title: String, width: Int)] = [
    ("lines/s", 10), ("refused/s", 10), ("MiB/s", 8), ("drops/s", 8), ("syncs/s", 8), ("queries", 8),
    ("series", 10), ("memtable", 10),
    ("tables", 10), ("windows", 8), ("debt", 10), ("stalled", 8),
  ]
  private let seconds = monotonicSeconds()
  private let metrics: Metrics

  init(_ client: HTTPClient) throws { metrics = try Metrics(client) }

  static var header: String { columns.map { pad($0.title, $0.width) }.joined() + "\n" }

  /// Rates since another moment, and what is there now.
  func line(since before: TopSample) -> String {
    let passed = max(seconds - before.seconds, 1e-3)
    func rate(_ name: String, _ label: String? = nil, _ value: String? = nil) -> Double {
      max(0, sum(name, label, value) - before.sum(name, label, value)) / passed
    }
    let drops = rate("varve_udp_kernel_drops_total") + rate("varve_udp_overload_drops_total")
    let cells = [
      Self.short(rate("varve_ingest_lines_total", "result", "accepted")),
      Self.short(rate("varve_ingest_lines_total", "result", "rejected")),
      Self.short(rate("varve_ingest_bytes_total") / 1_048_576), Self.short(drops),
      Self.short(rate("varve_wal_syncs_total")),
      Self.short(sum("varve_queries_active")), Self.short(sum("varve_live_series")),
      Self.bytes(sum("varve_memtable_bytes")),
      Self.bytes(sum("varve_sstable_bytes")), Self.short(sum("varve_windows")),
      Self.bytes(sum("varve_compaction_pending_bytes")),
      Self.short(rate("varve_stall_seconds_total") * 100) + "%",
    ]
    return zip(cells, Self.columns).map { Self.pad($0, $1.width) }.joined() + "\n"
  }

  private func sum(_ name: String, _ label: String? = nil, _ value: String? = nil) -> Double {
    metrics.samples.reduce(0) { sum, sample in
      sample.name == name && (label == nil || sample.label(label ?? "") == value) ? sum + sample.value : sum
    }
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }

  /// Three digits or so: `0.25`, `17`, `2.4M`.
  private static func short(_ value: Double) -> String {
    if value >= 999_500 { return "\((value / 1e5).rounded() / 10)M" }
    if value >= 9_950 { return "\(Int((value / 1e3).rounded()))k" }
    return value >= 10 || value == value.rounded()
      ? "\(Int(value.rounded()))" : "\((value * 100).rounded() / 100)"
  }

  private static func bytes(_ value: Double) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var (scaled, unit) = (value, 0)
    while scaled >= 1_024, unit < units.count - 1 { (scaled, unit) = (scaled / 1_024, unit + 1) }
    return (scaled >= 10 || unit == 0 ? "\(Int(scaled.rounded()))" : "\((scaled * 10).rounded() / 10)")
      + units[unit]
  }
}

/// What `varve bench ingest` found, and the table that it prints.
struct IngestFigures {
  var workload: String
  var transport: Transport
  var connectionCount: Int
  var lineCount: Int
  var byteCount: Int
  var acceptedCount: Int
  var rejectedCount: Int
  /// Until everything was sent, and until it was acknowledged.
  var sendSeconds: Double
  var seconds: Double
  /// From each HTTP request to its answer.
  var batches: Latencies?
  /// Of the server's process.
  var processorSeconds: Double?
  var calls: CallCounts?
  var disk: DiskFigures?
  /// Whether all can be read; `nil` where that is not known.
  var isRight: Bool?

  private typealias Cell = (column: String, value: Report.Value)

  func print(_ format: String?) throws {
    let cells =
      sendingCells + serverCells + diskCells + [
        ("check", .text(isRight.map { $0 ? "right" : "wrong" } ?? "none"))
      ]
    var report = Report("ingest", columns: cells.map(\.column))
    report.append(cells.map(\.value))
    try report.print(format)
  }

  private var sendingCells: [Cell] {
    [
      ("workload", .text(workload)), ("to", .text(transport.rawValue)),
      ("connections", .integer(connectionCount)),
      ("lines", .integer(lineCount)), ("bytes", .integer(byteCount)), ("accepted", .integer(acceptedCount)),
      ("rejected", .integer(rejectedCount)), ("send_seconds", Self.rounded(sendSeconds, 1_000)),
      ("seconds", Self.rounded(seconds, 1_000)),
      ("lines_per_second", .integer(Int(Double(acceptedCount) / seconds))),
      ("megabytes_per_second", .integer(Int(Double(byteCount) / seconds / 1e6))),
    ]
      + zip(["batch_p50_ms", "batch_p99_ms", "batch_max_ms"], [0.5, 0.99, 1]).map { name, share in
        (name, batches.map { .number($0.milliseconds(share)) } ?? .none)
      }
  }

  private var serverCells: [Cell] {
    let calls = CallCounts.cells(calls, of: acceptedCount)
    return [
      ("server_cpu_seconds", Self.rounded(processorSeconds, 100)),
      (
        "server_cpu_ns_per_line",
        processorSeconds.map { .integer(Int($0 * 1e9 / Double(max(acceptedCount, 1)))) } ?? .none
      ),
      ("server_allocations_per_1000_lines", calls[0]), ("server_system_calls_per_1000_lines", calls[1]),
    ]
  }

  private var diskCells: [Cell] {
    [
      ("log_bytes_per_line", Self.rounded(disk?.logBytesPerLine, 10)),
      ("table_bytes", disk.map { .integer($0.tableBytes) } ?? .none),
      ("write_amplification", Self.rounded(disk?.writeAmplification, 1_000)),
      ("read_amplification", Self.rounded(disk?.readAmplification, 1_000)),
      ("space_amplification", Self.rounded(disk?.spaceAmplification, 1_000)),
    ]
  }

  private static func rounded(_ value: Double?, _ scale: Double) -> Report.Value {
    value.map { .number(($0 * scale).rounded() / scale) } ?? .none
  }
}

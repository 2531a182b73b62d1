import Client
import Glibc
import Query
import Storage

/// `varve bench ingest`: sends lines, measures until they are acknowledged, and asks whether they are all there.
struct IngestBench {
  private let arguments: Arguments
  private let transport: Transport
  private let workload: Workload?

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    transport = Transport(rawValue: arguments.text("to")) ?? .tcp
    if arguments.isGiven("file"), arguments.isGiven("workload") {
      throw UsageError("--file and --workload exclude each other")
    }
    workload = arguments.isGiven("file") ? nil : Workload.named(arguments.text("workload"))
  }

  func run() throws -> Int32 {
    let source = try workload.map { try ByteSource($0) } ?? ByteSource(file: arguments.text("file"))
    let sender = LoadSender(
      source: source, transport: transport,
      address: transport == .http ? arguments.text("server") : arguments.text(transport.rawValue),
      database: arguments.text("database"), connectionCount: max(arguments.integer("connections") ?? 1, 1),
      batchLineCount: max(arguments.integer("batch") ?? 1, 1), lineRate: arguments.integer("rate") ?? 0)
    let client = try HTTPClient(arguments.text("server"))
    if transport == .http { try createDatabase(client) }
    let metricsBefore = try DiskFigures.metrics(client)
    let countsBefore = transport == .udp ? try udpCounts(client) : (0, 0)
    let counter = try arguments.string("counts").map { try CallCounter(file: $0) }
    let processorBefore = try processorSeconds()
    let callsBefore = counter?.read()
    var (seconds, reports) = try sender.run()
    let sendSeconds = seconds
    let calls = counter.flatMap { counter in callsBefore.map { counter.read() - $0 } }
    for failure in reports.compactMap(\.failure) { throw CommandFailure(failure) }
    let complaints = reports.flatMap(\.complaints)
    for complaint in complaints.prefix(5) { printError("varve bench: \(complaint)") }
    var accepted = reports.reduce(0) { $0 + $1.acceptedCount }
    var rejected = reports.reduce(0) { $0 + $1.rejectedCount }
    if transport == .udp {
      let start = monotonicSeconds()
      let counts = try settledUDPCounts(client)
      seconds += counts.settledAt - start
      (accepted, rejected) = (counts.accepted - countsBefore.0, counts.rejected - countsBefore.1)
    }
    let processor = try processorSeconds().flatMap { after in processorBefore.map { after - $0 } }
    if arguments.isOn("settle") { try DiskFigures.settle(client) }
    let isRight = try check(client, accepted: accepted)
    let disk = DiskFigures(
      before: metricsBefore, after: try DiskFigures.metrics(client), database: arguments.text("database"),
      accepted: accepted)
    try IngestFigures(
      workload: workload?.name ?? arguments.text("file"), transport: transport,
      connectionCount: sender.connectionCount, lineCount: source.lineCount(0..<source.byteCount),
      byteCount: source.byteCount, acceptedCount: accepted, rejectedCount: rejected, sendSeconds: sendSeconds,
      seconds: seconds, batches: transport == .http ? Latencies(reports.flatMap(\.batchSeconds)) : nil,
      processorSeconds: processor, calls: calls, disk: disk, isRight: isRight
    ).print(arguments.string("format"))
    return isRight == false ? 1 : 0
  }

  private func createDatabase(_ client: HTTPClient) throws {
    let name = arguments.text("database").split(separator: "\"").joined(separator: "\\\"")
    let response = try client.postForm("/query", [("q", "CREATE DATABASE \"\(name)\"")])
    guard response.isSuccess else { throw CommandFailure("cannot create the database: \(response.text)") }
  }

  // MARK: Checking

  /// Whether every line of the workload can be read; `nil` where nothing is known of the lines.
  private func check(_ client: HTTPClient, accepted: Int) throws -> Bool? {
    guard let workload else { return nil }
    var found = 0
    for (measurement, field, count) in workload.linesByMeasurement {
      let answer = try self.count(client, measurement, field)
      found += answer
      if transport != .udp, answer != count {
        printError("varve bench: \(measurement) has \(answer) points, sent were \(count)")
      }
    }
    // Datagrams may be lost on the way, and are then not accepted; points sent before are counted once.
    return transport == .udp ? found >= accepted : found == workload.lineCount
  }

  private func count(_ client: HTTPClient, _ measurement: String, _ field: String) throws -> Int {
    let text = "SELECT count(\"\(field)\") FROM \"\(measurement)\""
    let response = try client.postForm(
      "/query", [("db", arguments.text("database")), ("q", text), ("epoch", "ns"), ("types", "true")])
    let document = try ResultDocument(response.body)
    if let error = document.error ?? document.results.first?.error {
      throw CommandFailure("\(text): \(error)")
    }
    guard let column = document.results.first?.series.first?.columns.first, column.isPresent(0) else {
      return 0
    }
    return Int(truncatingIfNeeded: column.values[0])
  }

  private func udpCounts(_ client: HTTPClient) throws -> (accepted: Int, rejected: Int) {
    let samples = try Metrics(client).samples.filter {
      $0.name == "varve_ingest_lines_total" && $0.label("listener") == "udp"
    }
    func sum(_ result: String) -> Int {
      Int(samples.filter { $0.label("result") == result }.reduce(0) { $0 + $1.value })
    }
    return (sum("accepted"), sum("rejected"))
  }

  /// The counts once they have stood still for half a second, and when they last moved.
  private func settledUDPCounts(_ client: HTTPClient) throws -> (
    accepted: Int, rejected: Int, settledAt: Double
  ) {
    var (last, moved) = (try udpCounts(client), monotonicSeconds())
    while monotonicSeconds() - moved < 0.5 {
      usleep(20_000)
      let now = try udpCounts(client)
      if now != last { (last, moved) = (now, monotonicSeconds()) }
    }
    return (last.accepted, last.rejected, moved)
  }

  // MARK: Measuring

  /// User and system seconds of the server's process, where `--pid` names it.
  private func processorSeconds() throws -> Double? {
    guard let pid = arguments.string("pid") else { return nil }
    let text = String(decoding: try readWholeFile("/proc/\(pid)/stat"), as: UTF8.self)
    // Fields after the name in parentheses: state is the third of all; utime and stime are 14 and 15 (proc(5)).
    let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      throw CommandFailure("/proc/\(pid)/stat has no times")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }
}

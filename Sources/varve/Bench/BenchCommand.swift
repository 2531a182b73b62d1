import Glibc

/// `varve bench`.
package let benchCommand = Subcommand(
  name: "bench",
  summary: "Make load, send it, and measure",
  operands: "generate WORKLOAD | ingest | query | series | layers",
  operandCountMax: 2,
  flags: [
    Flag("output", .string, "FILE", help: "generate: where the lines go; without it standard output"),
    Flag(
      "workload", .choice(Workload.all.map(\.name)), "NAME", default: "S",
      help: "ingest: lines to make and send"),
    Flag("file", .string, "FILE", help: "ingest: lines to send instead"),
    Flag("to", .choice(Transport.allCases.map(\.rawValue)), "TRANSPORT", default: "tcp", help: "ingest: how"),
    Flag("connections", .integer, "N", default: "1", help: "ingest: senders, a thread each"),
    Flag("batch", .integer, "LINES", default: "5000", help: "ingest: lines of an HTTP request"),
    Flag("rate", .integer, "LINES", default: "0", help: "ingest: lines a second; 0 as fast as it goes"),
    Flag("settle", .toggle, help: "ingest: merge everything to the end before the figures of the disk"),
    Flag("tcp", .string, "ADDR:PORT", default: "127.0.0.1:8094", help: "ingest: the server's TCP listener"),
    Flag("udp", .string, "ADDR:PORT", default: "127.0.0.1:8089", help: "ingest: the server's UDP listener"),
    Flag("pid", .integer, "PID", help: "ingest: the server's process, to count its CPU time"),
    Flag(
      "language", .choice(Question.Language.allCases.map(\.rawValue)), "NAME", default: "influxql",
      help: "query: of the server; metricsql is VictoriaMetrics'"),
    Flag("runs", .integer, "N", default: "15", help: "query: timed answers of each question"),
    Flag("question", .string, "NAME", help: "query: this one alone"),
    Flag("answers", .string, "DIR", help: "query: where the first answer of each goes, a file each"),
    Flag("series", .integer, "N", default: "1000000", help: "series: new series a window, a point each"),
    Flag("windows", .integer, "N", default: "1", help: "series: windows of one hour"),
    Flag("key-bytes", .integer, "N", default: "60", help: "series: bytes of measurement and tags, 60 to 4096"),
    Flag("layer", .choice(LayerBench.names), "NAME", help: "layers: this one alone"),
    Flag("lines", .integer, "N", default: "864000", help: "layers: about so many lines of workload S"),
    Flag("rounds", .integer, "N", default: "5", help: "layers: times that each is run"),
    Flag(
      "counts", .string, "FILE",
      help: "ingest, layers: where Tests/Preload/callcounter.c, loaded into the server or this process, counts its calls"),
    Flag("data", .string, "DIR", help: "series: an empty directory for a store in this process"),
    CommonFlags.database,
    CommonFlags.format,
    CommonFlags.server,
  ],
  examples: [
    ("varve bench generate sample --output sample.lp", "a small data set of four hosts over six hours"),
    (
      "varve bench ingest --workload S --to tcp --connections 2",
      "864,000 lines over two connections, until acknowledged"
    ),
    (
      "varve bench query --runs 3 --question lastpoint",
      "how long a server takes to answer; the questions are those of workload S"
    ),
    ("varve bench series --series 2000 --windows 2 --data ./bench-data", "memory that a live series costs"),
    (
      "varve bench layers --lines 2000 --rounds 3",
      "what parsing, encoding, inserting, merging and reading cost, each alone and each checked"
    ),
  ],
  run: { arguments in
    switch arguments.operands.first {
    case "generate": return try generate(arguments)
    case "ingest": return try IngestBench(arguments).run()
    case "query": return try QueryBench(arguments).run()
    case "series": return try SeriesBench(arguments).run()
    case "layers": return try LayerBench(arguments).run()
    case let word?: throw UsageError("unknown duty \"\(word)\"; there are: \(duties)")
    case nil: throw UsageError("what shall be done? There are: \(duties)")
    }
  })

private let duties = "generate, ingest, query, series, layers"

/// Writes a workload to a file or standard output.
private func generate(_ arguments: Arguments) throws -> Int32 {
  let names = Workload.all.map(\.name)
  guard arguments.operands.count == 2, let workload = Workload.named(arguments.operands[1]) else {
    throw UsageError("bench generate takes one workload: \(names.joined(separator: ", "))")
  }
  var generator = WorkloadGenerator(workload)
  guard let path = arguments.string("output"), path != "-" else {
    try generator.run { try Output.standard.write($0) }
    return 0
  }
  let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
  guard descriptor >= 0 else { throw CommandFailure("cannot write \(path): \(systemErrorText(errno))") }
  defer { close(descriptor) }
  try generator.run { bytes in
    try unsafe bytes.withUnsafeBytes { try unsafe writeAll($0, to: descriptor, name: path) }
  }
  return 0
}

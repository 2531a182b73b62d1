import Glibc

/// `varve bench`.
package let benchCommand = Subcommand(
  name: "bench",
  summary: "Make load, send it, and measure",
  operands: "generate WORKLOAD | ingest",
  operandCountMax: 2,
  flags: [
    Flag("output", .string, "FILE", help: "generate: where the lines go; without it standard output")
  ],
  examples: [
    ("varve bench generate sample --output sample.lp", "a small data set of four hosts over six hours")
  ],
  run: { arguments in
    switch arguments.operands.first {
    case "generate": try generate(arguments)
    case let word?: throw UsageError("unknown duty \"\(word)\"; there are: generate, ingest")
    case nil: throw UsageError("what shall be done? There are: generate, ingest")
    }
  })

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
  guard descriptor >= 0 else { throw Failure("cannot write \(path): \(systemErrorText(errno))") }
  defer { close(descriptor) }
  try generator.run { bytes in
    try unsafe bytes.withUnsafeBytes { try unsafe writeAll($0, to: descriptor, name: path) }
  }
  return 0
}

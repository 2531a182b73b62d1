import Client
import FoundationEssentials
import Storage

/// `varve verify`.
package let verifyCommand = Subcommand(
  name: "verify",
  summary: "Check every checksum and invariant of a store's files",
  flags: [
    CommonFlags.reportFormat,
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve verify", "all files of a running server, which goes on meanwhile"),
    ("varve verify --data ./varve-data", "those of a directory that no server has open"),
    ("varve verify --format json", "the same for a program"),
  ],
  run: { arguments in
    let report =
      try arguments.usesDirectory()
      ? Store.verify(directory: arguments.text("data")) : verifyServer(arguments)
    if arguments.string("format") == "json" {
      try Output.standard.write(jsonLine(report))
    } else {
      for problem in report.problems { try Output.standard.write(problem.text + "\n") }
      for note in report.notes { try Output.standard.write("note: \(note)\n") }
      try Output.standard.write(
        "\(report.manifests) manifests, \(report.tables) tables of \(report.tableBytes) bytes, "
          + "\(report.segments) log segments of \(report.segmentBytes) bytes: "
          + (report.isClean ? "no damage\n" : "\(report.problems.count) problems; run `varve repair`\n"))
    }
    return report.isClean ? 0 : 1
  })

private func verifyServer(_ arguments: Arguments) throws -> VerifyReport {
  let client = try HTTPClient(arguments.text("server"))
  return try client.document(client.postForm("/verify", []), of: "/verify")
}

/// A report as one line of JSON.
func jsonLine(_ report: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
}

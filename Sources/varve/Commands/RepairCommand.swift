import Query
import Storage

/// `varve repair`.
package let repairCommand = Subcommand(
  name: "repair",
  summary: "Set what is damaged aside, rebuild the rest, and say what is lost",
  flags: [
    Flag("dry-run", .toggle, help: "say what would be done and lost, and change nothing"),
    CommonFlags.reportFormat,
    CommonFlags.data,
  ],
  examples: [
    (
      "varve repair --data ./varve-data --dry-run",
      "what a repair would do, while no server has the directory open"
    ),
    ("varve repair --data ./varve-data", "the repair; exit 1 if something is lost"),
  ],
  run: { arguments in
    guard let directory = arguments.string("data") else { throw UsageError("repair needs --data DIR") }
    let report = try Store.repair(directory: directory, isDryRun: arguments.isOn("dry-run"))
    if arguments.string("format") == "json" {
      try Output.standard.write(jsonLine(report))
    } else {
      try Output.standard.write(report.text)
    }
    return report.isLossy ? 1 : 0
  })

extension RepairReport {
  /// Lines for people.
  fileprivate var text: String {
    var lines = problems.map { "found: \($0.text)" }
    lines += actions.map { (isDryRun ? "would do: " : "done: ") + $0 }
    lines += losses.map { "lost: \($0.text)" }
    lines += notes.map { "note: \($0)" }
    lines.append(
      problems.isEmpty
        ? "no damage"
        : "\(problems.count) problems, \(losses.count) losses\(isDryRun ? "; nothing was changed" : "")")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension RepairReport.Loss {
  fileprivate var text: String {
    var words: [String] = []
    if !database.isEmpty { words.append("\(database).\(policy)") }
    if let name = series ?? measurement { words.append(name) }
    if let from, let through { words.append("from \(Self.time(from)) through \(Self.time(through))") }
    return (words.isEmpty ? "" : words.joined(separator: " ") + ": ") + "\(file): \(what)"
  }

  private static func time(_ nanoseconds: Int64) -> String {
    var out: [UInt8] = []
    out.appendRFC3339(nanoseconds)
    return String(decoding: out, as: UTF8.self)
  }
}

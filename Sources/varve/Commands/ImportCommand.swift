import Client
import LineProtocol
import Storage

/// `varve import`.
package let importCommand = Subcommand(
  name: "import",
  summary: "Bring line protocol, InfluxDB's export form, CSV, or tables into a server or a data directory",
  operands: "[FILE…]",
  operandCountMax: .max,
  flags: [
    CommonFlags.database,
    CommonFlags.policy,
    Flag(
      "precision", .choice(["ns", "us", "ms", "s", "auto"]), "UNIT", default: "ns",
      help: "the unit of timestamps"),
    Flag(
      "csv", .string, "MAPPING",
      help: "the files are CSV: auto, or \"weather: when=time:s, station=tag, temp=float, *=skip\""),
    Flag("rejects", .string, "FILE", help: "keep every refused line there, with its reason as a comment"),
    Flag(
      "from-influxdb", .string, "URL",
      help:
        "bring --database over from a running InfluxDB 1.x, and compare both: http://user:password@host:8086"),
    Flag(
      "as", .string, "NAME",
      help: "what the database is called here, with --from-influxdb; without it as there"),
    Flag("allow-rejects", .toggle, help: "exit with 0 even if lines were refused"),
    Flag("resume", .string, "FILE", help: "keep the place there, and go on where an earlier run stopped"),
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve import --database metrics Fixtures/sample.lp", "a file into a running server"),
    (
      "varve bench generate sample | varve import --data ./varve-data",
      "standard input into a closed data directory"
    ),
  ],
  run: { arguments in
    if try arguments.usesDirectory() {
      // What was asked for by hand is not held to a server's limits.
      var options = StoreOptions()
      options.cardinality = .none
      let store = try Store.open(directory: arguments.text("data"), options: options)
      defer { closeQuietly(store) }
      let precision = Precision(arguments.text("precision")) ?? .nanoseconds
      let status = try runImport(arguments, into: StoreTarget(store, precision: precision))
      try store.close()
      return status
    }
    let client = try HTTPClient(arguments.text("server"))
    client.isCancelled = { Interrupt.wasPressed }
    return try runImport(arguments, into: ServerTarget(client, precision: arguments.text("precision")))
  })

/// Closes a store after a failure, whose message is the one that counts; a second close does nothing.
private func closeQuietly(_ store: Store) {
  do { try store.close() } catch { printError("varve import: \(error)") }
}

private func runImport(_ arguments: Arguments, into target: any ImportTarget) throws -> Int32 {
  if let url = arguments.string("from-influxdb") {
    return try runMigration(arguments, from: url, into: target)
  }
  let files = arguments.operands.isEmpty ? ["-"] : arguments.operands
  let path = arguments.string("resume")
  if path != nil, files.contains("-") {
    throw UsageError("--resume needs files: standard input cannot be read again")
  }
  var importer = Importer(
    target, Importer.Options(database: arguments.text("database"), policy: arguments.string("policy")),
    rejects: RejectList(path: arguments.string("rejects")), place: try ImportPlace(path: path))
  do {
    try Interrupt.during {
      for file in files {
        if let mapping = arguments.string("csv") {
          try importer.takeCSV(file, mapping: mapping)
        } else {
          try importer.take(file)
        }
      }
    }
    try importer.finish()
  } catch {
    try importer.finish()
    return try stopped(after: importer.acceptedCount, error, place: path)
  }
  printError("\(importer.acceptedCount) points imported, \(importer.rejectedCount) lines refused")
  if importer.rejectedCount > 0, !arguments.isGiven("csv"),
    let file = files.first(where: { $0.hasSuffix(".csv") || $0.hasSuffix(".csv.gz") })
  {
    printError("varve import: \(file) is CSV by its name: --csv auto brings it in as such")
  }
  return importer.rejectedCount > 0 && !arguments.isOn("allow-rejects") ? 1 : 0
}

/// Says what an import that was broken off is to be gone on with; the status where that was by Ctrl-C.
private func stopped(after pointCount: Int, _ error: any Error, place path: String?) throws -> Int32 {
  let isInterrupt = error is Interrupted || (error as? ClientError)?.code == .cancelled
  let cause = isInterrupt ? "\(Interrupted())" : "\(error)"
  var words = "stopped after \(pointCount) points: \(cause)"
  if let path {
    words += "; run it again with --resume \(path) to go on"
  } else if isInterrupt || pointCount > 0 {
    words += "; run again it brings all in anew, and what is in already is replaced, not doubled"
  }
  guard isInterrupt else { throw CommandFailure(words) }
  printError("varve import: \(words)")
  return 130
}

private func runMigration(_ arguments: Arguments, from url: String, into target: any ImportTarget) throws
  -> Int32
{
  if !arguments.operands.isEmpty { throw UsageError("--from-influxdb reads no files") }
  if arguments.isGiven("precision") {
    throw UsageError("--from-influxdb brings times as they are: --precision does not go with it")
  }
  let database = arguments.text("database")
  let path = arguments.string("resume")
  let migration = InfluxMigration(
    try HTTPClient(url), into: target, database: database, policy: arguments.string("policy"),
    as: arguments.string("as") ?? database, end: wallNanoseconds(), place: try ImportPlace(path: path))
  let differences: [String]
  do {
    differences = try Interrupt.during { try migration.run() }
  } catch {
    return try stopped(after: migration.pointCount, error, place: path)
  }
  for line in differences.prefix(20) { printError("varve import: \(line)") }
  printError(
    "\(migration.pointCount) points imported; "
      + (differences.isEmpty
        ? "counts and sums of every series are those of \(url)"
        : "\(differences.count) counts or sums differ"))
  return differences.isEmpty ? 0 : 1
}

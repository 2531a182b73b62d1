import Client
import Storage

/// `varve backup`.
package let backupCommand = Subcommand(
  name: "backup",
  summary: "Make a checkpoint of a running server, or of a closed data directory, by hard links",
  operands: "DIR",
  operandCountMax: 1,
  flags: [
    Flag("database", .string, "NAME", help: "only this database"),
    Flag(
      "incremental", .toggle,
      help: "DIR is an earlier backup: only what is new is linked, what went is removed"),
    Flag("verify", .toggle, help: "read back and check every file of the backup"),
    CommonFlags.format,
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve backup backups/monday", "of a running server; DIR lies on its machine"),
    ("varve backup --incremental --verify backups/monday", "bring an earlier one up to date and check it"),
    (
      "varve backup --data ./varve-data --database metrics ./checkpoint", "one database of a closed directory"
    ),
  ],
  run: { arguments in
    let (directory, client) = try checkpointPlace(arguments)
    let report: BackupReport
    if let client {
      var parameters = [(name: "directory", value: directory)]
      if let name = arguments.string("database") { parameters.append(("db", name)) }
      for flag in ["incremental", "verify"] where arguments.isOn(flag) { parameters.append((flag, "true")) }
      report = try client.document(
        client.postForm(HTTPClient.target("/backup", parameters), []), of: "/backup")
    } else {
      // A store is made where there is none: a wrong name is not to be backed up as one.
      _ = try readWholeFile(arguments.text("data") + "/CURRENT")
      report = try withClosedStore(arguments) { store in
        try store.backUp(
          to: directory, database: arguments.string("database"), isIncremental: arguments.isOn("incremental"),
          isVerified: arguments.isOn("verify"))
      }
    }
    var table = Report(
      "backup",
      columns: [
        "linked", "copied", "kept", "removed", "bytes", "copied_bytes", "verified", "last_batch",
        "milliseconds",
      ])
    table.append([
      .integer(report.linkedCount), .integer(report.copiedCount), .integer(report.keptCount),
      .integer(report.removedCount), .bytes(report.byteCount), .bytes(report.copiedByteCount),
      .integer(report.verifiedCount), .bytes(report.lastSequence), .number(report.milliseconds),
    ])
    try table.print(arguments.string("format"))
    if report.linkedCount > 0 {
      printError(
        "varve backup: links are no second copy: until you copy \(directory) away the bytes lie on one disk, once"
      )
    }
    return 0
  })

/// `varve restore`.
package let restoreCommand = Subcommand(
  name: "restore",
  summary: "Bring databases of a backup into a running server, or a closed data directory",
  operands: "DIR",
  operandCountMax: 1,
  flags: [
    Flag("database", .string, "NAME", help: "only this database of the backup"),
    Flag("as", .string, "NAME", help: "what it is to be called; there must be none of that name"),
    CommonFlags.format,
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve restore --database metrics --as monday backups/monday", "beside the one that goes on"),
    ("varve restore --data ./restored backups/monday", "every database, into a new directory"),
  ],
  run: { arguments in
    let (directory, client) = try checkpointPlace(arguments)
    let report: RestoreReport
    if let client {
      var parameters = [(name: "directory", value: directory)]
      if let name = arguments.string("database") { parameters.append(("db", name)) }
      if let name = arguments.string("as") { parameters.append(("as", name)) }
      report = try client.document(
        client.postForm(HTTPClient.target("/restore", parameters), []), of: "/restore")
    } else {
      report = try withClosedStore(arguments) { store in
        try store.restore(from: directory, database: arguments.string("database"), as: arguments.string("as"))
      }
    }
    var table = Report(
      "restore", columns: ["databases", "tables", "rows", "bytes", "last_batch", "milliseconds"])
    table.append([
      .text(report.databases.joined(separator: ",")), .integer(report.tableCount), .integer(report.rowCount),
      .bytes(report.byteCount), .bytes(report.lastSequence), .number(report.milliseconds),
    ])
    try table.print(arguments.string("format"))
    return 0
  })

/// The directory as an absolute path, and the server where one is meant.
private func checkpointPlace(_ arguments: Arguments) throws -> (directory: String, client: HTTPClient?) {
  guard let operand = arguments.operands.first, !operand.isEmpty else {
    throw UsageError("which directory? Give DIR, on the machine of the server")
  }
  let client = try arguments.usesDirectory() ? nil : HTTPClient(arguments.text("server"))
  return (try absolutePath(operand), client)
}

/// Opens a directory that no server holds, without merging anything in it, and closes it whatever comes.
private func withClosedStore<Value>(_ arguments: Arguments, _ body: (Store) throws -> Value) throws -> Value {
  var options = StoreOptions()
  options.compactorCount = 0
  let store = try Store.open(directory: arguments.text("data"), options: options)
  do {
    let value = try body(store)
    try store.close()
    return value
  } catch {
    // What failed first is what the user is to hear.
    do throws(StorageError) { try store.close() } catch {}
    throw error
  }
}

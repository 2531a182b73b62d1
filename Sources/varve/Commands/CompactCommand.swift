import Client
import LineProtocol
import Query
import Storage

/// `varve compact`.
package let compactCommand = Subcommand(
  name: "compact",
  summary: "Flush, then merge every window of more than one run; or pause, resume, show merging",
  operands: "[pause|resume|status]",
  operandCountMax: 1,
  flags: [
    Flag(
      "wait", .toggle, help: "return when it is done and replaced tables are unlinked; exit 1 if a job failed"
    ),
    Flag("database", .string, "NAME", help: "only this database"),
    Flag("policy", .string, "NAME", help: "only this policy of the database"),
    Flag("window", .string, "TIME", help: "only the window that holds a time: RFC 3339, or nanoseconds"),
    Flag("flush-only", .toggle, help: "write what is in memory to tables, merge nothing"),
    CommonFlags.server,
    CommonFlags.data,
  ],
  examples: [
    ("varve compact --wait", "everything, done when it returns"),
    ("varve compact --database metrics --window 2026-01-01T00:00:00Z --wait", "one window of one database"),
    ("varve compact pause", "no merging until varve compact resume"),
  ],
  run: { arguments in
    if arguments.isGiven("policy"), !arguments.isGiven("database") {
      throw UsageError("--policy needs --database")
    }
    return try arguments.usesDirectory() ? compactDirectory(arguments) : compactServer(arguments)
  })

private func windowTime(_ arguments: Arguments) throws -> Int64? {
  guard let text = arguments.string("window") else { return nil }
  guard let time = Int64(text) ?? QueryTime.parse(text) else {
    throw UsageError("--window takes a time such as 2026-01-01T00:00:00Z, or nanoseconds, not \"\(text)\"")
  }
  return time
}

private func compactServer(_ arguments: Arguments) throws -> Int32 {
  let client = try HTTPClient(arguments.text("server"))
  let response: HTTPResponse
  switch arguments.operands.first {
  case "pause", "resume": response = try client.postForm("/compact/\(arguments.operands[0])", [])
  case "status": response = try client.get("/compact/status")
  case nil:
    var parameters = [(name: String, value: String)]()
    if arguments.isOn("wait") { parameters.append(("wait", "true")) }
    if arguments.isOn("flush-only") { parameters.append(("flush_only", "true")) }
    if let name = arguments.string("database") { parameters.append(("db", name)) }
    if let name = arguments.string("policy") { parameters.append(("rp", name)) }
    if let time = try windowTime(arguments) { parameters.append(("window", "\(time)")) }
    response = try client.postForm(HTTPClient.target("/compact", parameters), [])
  case let word?:
    let near = nearest(to: word, among: ["pause", "resume", "status"]).map { "; did you mean \($0)?" } ?? ""
    throw UsageError("unknown duty \"\(word)\"\(near) There are: pause, resume, status")
  }
  guard response.isSuccess else {
    throw CommandFailure("\(client.baseURL) answered \(response.status): \(errorText(of: response))")
  }
  try Output.standard.write(response.body)
  return 0
}

/// The message of `{"error":…}`, else the body as it is.
func errorText(of response: HTTPResponse) -> String {
  var reader = JSONReader(response.body)
  var message: String?
  do {
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      if key == "error" { message = try reader.readString() } else { try reader.skipValue() }
    }
  } catch {
    return String(response.text.prefix(300))
  }
  return message ?? String(response.text.prefix(300))
}

private func compactDirectory(_ arguments: Arguments) throws -> Int32 {
  if let word = arguments.operands.first { throw UsageError("\"\(word)\" is for a server, not for --data") }
  if arguments.isGiven("window") { throw UsageError("--window is for a server, not for --data") }
  let store = try Store.open(directory: arguments.text("data"))
  if arguments.isOn("flush-only") {
    try store.flush()
  } else if let database = arguments.string("database") {
    let policies =
      try arguments.string("policy").map { [try store.keyspace(database: database, policy: $0)] }
      ?? store.policies(of: database)?.map(\.keyspace)
    guard let policies else { throw CommandFailure("database not found: \(database)") }
    for keyspace in policies { try store.compact(keyspaces: [keyspace]) }
  } else {
    try store.compact()
  }
  try store.close()
  return 0
}

import CShims
import Glibc
import LineProtocol
package import Server
import Storage

/// `varve serve`.
package let serveCommand = Subcommand(
  name: "serve",
  summary: "Listen, store, answer; runs in the foreground until SIGTERM or Ctrl-C",
  operands: "",
  operandCountMax: 0,
  flags: [
    Flag("data", .string, "DIR", default: "./varve-data", help: "the store's directory, created if missing"),
    Flag(
      "http", .string, "ADDR:PORT", isRepeatable: true, default: "127.0.0.1:8086",
      help: "HTTP listener, whose / is a page for the browser; off turns it off, port 0 picks one"),
    Flag(
      "tcp", .string, "ADDR:PORT", isRepeatable: true, default: "127.0.0.1:8094",
      help: "line protocol over TCP, a line a point"),
    Flag(
      "udp", .string, "ADDR:PORT", isRepeatable: true, default: "127.0.0.1:8089",
      help: "line protocol over UDP, one or more lines a datagram"),
    Flag("database", .string, "NAME", default: "metrics", help: "where TCP and UDP write; created at start"),
    Flag(
      "precision", .choice(["ns", "us", "ms", "s", "m", "h", "auto"]), "P",
      help: "unit of times; default auto (by magnitude) for TCP and UDP, ns for HTTP"),
    Flag(
      "crlf", .choice(["strip", "strict"]), "MODE", default: "strip",
      help: "strict: a carriage return before the newline is an ordinary byte"),
    Flag(
      "retention", .duration, "D", default: "0",
      help: "TTL of a database that this start creates; 0 is for ever"),
    Flag("window", .duration, "D", help: "its window length; default by TTL"),
    Flag(
      "rule", .string, "RULE", isRepeatable: true,
      help: "[DATABASE:]MEASUREMENT[{TAG=VALUE}]=>POLICY[=TTL]: where points go that name no policy; * and ? fit any; "
        + "the first that fits counts; DATABASE: alone takes its rules away"),
    Flag(
      "quota", .string, "SIZE", isRepeatable: true,
      help: "[DATABASE=]SIZE: bytes of tables a database may hold; beyond that its oldest windows go"),
    Flag(
      "disk-reserve", .size, "N", default: "0",
      help: "where the disk has less free, the oldest windows of databases with a quota go"),
    Flag(
      "lateness", .duration, "D", default: "10m",
      help: "how long a window waits after its end before its final merge"),
    Flag("future-limit", .duration, "D", default: "3650d", help: "how far ahead of now a point may lie"),
    Flag(
      "sync", .string, "MODE", default: "group",
      help: "group: acknowledge after sync; interval=100ms: at once, sync that often; none"),
    Flag(
      "memory", .size, "N",
      help: "budget of the whole process; default a quarter of the machine's or cgroup's"),
    Flag("wal-limit", .size, "N", default: "512MiB", help: "log kept for replay"),
    Flag(
      "compaction-policy", .choice(CompactionPolicy.allCases.map(\.rawValue)), "POLICY", default: "windows",
      help: "windows: merge each window; none: only what is asked for, for bulk loads, and with a quota for caches"),
    Flag(
      "compaction-jobs", .integer, "N", default: "1",
      help: "merges at a time, 1 to \(StoreOptions.compactorCountMax), each in a window of its own"),
    Flag(
      "compaction-rate", .size, "SIZE", default: "0",
      help: "bytes a second that all merges together write at most; 0 is no limit"),
    Flag("max-line", .size, "N", default: "1MiB", help: "longest line"),
    Flag(
      "series-limit", .integer, "N", default: "10000000",
      help: "live series a database; points of further new ones are refused; 0 is no limit"),
    Flag(
      "tag-values-limit", .integer, "N", default: "1000000",
      help: "live values of one tag key of a measurement, likewise"),
    Flag("auth", .string, "FILE", help: "reserved"),
    Flag("tls-cert", .string, "FILE", help: "reserved"),
    Flag("tls-key", .string, "FILE", help: "reserved"),
    Flag("allow", .string, "CIDR", help: "reserved"),
  ],
  examples: [
    ("varve serve", "all three listeners on this machine's loopback, data in ./varve-data"),
    (
      "varve serve --data /var/lib/varve --tcp :8094 --retention 30d",
      "TCP on every interface, points kept 30 days"
    ),
    (
      "varve serve --rule 'cpu*=>week=7d' --rule '*{env=test}=>day=1d'",
      "cpu measurements are kept 7 days, those of tests a day, the rest for ever"
    ),
    ("varve serve --http off --udp off --tcp 127.0.0.1:0", "one listener, on a free port"),
    (
      "varve serve --data /var/lib/varve --compaction-rate 20MiB",
      "merges write at most 20 MiB a second, so that other programs have the disk"
    ),
  ],
  run: { arguments in try serve(arguments) })

private func serve(_ arguments: Arguments) throws -> Int32 {
  for name in ["auth", "tls-cert", "tls-key", "allow"] where arguments.isGiven(name) {
    throw UsageError("--\(name) is reserved and does not work yet: bind to loopback or put a proxy in front")
  }
  var configuration = try serverConfiguration(arguments)
  configuration.openFiles = OpenFileLimit.raised()
  // Blocked before any thread starts, so that all inherit it and only `sigwait` sees them.
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  for signal in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&signals, signal) }
  unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
  CShims_bound_allocator()
  if configuration.store.memoryByteCount < MemoryBudget.byteCountMin {
    printError(
      "--memory \(configuration.store.memoryByteCount) is less than \(MemoryBudget.byteCountMin), the least that holds under load: "
        + "more may be taken")
  }
  if configuration.openFiles.count < OpenFileLimit.countEnough {
    printError(
      "no more than \(configuration.openFiles.count) files may be open: fewer connections are taken; raise the hard limit to 65536 "
        + "(LimitNOFILE=65536 in the service unit, or ulimit -Hn)")
  }
  // A start that fails ends the wait below.
  let server = try Server(configuration, say: { printError($0) }, onFailure: { kill(getpid(), SIGTERM) })
  while true {
    if waitForSignal(&signals, configuration.store.memory) != SIGHUP { break }
    reload(server, arguments)
  }
  let failure = server.failure
  try server.stop()
  if let failure { throw CommandFailure("cannot open the store in \(configuration.dataDirectory): \(failure)") }
  return 0
}

/// Reads flags, environment and file again, and has the server change what it can. What is wrong is said, and changes nothing.
private func reload(_ server: Server, _ arguments: Arguments) {
  do {
    guard let again = try arguments.readAgain?() else { return }
    var configuration = try serverConfiguration(again)
    configuration.openFiles = OpenFileLimit.current
    try server.reload(configuration)
  } catch {
    printError("SIGHUP: \(error); the server goes on as it was")
  }
}

/// Waits for a signal. Once a second meanwhile, where the process takes more than those parts of the budget may hold that are counted,
/// free pages between pieces in use go back to the system: series that come and go leave the heaps of the allocator full of them.
private func waitForSignal(_ signals: inout sigset_t, _ memory: MemoryBudget) -> Int32 {
  let countedByteCountMax = Int64(memory.byteCount - memory.share(of: .process))
  var period = timespec(tv_sec: 1, tv_nsec: 0)
  while true {
    let signal = unsafe sigtimedwait(&signals, nil, &period)
    if signal > 0 { return signal }
    if CShims_resident_bytes() > countedByteCountMax { CShims_trim_allocator() }
  }
}

/// What `serve` was told, checked.
package func serverConfiguration(_ arguments: Arguments) throws -> ServerConfiguration {
  var out = ServerConfiguration()
  out.dataDirectory = arguments.text("data")
  out.database = arguments.text("database")
  out.precision = arguments.string("precision").flatMap { Precision($0) }
  out.carriageReturn = CarriageReturnMode(rawValue: arguments.text("crlf")) ?? .strip
  out.retention = arguments.nanoseconds("retention") ?? 0
  out.windowLength = arguments.nanoseconds("window") ?? 0
  out.lineByteCountMax = max(64, arguments.byteCount("max-line") ?? 1 << 20)
  out.rules = try arguments.strings("rule").map { text in
    guard let rule = RuleConfiguration(text, ttl: { Quantity.nanoseconds($0) }) else {
      throw UsageError("--rule takes [DATABASE:]MEASUREMENT[{TAG=VALUE}]=>POLICY[=TTL] such as 'cpu*=>week=7d', not \"\(text)\"")
    }
    return rule
  }
  for text in arguments.strings("quota") {
    let parts = text.split(separator: "=", omittingEmptySubsequences: false)
    guard parts.count <= 2, let last = parts.last, let size = Quantity.byteCount(String(last)), size > 0, parts[0] != "" else {
      throw UsageError("--quota takes [DATABASE=]SIZE such as 10GiB or edge=500MiB, not \"\(text)\"")
    }
    out.store.quotas[parts.count == 2 ? String(parts[0]) : out.database] = UInt64(size)
  }
  out.store.diskReserveByteCount = UInt64(arguments.byteCount("disk-reserve") ?? 0)
  out.store.compactionPolicy = CompactionPolicy(rawValue: arguments.text("compaction-policy")) ?? .timeWindow
  out.listeners = []
  for kind in ListenerConfiguration.Kind.allCases {
    out.listeners += try listeners(kind, arguments)
  }
  if out.listeners.isEmpty { throw UsageError("every listener is off: there is nothing to serve") }
  out.store.memoryByteCount = arguments.byteCount("memory") ?? memoryByteCountDefault()
  out.store.walByteCountMax = arguments.byteCount("wal-limit") ?? 512 << 20
  out.store.lateness = .nanoseconds(arguments.nanoseconds("lateness") ?? 0)
  let futureLimit = arguments.nanoseconds("future-limit") ?? 0
  out.store.futureLimit = futureLimit == 0 ? .seconds(Int64(1) << 40) : .nanoseconds(futureLimit)
  out.store.cardinality.seriesCountMax = arguments.integer("series-limit") ?? 0
  out.store.cardinality.tagValueCountMax = arguments.integer("tag-values-limit") ?? 0
  out.store.sync = try syncMode(arguments.text("sync"))
  out.store.compactorCount = try compactorCount(arguments.integer("compaction-jobs") ?? 1)
  out.store.compactionBytesPerSecond = UInt64(arguments.byteCount("compaction-rate") ?? 0)
  return out
}

private func compactorCount(_ count: Int) throws -> Int {
  guard 1...StoreOptions.compactorCountMax ~= count else {
    throw UsageError("--compaction-jobs takes 1 to \(StoreOptions.compactorCountMax), not \(count)")
  }
  return count
}

private func syncMode(_ text: String) throws -> SyncMode {
  switch text {
  case "group": return .group
  case "none": return .none
  default:
    guard text.hasPrefix("interval="), let span = Quantity.nanoseconds(String(text.dropFirst(9))), span > 0
    else {
      throw UsageError("--sync takes group, interval=100ms or none, not \"\(text)\"")
    }
    return .interval(.nanoseconds(span))
  }
}

/// The listeners of one kind: from flags or environment, else from the file, where each is an address or an object.
private func listeners(
  _ kind: ListenerConfiguration.Kind, _ arguments: Arguments
) throws -> [ListenerConfiguration] {
  if !arguments.isGiven(kind.rawValue), case .object(let file)? = arguments.configuration,
    let value = file[kind.rawValue]
  {
    if case .list(let values) = value { return try values.compactMap { try listener(kind, $0) } }
    return try [listener(kind, value)].compactMap { $0 }
  }
  return try arguments.strings(kind.rawValue).compactMap { try listener(kind, .string($0)) }
}

private func listener(
  _ kind: ListenerConfiguration.Kind, _ value: ConfigurationValue
) throws -> ListenerConfiguration? {
  switch value {
  case .string("off"), .boolean(false), .null: return nil
  case .string(let text):
    guard let made = ListenerConfiguration(kind: kind, address: text) else {
      throw UsageError(
        "--\(kind.rawValue) takes ADDR:PORT such as 127.0.0.1:8094, :8094 or [::1]:8094, not \"\(text)\"")
    }
    return made
  case .object(let fields): return try listener(kind, fields)
  default: throw UsageError("\(kind.rawValue) in the configuration file is an address or an object")
  }
}

private func listener(
  _ kind: ListenerConfiguration.Kind, _ fields: [String: ConfigurationValue]
) throws -> ListenerConfiguration {
  guard case .string(let address)? = fields["listen"],
    var made = ListenerConfiguration(kind: kind, address: address)
  else {
    throw UsageError("a \(kind.rawValue) listener in the configuration file needs listen: \"ADDR:PORT\"")
  }
  for (name, value) in fields where name != "listen" {
    guard case .string(let text) = value else {
      throw UsageError("\(name) of \(kind.rawValue) listener \(address) is a text")
    }
    switch name {
    case "database": made.database = text
    case "policy": made.policy = text
    case "precision":
      guard let precision = Precision(text) else {
        throw UsageError("\(address): unknown precision \"\(text)\"")
      }
      made.precision = precision
    case "crlf":
      guard let mode = CarriageReturnMode(rawValue: text) else {
        throw UsageError("\(address): unknown crlf \"\(text)\"")
      }
      made.carriageReturn = mode
    default:
      let near = nearest(to: name, among: ["database", "policy", "precision", "crlf"])
      throw UsageError("\(address): unknown key \"\(name)\"" + (near.map { "; did you mean \($0)?" } ?? ""))
    }
  }
  return made
}

/// A quarter of the cgroup's limit where there is one, else of the machine's memory.
private func memoryByteCountDefault() -> Int {
  let machine = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
  var limit = machine
  for file in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
    // No such file: no such cgroup.
    guard let bytes = try? readWholeFile(file) else { continue }
    let text = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first ?? ""
    if let value = Int(text), value > 0 { limit = min(limit, value) }
  }
  return max(limit / 4, 64 << 20)
}

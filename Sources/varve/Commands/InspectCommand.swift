import FoundationEssentials
import Glibc
import Query
import Storage

/// `varve inspect`.
package let inspectCommand = Subcommand(
  name: "inspect",
  summary: "What is in an SSTable, a tar of them, a WAL segment, a manifest, or a data directory",
  operands: "FILE|DIR",
  operandCountMax: 1,
  flags: [
    Flag("json", .toggle, help: "as JSON: the properties of a table, the state of a directory, else the text")
  ],
  examples: [
    ("varve inspect ./varve-data", "databases, policies, windows, runs and tables of a directory"),
    ("varve inspect --json ./varve-data/CURRENT", "the manifest in force, for another program"),
  ],
  run: { arguments in
    guard let path = arguments.operands.first else {
      throw UsageError("what shall be inspected? A file or a directory")
    }
    let text = try Inspection(path).text(isJSON: arguments.isOn("json"))
    try Output.standard.write(text.hasSuffix("\n") ? text : text + "\n")
    return 0
  })

/// A file or directory that is looked at, read-only and without a lock: a running server is not disturbed.
private struct Inspection {
  private let path: String
  private let fileSystem: POSIXFileSystem
  /// Relative to the file system's root; empty for a directory.
  private let name: String

  init(_ path: String) throws {
    self.path = path
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      throw CommandFailure("cannot open \(path): \(systemErrorText(errno))")
    }
    if status.st_mode & S_IFMT == S_IFDIR {
      (fileSystem, name) = (POSIXFileSystem(root: path), "")
      return
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    fileSystem = POSIXFileSystem(root: parts.count == 1 ? "." : folder.isEmpty ? "/" : folder)
    name = String(parts[parts.count - 1])
  }

  func text(isJSON: Bool) throws -> String {
    if name.isEmpty { return try directory(isJSON: isJSON) }
    // By content, not by name: files are renamed when they are sent to someone.
    let head = try firstBytes()
    if head.starts(with: "VARVEsst".utf8) { return try table(isJSON: isJSON) }
    if TarHeader.begins(head) || TarReader.isNamed(name) { return try tar(isJSON: isJSON) }
    if head.starts(with: "VARVEWAL".utf8) || name.hasSuffix(".wal") {
      let text = try dumpSegment(fileSystem: fileSystem, name: name)
      return isJSON ? try json(["file": path, "dump": text]) : text
    }
    if name == "CURRENT", isJSON {
      return try json(try Manifest.open(fileSystem: fileSystem, isReadOnly: true).state)
    }
    if name == "CURRENT" || name.hasPrefix("MANIFEST-") {
      let manifest = name == "CURRENT" ? try manifestInForce(head) : name
      let text = try dumpManifest(fileSystem: fileSystem, name: manifest)
      return isJSON ? try json(["file": path, "dump": text]) : text
    }
    throw CommandFailure(
      "\(path) is no SSTable, tar of them, WAL segment or manifest: it begins with \(head.prefix(8).map { hexadecimal($0) }.joined(separator: " "))"
    )
  }

  private func firstBytes() throws -> [UInt8] {
    let file = try fileSystem.open(name)
    var head = [UInt8](repeating: 0, count: Int(min(try file.byteCount(), UInt64(TarHeader.lookByteCount))))
    try unsafe head.withUnsafeMutableBytes { try unsafe file.read(at: 0, into: $0) }
    return head
  }

  private func manifestInForce(_ head: [UInt8]) throws -> String {
    let line = String(decoding: head, as: UTF8.self).split { $0.isWhitespace }.first {
      $0.hasPrefix("MANIFEST-")
    }
    guard let line else { throw CommandFailure("\(path) names no manifest") }
    return String(line)
  }

  private func table(isJSON: Bool) throws -> String {
    // The number is told by the name, where the name is still ours: "20261120T000000Z-0000000042.sst".
    let digits = name.split(separator: ".").first?.split(separator: "-").last.flatMap { UInt64($0) } ?? 0
    let table = try Table.open(
      file: try fileSystem.open(name), number: digits, cache: BlockCache(byteCountMax: 64 << 20))
    return isJSON ? try json(try table.properties()) : try dumpTable(table)
  }

  /// A line a table; each is looked at whole.
  private func tar(isJSON: Bool) throws -> String {
    var reader = TarReader(try InputFile(path))
    var tables: [TableProperties] = []
    var text = ""
    while let entry = try reader.next() {
      let one = try LooseTable(name: "\(path)(\(entry.name))", bytes: entry.bytes).verified()
      tables.append(one)
      text += "\(entry.name)  \(one.database).\(one.policy): \(one.rowCount) rows of \(one.seriesCount) series"
      text += " in \(one.measurementCount) measurements, \(QueryTime.print(one.firstTimestamp)) … "
      text += "\(QueryTime.print(one.lastTimestamp)), \(entry.bytes.count) bytes\n"
    }
    if isJSON { return try json(tables) }
    let rowCount = tables.reduce(0) { $0 + $1.rowCount }
    return "\(path): \(tables.count) tables, \(rowCount) rows, every checksum holds\n" + text
  }

  private func directory(isJSON: Bool) throws -> String {
    guard try fileSystem.exists("CURRENT") else {
      throw CommandFailure("\(path) is no data directory: it has no CURRENT")
    }
    let state = try Manifest.open(fileSystem: fileSystem, isReadOnly: true).state
    if isJSON { return try json(state) }
    let backup = try CheckpointList.read(from: fileSystem).map { list, _ in
      "a backup: every batch through \(list.lastSequence), nothing written to it since\n"
    }
    return (backup ?? "") + DirectoryText(path, state, segments: try segments()).text
  }

  private func segments() throws -> [(name: String, byteCount: UInt64)] {
    guard try fileSystem.exists("wal") else { return [] }
    return try fileSystem.list("wal").sorted().map { ($0, try fileSystem.open("wal/" + $0).byteCount()) }
  }

  private func json(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

/// What a manifest's state says, for people.
private struct DirectoryText {
  private(set) var text: String

  init(_ path: String, _ state: ManifestState, segments: [(name: String, byteCount: UInt64)]) {
    let logBytes = segments.reduce(0) { $0 + $1.byteCount }
    text =
      "\(path): \(state.databases.count) databases, \(state.keyspaces.count) policies, last batch in tables "
    text += "\(state.lastSequence), next table \(state.nextTable)\n"
    text += "log: \(segments.count) segments, \(logBytes) bytes\n"
    for segment in segments { text += "  wal/\(segment.name)  \(segment.byteCount) bytes\n" }
    for keyspace in state.keyspaces { add(keyspace) }
  }

  private mutating func add(_ keyspace: KeyspaceState) {
    let runs = keyspace.windows.flatMap(\.runs)
    text += "\n\(keyspace.database).\(keyspace.policy)\(keyspace.isDefault ? " (default)" : ""): "
    text += "\(keyspace.ttl == 0 ? "kept for ever" : "TTL \(Self.duration(keyspace.ttl))"), "
    text +=
      "windows of \(Self.duration(keyspace.windowLength)), \(keyspace.windows.count) windows, \(runs.count) runs, "
    text += "\(runs.reduce(0) { $0 + $1.rowCount }) rows, \(runs.reduce(0) { $0 + $1.byteCount }) bytes\n"
    for window in keyspace.windows {
      text += "  \(QueryTime.print(window.start)) … \(QueryTime.print(window.end))"
      text += "  flushed through \(window.flushedThrough)\n"
      for run in window.runs {
        text += "    run \(run.firstSequence)…\(run.lastSequence)\(run.isFinal ? " final" : ""): "
        text += "\(run.rowCount) rows, \(run.byteCount) bytes, tables "
        text += run.tables.map { "\($0.number)" }.joined(separator: ", ") + "\n"
      }
    }
  }

  /// `6h`, `30d`, `1h30m`.
  private static func duration(_ nanoseconds: Int64) -> String {
    var (rest, text) = (nanoseconds, "")
    for (unit, letter) in [
      (86_400_000_000_000, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "m"), (1_000_000_000, "s"),
    ]
      as [(Int64, String)] where rest >= unit
    {
      text += "\(rest / unit)\(letter)"
      rest %= unit
    }
    return rest > 0 ? text + "\(rest)ns" : text.isEmpty ? "0s" : text
  }
}

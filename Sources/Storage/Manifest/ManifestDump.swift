/// What is in a manifest, as text: a line for each of its lines with its offset, then what it says. For `varve inspect` and for
/// reviewers of the format.
///
/// - Parameter name: relative to the file system's root.
package func dumpManifest(fileSystem: any FileSystem, name: String) throws(StorageError) -> String {
  let bytes = try fileSystem.open(name).readAll()
  let contents = try ManifestContents(bytes, file: name)
  var lines = ["\(name): manifest \(contents.number), format \(contents.format), \(bytes.count) bytes"]
  for (index, line) in contents.lines.enumerated() {
    let checksum = String(decoding: bytes[line.offset..<line.offset + 8], as: UTF8.self)
    lines.append(dumpLine(UInt64(line.offset), index == 0 ? "state" : "edits", "\(line.byteCount) bytes, crc32c \(checksum)"))
    lines.append(String(repeating: " ", count: 25) + String(decoding: line.text, as: UTF8.self))
  }
  switch contents.tail {
  case .clean: break
  case .unterminated: lines.append(dumpLine(UInt64(contents.byteCount), "cut", "the last newline is missing"))
  case .torn(let count): lines.append(dumpLine(UInt64(contents.byteCount), "torn", "\(count) bytes"))
  }
  let state = contents.state
  lines.append("in force: databases \(state.databases.count), keyspaces \(state.keyspaces.count), next table \(state.nextTable), "
    + "last sequence \(state.lastSequence), last segment \(state.lastSegment)")
  for keyspace in state.keyspaces {
    lines.append(
      "  keyspace \(keyspace.id.number) \(keyspace.database).\(keyspace.policy)\(keyspace.isDefault ? " (default)" : ""): "
        + "TTL \(keyspace.ttl), window length \(keyspace.windowLength), horizon \(keyspace.horizon)")
    for tombstone in keyspace.tombstones {
      let deletion = tombstone.deletion
      lines.append("    tombstone \(tombstone.sequence): times \(deletion.start) ..< \(deletion.end)")
    }
    for window in keyspace.windows {
      lines.append("    window \(window.start) ..< \(window.end), flushed through \(window.flushedThrough)")
      for run in window.runs {
        lines.append(
          "      run \(run.firstSequence) ... \(run.lastSequence)\(run.isFinal ? " (final)" : ""): tables "
            + run.tables.map { String($0.number) }.joined(separator: ", ")
            + "; \(run.rowCount) rows, \(run.byteCount) bytes")
      }
    }
  }
  return lines.joined(separator: "\n") + "\n"
}

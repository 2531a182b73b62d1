/// What `CHECKPOINT-0000000005` says: that nothing was written to the directory since manifest 5 was put in force, which makes it a
/// backup, and which segments of the log belong to it. See Manifest.md.
///
/// A backup is added to beside the old files; `CURRENT` switches manifest and list in one step. The first thing that a store does
/// which opens the directory for writing is to end that state: the segments of no list go, then the list.
package struct CheckpointList: Codable, Sendable, Equatable {
  private static let formatVersion = 1
  private static let prefix = "CHECKPOINT-"

  private var format = Self.formatVersion
  /// Numbers, ascending.
  package var segments: [UInt64]
  /// Every batch up to this number is in tables or segments, none above it.
  package var lastSequence: UInt64

  package init(segments: [UInt64], lastSequence: UInt64) {
    self.segments = segments
    self.lastSequence = lastSequence
  }

  static func fileName(_ manifest: UInt64) -> String { prefix + paddedNumber(manifest) }

  /// The number of the manifest that a file's name says it belongs to; `nil` for what is no list.
  package static func manifestNumber(of name: String) -> UInt64? { fileNumber(of: name, prefix: prefix) }

  /// The list of the manifest in force; `nil` where the directory is no backup, or not any more.
  package static func read(from fileSystem: any FileSystem) throws(StorageError) -> (
    list: CheckpointList, manifest: UInt64
  )? {
    guard try fileSystem.exists(Manifest.currentName),
      let number = fileNumber(of: try Manifest.current(of: fileSystem), prefix: "MANIFEST-")
    else { return nil }
    let name = fileName(number)
    guard try fileSystem.exists(name) else { return nil }
    let bytes = try fileSystem.open(name).readAll()
    guard bytes.last == UInt8(ascii: "\n"), let text = ManifestLine.decode(bytes.dropLast()) else {
      throw StorageError(.corrupt, file: name, offset: 0, "the line's checksum does not hold")
    }
    let list = try ManifestLine.decode(json: text, as: CheckpointList.self, file: name, offset: 0)
    guard list.format == formatVersion else {
      throw StorageError(
        .unsupportedVersion, file: name, offset: 0,
        "checkpoint format \(list.format), this version reads \(formatVersion)")
    }
    return (list, number)
  }

  /// Writes the list of a manifest that is yet to be written, synced; the directory too.
  package func write(to fileSystem: any FileSystem, manifest: UInt64) throws(StorageError) {
    let name = Self.fileName(manifest)
    // One that a crash left before `CURRENT` named its manifest.
    try fileSystem.remove(name)
    let file = try fileSystem.create(name)
    try file.write(try ManifestLine.encode(json: self), at: 0)
    try file.sync()
    try fileSystem.syncDirectory("")
    try file.close()
  }

  /// Makes a store of its own of a backup, before anything is written to it; answers what list was in force. Elsewhere it does nothing.
  package static func end(in fileSystem: any FileSystem) throws(StorageError) -> CheckpointList? {
    let lists = try fileSystem.list("").filter { manifestNumber(of: $0) != nil }
    if lists.isEmpty { return nil }
    guard try fileSystem.exists(Manifest.currentName) else {
      throw StorageError(
        .invalid,
        "\(fileSystem.rootPath) holds a backup that was not finished: varve backup --incremental goes on with it"
      )
    }
    let inForce = try read(from: fileSystem)
    if let (list, number) = inForce {
      if try fileSystem.exists(LogFormat.directory) { try removeSegments(notIn: list, from: fileSystem) }
      // Edits go to another file: this one may be a link to that of a backup that stays one.
      let state = try Manifest.open(fileSystem: fileSystem, isReadOnly: true).state
      try Manifest.write(state, number: number + 1, to: fileSystem)
    }
    for name in lists { try fileSystem.remove(name) }
    try fileSystem.syncDirectory("")
    return inForce?.list
  }

  private static func removeSegments(notIn list: CheckpointList, from fileSystem: any FileSystem)
    throws(StorageError)
  {
    let kept = Set(list.segments.map(LogFormat.name))
    for entry in try fileSystem.list(LogFormat.directory) {
      let name = LogFormat.directory + "/" + entry
      if !kept.contains(name) { try fileSystem.remove(name) }
    }
    try fileSystem.syncDirectory(LogFormat.directory)
  }
}

/// How manifests come and go: opening, the first one, a new one when the old is long.
extension Manifest {
  /// How many older files are kept beside the one in force.
  static let keptCount: UInt64 = 2

  /// Opens the manifest that `CURRENT` names, drops a torn last line, removes leftovers; makes the first one in a new directory.
  ///
  /// Read only, nothing is changed on the disk, and a directory without a store is `.notFound`.
  package static func open(
    fileSystem: any FileSystem, isReadOnly: Bool, options: Options = Options()
  ) throws(StorageError) -> Manifest {
    guard try fileSystem.exists(currentName) else {
      if isReadOnly { throw StorageError(.notFound, "\(fileSystem.rootPath) holds no store: there is no CURRENT") }
      try checkIsNew(fileSystem)
      return try begin(fileSystem: fileSystem, number: 1, state: ManifestState(), options: options)
    }
    let name = try current(of: fileSystem)
    let file = isReadOnly ? try fileSystem.open(name) : try fileSystem.openForWriting(name)
    let contents = try ManifestContents(try file.readAll(), file: name)
    guard fileName(contents.number) == name else {
      throw StorageError(.corrupt, file: name, offset: 0, "says that it is manifest \(contents.number)")
    }
    var writer = Writer(
      file: nil, number: contents.number, byteCount: contents.byteCount, headByteCount: contents.headByteCount)
    if !isReadOnly {
      try settle(file, contents, &writer, in: fileSystem)
      writer.file = file
    }
    // Lines of this format do not go behind a first line of an older one.
    if !isReadOnly, contents.format < ManifestLine.formatVersion {
      return try begin(
        fileSystem: fileSystem, number: contents.number + 1, state: contents.state, options: options)
    }
    let manifest = Manifest(fileSystem: fileSystem, options: options, writer: writer, state: contents.state)
    if !isReadOnly { try manifest.sweep(number: contents.number) }
    return manifest
  }

  /// Writes a manifest that holds just `state` into a directory, and the `CURRENT` that names it, all synced: a first one, a new
  /// one, or that of a checkpoint.
  package static func write(
    _ state: ManifestState, number: UInt64, to fileSystem: any FileSystem
  ) throws(StorageError) {
    try writeHead(state, number: number, to: fileSystem)
    try publish(number, in: fileSystem)
  }

  /// The name in `CURRENT`.
  package static func current(of fileSystem: any FileSystem) throws(StorageError) -> String {
    let bytes = try fileSystem.open(currentName).readAll()
    guard bytes.last == UInt8(ascii: "\n"), let text = ManifestLine.decode(bytes.dropLast()),
      let number = fileNumber(of: String(decoding: text, as: UTF8.self), prefix: "MANIFEST-")
    else {
      throw StorageError(
        .corrupt, file: currentName, offset: 0, "does not name a manifest under a checksum; run `varve repair`")
    }
    let name = fileName(number)
    if try !fileSystem.exists(name) {
      throw StorageError(.corrupt, file: currentName, offset: 0, "names \(name), which is not there; run `varve repair`")
    }
    return name
  }

  /// A directory without `CURRENT` is new only if nothing of a store is in it but what a crash in its first moment leaves: else
  /// a first manifest would make orphans of tables that hold data.
  private static func checkIsNew(_ fileSystem: any FileSystem) throws(StorageError) {
    for name in try fileSystem.list("") {
      let isEvidence =
        switch name {
        case "tables", "wal": try !fileSystem.list(name).isEmpty
        default: (fileNumber(of: name, prefix: "MANIFEST-") ?? 0) > 1
        }
      if isEvidence {
        throw StorageError(
          .corrupt, file: currentName, "is not there, but \(name) is: this is not a new directory; run `varve repair`")
      }
    }
  }

  private static func begin(
    fileSystem: any FileSystem, number: UInt64, state: ManifestState, options: Options
  ) throws(StorageError) -> Manifest {
    let (file, byteCount) = try writeHead(state, number: number, to: fileSystem)
    try publish(number, in: fileSystem)
    let writer = Writer(file: file, number: number, byteCount: byteCount, headByteCount: byteCount)
    return Manifest(fileSystem: fileSystem, options: options, writer: writer, state: state)
  }

  /// A file with its first line, synced, and its name with it.
  @discardableResult
  private static func writeHead(
    _ state: ManifestState, number: UInt64, to fileSystem: any FileSystem
  ) throws(StorageError) -> (file: any StoredFile, byteCount: Int) {
    let head = ManifestHead(format: ManifestLine.formatVersion, number: number, state: state)
    let line = try ManifestLine.encode(json: head)
    // One that a crash left before `CURRENT` named it.
    try fileSystem.remove(fileName(number))
    let file = try fileSystem.create(fileName(number))
    try file.write(line, at: 0)
    try file.sync()
    try fileSystem.syncDirectory("")
    return (file, line.count)
  }

  /// Lets `CURRENT` name a manifest.
  private static func publish(_ number: UInt64, in fileSystem: any FileSystem) throws(StorageError) {
    try writeCurrentNext(number, in: fileSystem)
    try fileSystem.rename(currentNextName, to: currentName)
    try fileSystem.syncDirectory("")
  }

  private static func writeCurrentNext(_ number: UInt64, in fileSystem: any FileSystem) throws(StorageError) {
    try fileSystem.remove(currentNextName)
    let file = try fileSystem.create(currentNextName)
    try file.write(ManifestLine.encode(Array(fileName(number).utf8)), at: 0)
    try file.sync()
    try file.close()
  }

  /// Cuts a torn last line, or ends one whose newline is missing, and syncs all that stands there before anything rests on it: a
  /// process that was killed may have left its last line and the name of the file in the page cache alone. The line is written again,
  /// since a sync that failed leaves pages that no later sync would write.
  private static func settle(
    _ file: any StoredFile, _ contents: ManifestContents, _ writer: inout Writer, in fileSystem: any FileSystem
  ) throws(StorageError) {
    try file.write(contents.lastLine, at: UInt64(contents.byteCount - contents.lastLine.count))
    switch contents.tail {
    case .clean: break
    case .unterminated:
      try file.write([UInt8(ascii: "\n")], at: UInt64(contents.byteCount))
      writer.byteCount += 1
    case .torn: try file.truncate(to: UInt64(contents.byteCount))
    }
    try file.sync()
    try fileSystem.syncDirectory("")
  }

  /// Begins a new file with one line of `state`. Fails without harm until `CURRENT` is renamed; from there on a failure leaves
  /// open which file a restart finds, so no further edit may be written to either.
  func rotate(_ writer: inout Writer, state: ManifestState) throws(StorageError) {
    let number = writer.number + 1
    let (file, byteCount) = try Self.writeHead(state, number: number, to: fileSystem)
    try Self.writeCurrentNext(number, in: fileSystem)
    do throws(StorageError) {
      try fileSystem.rename(Self.currentNextName, to: Self.currentName)
      try fileSystem.syncDirectory("")
    } catch {
      writer.failure = error
      throw error
    }
    writer = Writer(file: file, number: number, byteCount: byteCount, headByteCount: byteCount)
    // Leftovers are no harm: what cannot be removed now goes with the next rotation or start.
    do throws(StorageError) { try sweep(number: number) } catch { writer.rotationFailure = error }
  }

  /// Removes what is older than the files kept, and what a crash left of a newer one.
  private func sweep(number: UInt64) throws(StorageError) {
    for name in try fileSystem.list("") {
      let found = fileNumber(of: name, prefix: "MANIFEST-")
      if name == Self.currentNextName || found.map({ $0 > number || $0 + Self.keptCount < number }) == true {
        try fileSystem.remove(name)
      }
    }
  }
}

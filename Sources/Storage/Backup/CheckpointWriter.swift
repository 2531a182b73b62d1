/// Writes a checkpoint into a directory: links tables and segments, then lets a manifest name them.
///
/// In this order, each step synced before the next: the list of segments, tables and segments, the manifest, `CURRENT`. What the
/// backup before has and this one has not goes last. Stopped anywhere, the directory holds the one or the other.
struct CheckpointWriter {
  let source: any FileSystem
  let target: any FileSystem
  /// What the manifest of the checkpoint says.
  let state: ManifestState
  /// Ended, in order.
  let segments: [SegmentInfo]
  var report = BackupReport()

  init(source: any FileSystem, target: any FileSystem, state: ManifestState, segments: [SegmentInfo]) {
    self.source = source
    self.target = target
    self.state = state
    self.segments = segments
  }

  /// - Throws: `.invalid` where the directory is neither empty nor, where that is asked for, an earlier backup of the same store.
  mutating func run(isIncremental: Bool, lastSequence: UInt64) throws(StorageError) {
    let number = try manifestNumber(isIncremental: isIncremental)
    let missing = try missingFiles()
    try CheckpointList(segments: segments.map(\.number), lastSequence: lastSequence).write(
      to: target, manifest: number)
    let folders = Set(missing.map { folderName(of: $0.name) } + ["tables", LogFormat.directory]).sorted()
    for folder in folders { try target.createDirectory(folder) }
    for file in missing { try place(file) }
    for folder in folders { try target.syncDirectory(folder) }
    try target.syncDirectory("")
    try Manifest.write(state, number: number, to: target)
    try removeOthers(than: number)
    report.lastSequence = lastSequence
  }

  private struct File {
    var name: String
    var byteCount: UInt64
    /// Its own directory may still cut it.
    var mustCopy: Bool
  }

  /// What the directory does not have yet. Tables and ended segments never change, and no number is used twice: what has the same
  /// name is the same file, unless it is of another store.
  private mutating func missingFiles() throws(StorageError) -> [File] {
    var missing: [File] = []
    let files =
      state.tableFiles.map { (name: $0.name, mustCopy: false) }
      + segments.map { (name: LogFormat.name($0.number), mustCopy: $0.hasSlack) }
    for (name, mustCopy) in files {
      let byteCount = try source.open(name).byteCount()
      report.byteCount += byteCount
      guard try target.exists(name) else {
        missing.append(File(name: name, byteCount: byteCount, mustCopy: mustCopy))
        continue
      }
      guard try source.isLikely(name, sameAs: target, name) else {
        throw StorageError(
          .invalid, file: name,
          "\(target.rootPath) has another file of this name: it is no backup of this store; choose another directory"
        )
      }
      report.keptCount += 1
    }
    return missing
  }

  /// The number of the manifest to write; refuses directories that hold anything that is not ours to replace.
  private func manifestNumber(isIncremental: Bool) throws(StorageError) -> UInt64 {
    let names = try target.list("").filter { $0 != Store.lockName }
    let path = target.rootPath
    if names.isEmpty { return 1 }
    let isBackup: Bool
    var number: UInt64 = 1
    if names.contains(Manifest.currentName) {
      let found = try CheckpointList.read(from: target)
      isBackup = found != nil
      number = (found?.manifest ?? 0) + 1
    } else {
      // One that was not finished.
      isBackup = names.contains { CheckpointList.manifestNumber(of: $0) != nil }
    }
    guard isBackup else {
      throw StorageError(
        .invalid,
        names.contains(Manifest.currentName)
          ? "\(path) is a store and no backup, or not any more: it was opened for writing; choose another directory"
          : "\(path) is not empty and holds no backup; choose another directory")
    }
    if !isIncremental {
      throw StorageError(.invalid, "\(path) holds a backup already; --incremental brings it up to date")
    }
    return number
  }

  private mutating func place(_ file: File) throws(StorageError) {
    if !file.mustCopy, try source.transfer(file.name, to: target, as: file.name) {
      report.linkedCount += 1
      return
    }
    if file.mustCopy { try source.copy(file.name, to: target, as: file.name) }
    report.copiedCount += 1
    report.copiedByteCount += file.byteCount
  }

  /// Removes what the manifest in force does not name, of the kinds of files that a backup has.
  private mutating func removeOthers(than number: UInt64) throws(StorageError) {
    let kept = Set(state.tableFiles.map(\.name) + segments.map { LogFormat.name($0.number) })
    for name in try target.list(LogFormat.directory) {
      try remove(LogFormat.directory + "/" + name, unlessIn: kept)
    }
    for folder in try target.list("tables") where UInt32(folder) != nil {
      let path = "tables/" + folder
      for name in try target.list(path) { try remove(path + "/" + name, unlessIn: kept) }
      if !kept.contains(where: { $0.hasPrefix(path + "/") }) { try target.removeDirectory(path) }
    }
    for name in try target.list("") {
      let found = fileNumber(of: name, prefix: "MANIFEST-") ?? CheckpointList.manifestNumber(of: name)
      if let found, found != number { try target.remove(name) }
    }
  }

  private mutating func remove(_ name: String, unlessIn kept: Set<String>) throws(StorageError) {
    if kept.contains(name) { return }
    try target.remove(name)
    report.removedCount += 1
  }

  /// Reads back what the backup holds, every checksum.
  mutating func verify() throws(StorageError) {
    let path = target.rootPath
    do throws(StorageError) {
      for (name, table) in state.tableFiles {
        try Table.open(file: target.open(name), state: table, cache: BlockCache(byteCountMax: 1 << 20))
          .verify()
        report.verifiedCount += 1
      }
      let survey = try WriteAheadLog.survey(
        fileSystem: target, isReadOnly: true, segments: Set(segments.map(\.number)))
      try WriteAheadLog.replay(survey, fileSystem: target) { _ throws(StorageError) in }
      report.verifiedCount += segments.count
    } catch {
      throw error.under(path)
    }
  }
}

extension StorageError {
  /// The same of a file whose name is relative to a directory.
  func under(_ directory: String) -> StorageError {
    StorageError(
      code, file: file.isEmpty || file.hasPrefix("/") ? file : directory + "/" + file, offset: offset, detail)
  }
}

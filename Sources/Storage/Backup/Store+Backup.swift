/// Backups of a store that goes on.
extension Store {
  /// Makes a backup, or brings one up to date: a directory that opens as a store by itself and can be restored from.
  ///
  /// Every batch that was durable before the call is in it, and no batch in part: the log is cut between two batches while nothing
  /// is published. Nothing is flushed; tables and ended segments get second names in the directory, or are copied to another
  /// device, and the disk holds them while either name stands. Until `CURRENT` names the new manifest the directory is what it was
  /// before: no backup, or the earlier one. Waits for the replay first.
  ///
  /// - Parameters:
  ///   - directory: an absolute path; not there, or empty, or with `isIncremental` an earlier backup of this store.
  ///   - database: only this one; segments of the log are taken whole, with what they hold of others.
  ///   - isVerified: reads back and checks every table and segment of the backup.
  /// - Throws: `.invalid` where the directory will not do, `.locked` where a store has it open, `.notFound` for the database,
  ///   `.full`, `.io`; `.corrupt` with file and offset of what does not hold.
  public func backUp(
    to directory: String, database: String? = nil, isIncremental: Bool = false, isVerified: Bool = false
  ) throws(StorageError) -> BackupReport {
    guard let log, let writing else { throw StorageError(.invalid, "the store is open for reading only") }
    let target = try directoryApart(directory)
    try waitUntilReplayed()
    let start = monotonicNanoseconds()
    try target.createDirectory("")
    let lock = try target.lock(Self.lockName)
    defer { withExtendedLifetime(lock) {} }
    var writer = try writeCheckpoint(to: target, of: database, isIncremental: isIncremental, log: log)
    // What was held back meanwhile.
    try writing.flusher.trimLog()
    if isVerified { try writer.verify() }
    writer.report.milliseconds = Double(monotonicNanoseconds() - start) / 1_000_000
    return writer.report
  }

  /// Writes what stands at one instant, and keeps it on the disk meanwhile.
  private func writeCheckpoint(
    to target: any FileSystem, of database: String?, isIncremental: Bool, log: WriteAheadLog
  ) throws(StorageError) -> CheckpointWriter {
    let segmentPin = log.pinSegments()
    defer { withExtendedLifetime(segmentPin) {} }
    var (state, version, cut) = try publisher.checkpoint { () throws(StorageError) in try log.cut() }
    // A log that was emptied begins again at any number not reserved, and a backup tells segments by their numbers.
    try publisher.publish([.reserve(nextTable: nil, lastSequence: nil, lastSegment: cut.segment)])
    let pin = snapshots.pin(version)
    defer { withExtendedLifetime(pin) {} }
    if let database {
      guard state.databases.contains(database) else {
        throw StorageError(.notFound, "database not found: \(database)")
      }
      state = state.keeping(databases: [database])
    }
    state.lastSequence = max(state.lastSequence, cut.lastSequence)
    state.lastSegment = max(state.lastSegment, cut.segment)
    var writer = CheckpointWriter(
      source: fileSystem, target: target, state: state, segments: try log.segments(through: cut))
    try writer.run(isIncremental: isIncremental, lastSequence: cut.lastSequence)
    return writer
  }

  /// A directory that is to be written or read beside the store's own.
  func directoryApart(_ path: String) throws(StorageError) -> any FileSystem {
    guard path.hasPrefix("/") else {
      throw StorageError(
        .invalid, "\"\(path)\" is no absolute path: the directory lies on the store's machine")
    }
    if fileSystem.holds(path: path) {
      throw StorageError(
        .invalid, "\(path) lies in the data directory \(fileSystem.rootPath): choose one outside of it")
    }
    return fileSystem.rooted(at: path)
  }
}

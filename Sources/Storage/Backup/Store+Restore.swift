/// Databases out of backups.
extension Store {
  /// Brings databases of a backup in beside those that are there: every policy with all that it held then, its TTL, horizon,
  /// deletes and rules. What has expired meanwhile stays invisible.
  ///
  /// Every checksum is looked at first. Nothing is changed until all of it is in tables under new numbers; then one edit shows
  /// them. The backup is only read; tables are linked where that can be. Waits for the replay first.
  ///
  /// - Parameters:
  ///   - directory: an absolute path of a backup that no other process has open.
  ///   - database: only this one; `nil`: all.
  ///   - name: what it is to be called, where that is not its own name.
  /// - Throws: `.exists` where there is a database of the name; `.notFound` where the backup has none; `.invalid` where the
  ///   directory is no backup; `.locked`; `.corrupt` with file and offset of what does not hold.
  public func restore(
    from directory: String, database: String? = nil, as name: String? = nil
  ) throws(StorageError) -> RestoreReport {
    guard let log else { throw StorageError(.invalid, "the store is open for reading only") }
    let source = try directoryApart(directory)
    try waitUntilReplayed()
    return try restoreLock.withLock { (_) throws(StorageError) -> RestoreReport in
      let start = monotonicNanoseconds()
      let lock = try Self.lockForReading(source)
      defer { withExtendedLifetime(lock) {} }
      let staging = RestoreStaging(source: source, fileSystem: fileSystem, folder: Self.stagingName)
      var (state, list) = try staging.checkpoint()
      let names = try restoredNames(state, database: database, as: name)
      state = state.keeping(databases: Set(names.keys))
      let retainer = retainer
      let failure: StorageError?
      var report = RestoreReport()
      do throws(StorageError) {
        state = try staging.flushed(state, list: list, wallClock: { retainer.now })
        report = try adopt(state, from: staging.staged, names: names, log: log)
        failure = nil
      } catch {
        failure = error
      }
      // Tables that were linked for nothing go before the folder that says what they are.
      if failure != nil { publisher.janitor.work() }
      // The next start removes what cannot be removed now.
      do throws(StorageError) { try staging.remove() } catch { if failure == nil { throw error } }
      if let failure { throw failure }
      writing?.compaction.wake()
      report.lastSequence = list.lastSequence
      report.milliseconds = Double(monotonicNanoseconds() - start) / 1_000_000
      return report
    }
  }

  /// What cannot be written needs no lock.
  private static func lockForReading(_ source: any FileSystem) throws(StorageError) -> (any FileLock)? {
    guard try source.exists("") else {
      throw StorageError(.notFound, "\(source.rootPath) is not there")
    }
    do throws(StorageError) {
      return try source.lock(lockName)
    } catch {
      if error.code == .locked { throw error.under(source.rootPath) }
      return nil
    }
  }

  /// The databases to bring in, with the names that they get.
  private func restoredNames(
    _ state: ManifestState, database: String?, as name: String?
  ) throws(StorageError) -> [String: String] {
    if let database, !state.databases.contains(database) {
      throw StorageError(
        .notFound,
        "the backup has no database \(database); it has: \(state.databases.sorted().joined(separator: ", "))")
    }
    let chosen = database.map { [$0] } ?? state.databases
    if let name {
      guard let only = chosen.first, chosen.count == 1 else {
        throw StorageError(
          .invalid, "the backup has \(chosen.count) databases: say which one is to be restored as \(name)")
      }
      try checkName(name, of: "database")
      try checkIsFree(name)
      return [only: name]
    }
    for name in chosen { try checkIsFree(name) }
    return Dictionary(uniqueKeysWithValues: chosen.map { ($0, $0) })
  }

  private func checkIsFree(_ name: String) throws(StorageError) {
    guard publisher.version.databases.contains(name) else { return }
    throw StorageError(
      .exists, "database \(name) is there already: restore it under another name with --as, or drop it first")
  }

  /// Links the tables of a state under numbers of this store and publishes its databases under their new names.
  private func adopt(
    _ state: ManifestState, from staged: any FileSystem, names: [String: String], log: WriteAheadLog
  ) throws(StorageError) -> RestoreReport {
    try catalogLock.withLock { (_) throws(StorageError) -> RestoreReport in
      // Again: a database may have been made while this one was read.
      for name in names.values { try checkIsFree(name) }
      var adoption = Adoption(
        publisher: publisher, staged: staged, fileSystem: fileSystem,
        now: retainer.doubtedStep == nil ? retainer.now : nil)
      do throws(StorageError) {
        let edits = try adoption.edits(for: state, names: names)
        let (memtable, publisher) = (memtable, publisher)
        try publisher.publish(making: { _ throws(StorageError) in
          try log.skipNumbers(through: state.lastSequence) {
            // `read` is not for here: its lock may be held around the memtable's.
            for keyspace in publisher.manifest.state.keyspaces {
              memtable.seal(keyspace.id, meeting: .min ..< .max, below: .max)
            }
          }
          return edits
        })
      } catch {
        adoption.abandon()
        throw error
      }
      return adoption.report
    }
  }
}

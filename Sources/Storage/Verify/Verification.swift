/// Checks a store: `CURRENT`, every line of the manifests, every table with all of its checksums and invariants, every record of
/// the log. Goes on after what it finds; memory is that of one table's check. Changes nothing.
struct Verification {
  private let fileSystem: PatchingFileSystem
  private(set) var report = VerifyReport()

  init(fileSystem: any FileSystem) { self.fileSystem = PatchingFileSystem(over: fileSystem) }

  /// Lists what the disk refused to read.
  mutating func checkReading() {
    for error in fileSystem.unreadable { report.add(error) }
  }

  /// `.notFound` where nothing in a directory is a store's: nothing is made there then, no lock either.
  static func checkHoldsStore(_ fileSystem: any FileSystem) throws(StorageError) {
    if try fileSystem.exists("") {
      for name in try fileSystem.list("") {
        if fileNumber(of: name, prefix: "MANIFEST-") != nil
          || ["tables", "wal", Manifest.currentName].contains(name)
        {
          return
        }
      }
    }
    throw StorageError(.notFound, "\(fileSystem.rootPath) holds no store")
  }

  /// Checks the manifests that are kept. Returns what the one in force says, `nil` where it cannot be told.
  mutating func checkManifests() -> ManifestState? {
    var inForce: String?
    var state: ManifestState?
    do throws(StorageError) {
      inForce = try Manifest.current(of: fileSystem)
      for name in try fileSystem.list("").sorted() where fileNumber(of: name, prefix: "MANIFEST-") != nil {
        if let found = check(manifest: name), name == inForce { state = found }
      }
    } catch {
      report.add(error)
    }
    return state
  }

  private mutating func check(manifest name: String) -> ManifestState? {
    do throws(StorageError) {
      report.manifests += 1
      let contents = try ManifestContents(try fileSystem.open(name).readAll(), file: name)
      guard Manifest.fileName(contents.number) == name else {
        throw StorageError(.corrupt, file: name, offset: 0, "says that it is manifest \(contents.number)")
      }
      switch contents.tail {
      case .clean: break
      case .unterminated:
        report.notes.append("\(name):\(contents.byteCount): the newline of the last edit was not written")
      case .torn(let count):
        report.notes.append(
          "\(name):\(contents.byteCount): \(count) bytes of an edit that was not written to its end")
      }
      return contents.state
    } catch {
      // An older one goes when a new one is begun.
      if error.code != .notFound { report.add(error) }
      return nil
    }
  }

  /// Checks every table that a state names.
  mutating func checkTables(_ state: ManifestState) {
    for keyspace in state.keyspaces {
      for window in keyspace.windows {
        for run in window.runs {
          for table in run.tables {
            report.tables += 1
            report.tableBytes += table.byteCount
            for error in TableCheck(keyspace: keyspace, window: window, run: run, table: table).problems(
              in: fileSystem)
            {
              report.add(error)
            }
          }
        }
      }
    }
  }

  /// Checks every record of the log.
  ///
  /// - Parameter isOpen: it is being written: what is seen once and not again is a write under way.
  mutating func checkLog(isOpen: Bool) {
    var found = Self.readLog(fileSystem)
    if isOpen, !found.errors.isEmpty {
      let again = Self.readLog(fileSystem)
      found.errors.removeAll { !again.errors.contains($0) }
    }
    report.segments = found.summary.segments.count
    report.segmentBytes = found.summary.segments.reduce(0) { $0 + $1.byteCount }
    for error in found.errors { report.add(error) }
    if found.summary.tornByteCount > 0, !isOpen {
      report.notes.append(
        "\(LogFormat.name(found.summary.lastSegment)): \(found.summary.tornByteCount) bytes at its end were not written whole; "
          + "the next start drops them, nothing of them was acknowledged")
    }
  }

  /// Every damage of the log.
  static func readLog(_ fileSystem: any FileSystem) -> (summary: ReplaySummary, errors: [StorageError]) {
    var survey = LogSurvey()
    do throws(StorageError) {
      survey = try WriteAheadLog.survey(fileSystem: fileSystem, ignoresDamage: true, isReadOnly: true)
      let summary = try WriteAheadLog.replay(survey, fileSystem: fileSystem, ignoresDamage: true) {
        _ throws(StorageError) in
      }
      var errors: [StorageError] = []
      for error in survey.summary.damages + summary.damages where !errors.contains(error) {
        errors.append(error)
      }
      return (summary, errors)
    } catch {
      return (survey.summary, [error])
    }
  }

  /// Looks for what tables and log say and the manifest does not.
  mutating func checkEdits(_ state: ManifestState) {
    do throws(StorageError) {
      if let error = try LostEdits.find(state, fileSystem) { report.add(error) }
    } catch {
      report.add(error)
    }
  }

  /// Mentions files that nothing names; the next start sweeps tables of them.
  mutating func noteOrphans(_ state: ManifestState) {
    var named: Set<String> = []
    for keyspace in state.keyspaces {
      for window in keyspace.windows {
        for table in window.runs.flatMap(\.tables) {
          named.insert(tableFileName(keyspace: keyspace.id, windowStart: window.start, number: table.number))
        }
      }
    }
    for file in TableFiles.all(in: fileSystem) where !named.contains(file.name) {
      report.notes.append("\(file.name): no edit names it; the next start removes it")
    }
  }
}

extension Store {
  /// Checks a store that no process has open, all of it.
  ///
  /// - Throws: `.locked` with who has it open; `.notFound` where there is no store.
  public static func verify(directory: String) throws(StorageError) -> VerifyReport {
    try verify(fileSystem: POSIXFileSystem(root: directory))
  }

  /// The same over any file system.
  package static func verify(fileSystem: any FileSystem) throws(StorageError) -> VerifyReport {
    try Verification.checkHoldsStore(fileSystem)
    let lock = try fileSystem.lock("LOCK")
    defer { withExtendedLifetime(lock) {} }
    var verification = Verification(fileSystem: fileSystem)
    if let state = verification.checkManifests() {
      verification.checkTables(state)
      verification.noteOrphans(state)
      verification.checkEdits(state)
    }
    verification.checkLog(isOpen: false)
    verification.checkReading()
    return verification.report
  }

  /// Checks the files of this store while it goes on: all that the version in force names, and the log.
  public func verify() throws(StorageError) -> VerifyReport {
    let version = publisher.version
    var state = ManifestState()
    state.databases = version.databases
    state.keyspaces = version.keyspaces.map(\.state)
    var verification = Verification(fileSystem: fileSystem)
    _ = verification.checkManifests()
    verification.checkTables(state)
    verification.checkLog(isOpen: log != nil)
    verification.checkReading()
    // The version keeps the files until here.
    withExtendedLifetime(version) {}
    return verification.report
  }
}

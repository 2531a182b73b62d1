/// Sets what is damaged aside, rebuilds what can be rebuilt, and says what is lost. The store must be closed.
///
/// The last step writes a manifest and lets `CURRENT` name it: a repair that is cut short is simply run again. Files set aside are found
/// in the quarantine then.
struct Repair {
  let fileSystem: any FileSystem
  private(set) var report: RepairReport

  init(fileSystem: any FileSystem, isDryRun: Bool) {
    self.fileSystem = fileSystem
    report = RepairReport(isDryRun: isDryRun)
  }

  mutating func run() throws(StorageError) {
    let whole = try ManifestSalvage.whole(fileSystem)
    if whole == nil, try isEmpty() { throw StorageError(.notFound, "\(fileSystem.rootPath) holds no store") }
    var log = LogRepair(fileSystem: fileSystem)
    try log.run()
    report.add(log.problems)
    report.actions += log.actions
    report.losses += log.losses
    var state: ManifestState
    var number: UInt64
    var damaged: [String] = []
    if let whole {
      (state, number) = whole
      damaged = try damagedOld(besides: number)
    } else {
      let salvage = try ManifestSalvage(fileSystem)
      report.add(salvage.problems)
      (number, damaged) = (salvage.highestNumber, salvage.damaged)
      state = try rebuild(salvage)
    }
    let before = whole?.state
    try repairTables(&state)
    state.lastSegment = max(state.lastSegment, log.lastSegment)
    state.lastSequence = max(state.lastSequence, log.lastSequence)
    if state.keyspaces != before?.keyspaces || !log.problems.isEmpty {
      try state.check()
      for name in damaged where name.hasPrefix("MANIFEST-") || name == Manifest.currentName {
        report.actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
      }
      number += 1
      try Manifest.write(state, number: number, to: fileSystem)
      report.actions.append("\(Manifest.fileName(number)): written, and in force")
    } else {
      for name in damaged {
        report.actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
      }
    }
    for name in damaged where name != Manifest.currentName { try fileSystem.remove(name) }
    if !report.losses.isEmpty {
      report.notes.append("where rows are lost, older values of the same points, and points that were deleted, may show")
    }
  }

  private func isEmpty() throws(StorageError) -> Bool {
    for name in try fileSystem.list("") {
      let isEvidence = fileNumber(of: name, prefix: "MANIFEST-") != nil || ["tables", "wal", Manifest.currentName].contains(name)
      if isEvidence { return false }
    }
    return true
  }

  /// Older manifests that do not hold: kept for nothing.
  private mutating func damagedOld(besides number: UInt64) throws(StorageError) -> [String] {
    var names: [String] = []
    for name in try fileSystem.list("").sorted() {
      guard let found = fileNumber(of: name, prefix: "MANIFEST-"), found != number else { continue }
      do throws(StorageError) {
        _ = try ManifestContents(try fileSystem.open(name).readAll(), file: name)
      } catch {
        report.add([error])
        names.append(name)
      }
    }
    return names
  }

  private mutating func rebuild(_ salvage: ManifestSalvage) throws(StorageError) -> ManifestState {
    report.actions.append(
      salvage.source.map { "what is in force is made again from \($0) and the tables" }
        ?? "what is in force is made again from the tables: no manifest could be read")
    var rebuild = ManifestRebuild(salvage.state, fileSystem: fileSystem)
    try rebuild.run()
    try rebuild.openWindows(forLog: fileSystem)
    report.actions += rebuild.actions
    report.notes += rebuild.notes
    report.losses += rebuild.losses
    report.add(rebuild.problems)
    return rebuild.state
  }

  private mutating func repairTables(_ state: inout ManifestState) throws(StorageError) {
    for keyspace in state.keyspaces.indices {
      for window in state.keyspaces[keyspace].windows.indices {
        for run in state.keyspaces[keyspace].windows[window].runs.indices {
          try repair(run, window, keyspace, &state)
        }
        state.keyspaces[keyspace].windows[window].runs.removeAll { $0.tables.isEmpty }
      }
    }
  }

  private mutating func repair(
    _ run: Int, _ window: Int, _ keyspace: Int, _ state: inout ManifestState
  ) throws(StorageError) {
    let standing = state.keyspaces[keyspace].windows[window].runs[run]
    var tables: [TableState] = []
    for table in standing.tables {
      let check = TableCheck(
        keyspace: state.keyspaces[keyspace], window: state.keyspaces[keyspace].windows[window], run: standing, table: table)
      let problems = check.problems(in: fileSystem)
      if let error = problems.first(where: { $0.code == .unsupportedVersion }) { throw error }
      if problems.isEmpty {
        tables.append(table)
        continue
      }
      report.add(problems)
      var next = state.nextTable
      var repair = TableRepair(check, fileSystem: fileSystem) {
        next += 1
        return next - 1
      }
      try repair.run()
      state.nextTable = next
      tables += repair.tables
      report.actions += repair.actions
      report.losses += repair.losses
    }
    state.keyspaces[keyspace].windows[window].runs[run].tables = tables
  }
}

extension Store {
  /// Repairs a store that no process has open; a dry run changes nothing.
  ///
  /// - Throws: `.locked` with who has it open; `.notFound` where there is no store; `.unsupportedVersion`; what the disk refuses.
  public static func repair(directory: String, isDryRun: Bool = false) throws(StorageError) -> RepairReport {
    try repair(fileSystem: POSIXFileSystem(root: directory), isDryRun: isDryRun)
  }

  /// The same over any file system.
  package static func repair(
    fileSystem: any FileSystem, isDryRun: Bool = false
  ) throws(StorageError) -> RepairReport {
    guard try fileSystem.exists("") else { throw StorageError(.notFound, "\(fileSystem.rootPath) is not there") }
    let lock = try fileSystem.lock("LOCK")
    defer { withExtendedLifetime(lock) {} }
    var repair = Repair(
      fileSystem: isDryRun ? OverlayFileSystem(over: fileSystem) : fileSystem, isDryRun: isDryRun)
    try repair.run()
    return repair.report
  }
}

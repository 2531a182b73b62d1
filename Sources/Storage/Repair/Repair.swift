/// Sets what is damaged aside, rebuilds what can be rebuilt, and says what is lost. The store must be closed.
///
/// The last step but one writes a manifest and lets `CURRENT` name it, the last removes what was copied to the quarantine: a repair
/// that is cut short is simply run again.
struct Repair {
  let fileSystem: any FileSystem
  /// The disk below, which says what it refused to read.
  private let disk: PatchingFileSystem
  private(set) var report: RepairReport
  private let reportName: String
  /// Files whose copies are in quarantine, to be removed when no manifest names them.
  private var setAside: [String] = []

  init(fileSystem lower: any FileSystem, isDryRun: Bool) throws(StorageError) {
    disk = PatchingFileSystem(over: lower)
    fileSystem = isDryRun ? OverlayFileSystem(over: disk) : disk
    reportName = try Quarantine(fileSystem: fileSystem).reportName()
    report = RepairReport(isDryRun: isDryRun)
  }

  mutating func run() throws(StorageError) {
    var whole = try ManifestSalvage.whole(fileSystem)
    // The end of one that cannot be read looks like an edit that was not written to its end.
    if let found = whole, disk.isUnreadable(Manifest.fileName(found.number)) { whole = nil }
    if let found = whole, let error = try LostEdits.find(found.state, fileSystem) {
      report.add([error])
      whole = nil
    }
    var log = LogRepair(fileSystem: fileSystem, disk: disk, state: whole?.state)
    try log.run { losses throws(StorageError) in try save(losses) }
    report.add(log.problems)
    report.actions += log.actions
    report.losses += log.losses
    report.notes += log.notes
    var state: ManifestState
    var number: UInt64
    var damaged: [String] = []
    if let whole {
      (state, number) = whole
      damaged = try damagedOld(besides: number)
      // One that was begun and not finished has a number too.
      number = max(number, damaged.compactMap { fileNumber(of: $0, prefix: "MANIFEST-") }.max() ?? 0)
    } else {
      let salvage = try ManifestSalvage(fileSystem, disk: disk)
      report.add(salvage.problems)
      (number, damaged) = (salvage.highestNumber, salvage.damaged)
      state = try rebuild(salvage)
    }
    let before = whole?.state
    state.nextTable = max(state.nextTable, (TableFiles.all(in: fileSystem).map(\.number).max() ?? 0) + 1)
    try repairTables(&state)
    report.add(disk.unreadable)
    state.lastSegment = max(state.lastSegment, log.lastSegment)
    state.lastSequence = max(state.lastSequence, log.lastSequence)
    if state.keyspaces != before?.keyspaces || !log.problems.isEmpty {
      try state.check()
      for name in damaged where name.hasPrefix("MANIFEST-") || name == Manifest.currentName {
        report.actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
      }
      try save(report.losses)
      number += 1
      try Manifest.write(state, number: number, to: fileSystem)
      report.actions.append("\(Manifest.fileName(number)): written, and in force")
    } else {
      for name in damaged {
        report.actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
      }
    }
    for name in damaged + setAside where name != Manifest.currentName { try fileSystem.remove(name) }
    if !report.losses.isEmpty {
      report.notes.append(
        "where rows are lost, older values of the same points, and points that were deleted, may show")
    }
  }

  /// Writes what is lost into the quarantine: a repair that is cut short would not say it, and run again not find it.
  private func save(_ losses: [RepairReport.Loss]) throws(StorageError) {
    if losses.isEmpty { return }
    var report = report
    report.losses = losses
    try Quarantine(fileSystem: fileSystem).save(report, as: reportName)
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
        continue
      }
      if disk.isUnreadable(name) { names.append(name) }
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
    setAside += rebuild.setAside
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
        keyspace: state.keyspaces[keyspace], window: state.keyspaces[keyspace].windows[window], run: standing,
        table: table)
      let problems = check.problems(in: fileSystem)
      // Not damage: a newer format, or a disk that refuses.
      if let error = problems.first(where: { $0.code != .corrupt }) { throw error }
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
      setAside.append(check.name)
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
    try Verification.checkHoldsStore(fileSystem)
    let lock = try fileSystem.lock("LOCK")
    defer { withExtendedLifetime(lock) {} }
    var repair = try Repair(fileSystem: fileSystem, isDryRun: isDryRun)
    try repair.run()
    return repair.report
  }
}

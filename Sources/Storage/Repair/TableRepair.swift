import LineProtocol

/// Sets one damaged table aside and writes what can be read of it anew.
struct TableRepair {
  let fileSystem: any FileSystem
  let check: TableCheck
  /// Gives a table number that was never used.
  let takeTableNumber: () -> UInt64
  /// Tables in the damaged one's place.
  private(set) var tables: [TableState] = []
  private(set) var losses: [RepairReport.Loss] = []
  private(set) var actions: [String] = []

  init(_ check: TableCheck, fileSystem: any FileSystem, takeTableNumber: @escaping () -> UInt64) {
    self.check = check
    self.fileSystem = fileSystem
    self.takeTableNumber = takeTableNumber
  }

  mutating func run() throws(StorageError) {
    let name = check.name
    guard try fileSystem.exists(name) else { return loseAll("the file is not there") }
    actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
    let table: Table
    do throws(StorageError) {
      table = try TableFooter.openRecovering(
        file: fileSystem.open(name), state: check.table, cache: BlockCache(byteCountMax: 16 << 20))
    } catch {
      return loseAll("nothing of it can be read: \(error.detail)")
    }
    let salvage = SalvageRun(table)
    tables = try Self.merge([salvage], check, fileSystem, takeTableNumber)
    for lost in salvage.lost { losses.append(check.loss(lost, file: name)) }
    actions.append(
      "\(name): \(tables.reduce(0) { $0 + $1.rowCount }) of \(check.table.rowCount) rows written anew as "
        + (tables.isEmpty ? "no table" : "table \(tables.map { String($0.number) }.joined(separator: ", "))"))
  }

  /// Writes runs, the later over the earlier, as tables of one run.
  static func merge(
    _ runs: [any SortedRun], _ place: TableCheck, _ fileSystem: any FileSystem,
    _ takeTableNumber: @escaping () -> UInt64
  ) throws(StorageError) -> [TableState] {
    let identity = TableIdentity(
      number: 0, keyspace: place.keyspace.id, database: place.keyspace.database,
      policy: place.keyspace.policy,
      window: place.window.range, sequenceRange: place.run.firstSequence...place.run.lastSequence,
      horizon: place.keyspace.horizon)
    return try TableMerge(
      runs: runs, identity: identity, floor: .min, fileSystem: fileSystem, takeTableNumber: takeTableNumber
    ).run().tables
  }

  private mutating func loseAll(_ why: String) {
    losses.append(
      RepairReport.Loss(
        file: check.name, database: check.keyspace.database, policy: check.keyspace.policy, measurement: nil,
        series: nil, from: check.table.firstTimestamp, through: check.table.lastTimestamp,
        what: "\(check.table.rowCount) rows of \(check.table.seriesCount) series: \(why)"))
  }
}

extension TableCheck {
  /// What was lost, for people.
  func loss(_ lost: SalvageRun.Lost, file: String) -> RepairReport.Loss {
    RepairReport.Loss(
      file: file, database: keyspace.database, policy: keyspace.policy,
      measurement: lost.measurement.map { String(decoding: $0, as: UTF8.self) },
      series: lost.series.flatMap { SeriesKey(validating: $0) }?.reportText,
      from: lost.times.lowerBound, through: lost.times.upperBound,
      what: "rows at offset \(lost.error.offset.map(String.init) ?? "?"): \(lost.error.detail)")
  }
}

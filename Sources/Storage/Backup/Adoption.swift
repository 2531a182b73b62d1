/// Tables and keyspaces of another store on their way into this one, under numbers of its own.
struct Adoption {
  let publisher: Publisher
  let staged: any FileSystem
  let fileSystem: any FileSystem
  /// The store's time, where it is believed: what has expired by it does not come back, whatever the TTL becomes.
  let now: Int64?
  private(set) var report = RestoreReport()
  private var names: [String] = []

  init(publisher: Publisher, staged: any FileSystem, fileSystem: any FileSystem, now: Int64?) {
    self.now = now
    self.publisher = publisher
    self.staged = staged
    self.fileSystem = fileSystem
  }

  /// Links every table, synced, folders too, and says what makes them part of the store. The catalog must not change until that
  /// is published.
  ///
  /// - Parameters:
  ///   - state: with all points in tables.
  ///   - newNames: of its databases.
  mutating func edits(for state: ManifestState, names newNames: [String: String]) throws(StorageError)
    -> [Edit]
  {
    var edits: [Edit] = [.reserve(nextTable: nil, lastSequence: state.lastSequence, lastSegment: nil)]
    var nextKeyspace = publisher.manifest.state.nextKeyspace
    for database in state.databases.sorted() {
      let name = newNames[database] ?? database
      report.databases.append(name)
      edits.append(.createDatabase(name: name))
      for keyspace in state.keyspaces where keyspace.database == database {
        var adopted = keyspace
        adopted.id = KeyspaceID(nextKeyspace)
        adopted.database = name
        if let now { adopted.horizon = max(adopted.horizon, Horizon.cut(now, adopted.ttl)) }
        adopted.windows.removeAll { $0.end <= adopted.horizon }
        try adoptTables(of: &adopted, from: keyspace.id)
        nextKeyspace += 1
        edits.append(.createKeyspace(adopted))
      }
      if let rules = state.rules[database] { edits.append(.setRules(database: name, rules: rules)) }
    }
    for folder in ["tables", ""] { try fileSystem.syncDirectory(folder) }
    edits.append(.reserve(nextTable: publisher.takeTableNumber() + 1, lastSequence: nil, lastSegment: nil))
    return edits
  }

  /// Gives up what was linked.
  func abandon() { for name in names { publisher.janitor.enqueue(name) } }

  private mutating func adoptTables(of adopted: inout KeyspaceState, from old: KeyspaceID)
    throws(StorageError)
  {
    let folder = tableFolderName(of: adopted.id)
    try fileSystem.createDirectory(folder)
    for (index, window) in adopted.windows.enumerated() {
      for (run, state) in window.runs.enumerated() {
        for (place, table) in state.tables.enumerated() {
          let number = publisher.takeTableNumber()
          let name = tableFileName(keyspace: adopted.id, windowStart: window.start, number: number)
          names.append(name)
          _ = try staged.transfer(
            tableFileName(keyspace: old, windowStart: window.start, number: table.number), to: fileSystem,
            as: name)
          adopted.windows[index].runs[run].tables[place].number = number
          report.tableCount += 1
          report.rowCount += table.rowCount
          report.byteCount += table.byteCount
        }
      }
    }
    try fileSystem.syncDirectory(folder)
  }
}

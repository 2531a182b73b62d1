import LineProtocol

/// Makes what the manifest says anew, from what is left of it and from the tables that lie there (DESIGN, section 8).
///
/// What a known run was merged from is passed over. Runs whose numbers overlap without that, as a merge's output and its inputs
/// do, are merged into one: whether such an output was whole is not known, so the inputs stay below it. A table
/// that is whole and was not published yet is what the log would give again: it is taken, and its rows in the log are passed over.
struct ManifestRebuild {
  /// A table that lies there, by its own properties.
  private struct Found {
    var table: Table
    var properties: TableProperties
  }
  /// Tables of one range of numbers.
  private struct Candidate {
    var sequences: ClosedRange<UInt64>
    var tables: [Found]
    /// As the manifest has it; `nil`: not named.
    var known: RunState?
  }

  let fileSystem: any FileSystem
  private(set) var state: ManifestState
  private(set) var actions: [String] = []
  private(set) var notes: [String] = []
  private(set) var losses: [RepairReport.Loss] = []
  private(set) var problems: [StorageError] = []
  /// Files whose copies are in quarantine.
  private(set) var setAside: [String] = []
  private let cache = BlockCache(byteCountMax: 16 << 20)
  private var nextTable: UInt64

  init(_ state: ManifestState, fileSystem: any FileSystem) {
    self.state = state
    self.fileSystem = fileSystem
    nextTable = max(state.nextTable, 1)
  }

  mutating func run() throws(StorageError) {
    let firstUnknown = state.nextKeyspace
    var found: [KeyspaceID: [Range<Int64>: [Found]]] = [:]
    for file in TableFiles.all(in: fileSystem) {
      nextTable = max(nextTable, file.number + 1)
      do throws(StorageError) {
        let table = try Table.open(file: fileSystem.open(file.name), number: file.number, cache: cache)
        let properties = try table.properties()
        // Number and keyspace are the file's: the properties say what they were when it was written, before a restore.
        guard properties.windowStart < properties.windowEnd, properties.firstSequence <= properties.lastSequence else {
          throw StorageError(.corrupt, file: file.name, offset: 0, "its properties are of no table")
        }
        found[file.keyspace, default: [:]][properties.windowStart..<properties.windowEnd, default: []].append(
          Found(table: table, properties: properties))
      } catch {
        guard error.code == .corrupt else { throw error }
        if !isNamed(file) { try setAside(file.name, file.keyspace, error) }
      }
    }
    for id in found.keys.sorted() {
      let windows = found[id] ?? [:]
      if state.index(of: id) == nil,
        !makeKeyspace(id, firstUnknown, windows.values.joined().map(\.properties))
      {
        continue
      }
      for range in windows.keys.sorted(by: { $0.lowerBound < $1.lowerBound }) {
        try place(windows[range] ?? [], id, range)
      }
    }
    state.nextTable = max(state.nextTable, nextTable)
  }

  // MARK: Keyspaces

  private func isNamed(_ file: TableFiles.Found) -> Bool {
    guard let place = state.index(of: file.keyspace) else { return false }
    return state.keyspaces[place].windows.contains { window in
      window.runs.contains { $0.tables.contains { $0.number == file.number } }
    }
  }

  /// Takes a table out whose place is not known.
  private mutating func setAside(_ name: String, _ id: KeyspaceID, _ error: StorageError) throws(StorageError)
  {
    actions.append("\(name): set aside as \(try Quarantine(fileSystem: fileSystem).copy(name))")
    setAside.append(name)
    problems.append(error)
    let keyspace = state.index(of: id).map { state.keyspaces[$0] }
    losses.append(
      RepairReport.Loss(
        file: name, database: keyspace?.database ?? "", policy: keyspace?.policy ?? "", measurement: nil,
        series: nil,
        from: nil, through: nil, what: "what it holds, or where it belongs, cannot be told: \(error.detail)"))
  }

  /// `false` where it was dropped.
  private mutating func makeKeyspace(_ id: KeyspaceID, _ firstUnknown: UInt32, _ tables: [TableProperties])
    -> Bool
  {
    // A restored table has the names of where it was written: one that was written here knows better, and the newest best.
    let ordered = tables.sorted { ($0.keyspace == id.number ? 1 : 0, $0.number) > ($1.keyspace == id.number ? 1 : 0, $1.number) }
    guard id.number >= firstUnknown, let first = ordered.first else { return false }
    let length = tables.map { $0.windowEnd - $0.windowStart }.max() ?? 0
    // A database that was restored under another name has tables that say the old one.
    let isTaken = state.keyspaces.contains { $0.database == first.database && $0.policy == first.policy }
    let database = isTaken ? "\(first.database)_\(id.number)" : first.database
    var keyspace = KeyspaceState(
      id: id, database: database, policy: first.policy,
      isDefault: !state.keyspaces.contains { $0.database == database && $0.isDefault }, ttl: 0,
      windowLength: WindowGrid.isValid(length: length) ? length : WindowGrid.length(forTTL: 0))
    keyspace.horizon = tables.map(\.horizon).max() ?? .min
    add(keyspace)
    notes.append(
      "\(database).\(first.policy): made again from its tables; its TTL is not known, so it keeps for ever: set it with "
        + "ALTER RETENTION POLICY. Deletes that were not carried out yet, and rules, are not known")
    return true
  }

  private mutating func add(_ keyspace: KeyspaceState) {
    if !state.databases.contains(keyspace.database) { state.databases.append(keyspace.database) }
    state.keyspaces.append(keyspace)
    state.keyspaces.sort { $0.id < $1.id }
    state.nextKeyspace = max(state.nextKeyspace, keyspace.id.number + 1)
  }

  // MARK: Windows

  private mutating func place(_ tables: [Found], _ id: KeyspaceID, _ range: Range<Int64>) throws(StorageError)
  {
    guard let keyspace = state.index(of: id), range.upperBound > state.keyspaces[keyspace].horizon else {
      return
    }
    guard let window = openWindow(range, in: keyspace) else {
      for one in tables {
        let error = StorageError(
          .corrupt, file: one.table.name, offset: one.table.footer.properties.offset,
          "its window \(range.lowerBound) to \(range.upperBound) overlaps another one")
        try setAside(one.table.name, id, error)
      }
      return
    }
    var candidates = candidates(tables, state.keyspaces[keyspace].windows[window].runs)
    // What lies within a known run whose files are there was merged into it.
    let known = candidates.filter { $0.known != nil && $0.known?.tables.count == $0.tables.count }
    candidates.removeAll { one in
      one.known == nil
        && known.contains {
          $0.sequences.lowerBound <= one.sequences.lowerBound
            && $0.sequences.upperBound >= one.sequences.upperBound
        }
    }
    var runs: [RunState] = []
    let flushed = state.keyspaces[keyspace].windows[window].flushedThrough
    for cluster in Self.clusters(candidates) { runs.append(try run(of: cluster, keyspace, window)) }
    runs.sort { $0.firstSequence < $1.firstSequence }
    state.keyspaces[keyspace].windows[window].runs = runs
    let last = runs.last?.lastSequence ?? 0
    state.keyspaces[keyspace].windows[window].flushedThrough = max(flushed, last)
    state.lastSequence = max(state.lastSequence, last)
  }

  private mutating func openWindow(_ range: Range<Int64>, in keyspace: Int) -> Int? {
    let windows = state.keyspaces[keyspace].windows
    if let index = windows.firstIndex(where: { $0.range == range }) { return index }
    if windows.contains(where: { $0.range.overlaps(range) }) { return nil }
    let at = windows.firstIndex { $0.start > range.lowerBound } ?? windows.count
    state.keyspaces[keyspace].windows.insert(
      WindowState(start: range.lowerBound, end: range.upperBound, flushedThrough: 0, runs: []), at: at)
    return at
  }

  private func candidates(_ tables: [Found], _ runs: [RunState]) -> [Candidate] {
    var rest = tables
    var found: [Candidate] = []
    for run in runs {
      let numbers = Set(run.tables.map(\.number))
      let own = rest.filter { numbers.contains($0.table.state.number) }
      rest.removeAll { numbers.contains($0.table.state.number) }
      found.append(Candidate(sequences: run.firstSequence...run.lastSequence, tables: own, known: run))
    }
    for one in rest {
      let sequences = one.properties.firstSequence...one.properties.lastSequence
      if let index = found.firstIndex(where: { $0.known == nil && $0.sequences == sequences }) {
        found[index].tables.append(one)
      } else {
        found.append(Candidate(sequences: sequences, tables: [one], known: nil))
      }
    }
    return found
  }

  /// Groups of candidates whose ranges overlap.
  private static func clusters(_ candidates: [Candidate]) -> [[Candidate]] {
    var clusters: [[Candidate]] = []
    var end: UInt64?
    for one in candidates.sorted(by: { $0.sequences.lowerBound < $1.sequences.lowerBound }) {
      if let last = end, one.sequences.lowerBound <= last {
        clusters[clusters.count - 1].append(one)
      } else {
        clusters.append([one])
      }
      end = max(end ?? 0, one.sequences.upperBound)
    }
    return clusters
  }

  /// The run of a cluster: as it is where it is one, merged else, an output over its inputs.
  private mutating func run(of cluster: [Candidate], _ keyspace: Int, _ window: Int) throws(StorageError)
    -> RunState
  {
    if cluster.count == 1, let known = cluster[0].known { return known }
    let ordered = cluster.sorted { a, b in
      a.sequences.upperBound != b.sequences.upperBound
        ? a.sequences.upperBound < b.sequences.upperBound : a.sequences.lowerBound > b.sequences.lowerBound
    }
    let first = ordered.map(\.sequences.lowerBound).min() ?? 0
    let last = ordered.map(\.sequences.upperBound).max() ?? 0
    let tables = ordered.flatMap(\.tables)
    var run = RunState(
      firstSequence: first, lastSequence: last, isFinal: false,
      publishedAt: state.keyspaces[keyspace].windows[window].end, tables: [])
    if ordered.count == 1, let inOrder = Self.inOrder(tables.map(\.table)) {
      run.tables = inOrder.map(\.state)
      return run
    }
    let salvages = tables.map { SalvageRun($0.table) }
    let state = state.keyspaces[keyspace]
    let check = TableCheck(
      keyspace: state, window: state.windows[window], run: run, table: tables[0].table.state)
    var next = nextTable
    run.tables = try TableRepair.merge(salvages, check, fileSystem) {
      next += 1
      return next - 1
    }
    nextTable = next
    for salvage in salvages { losses += salvage.lost.map { check.loss($0, file: salvage.table.name) } }
    actions.append(
      "tables \(tables.map { String($0.table.state.number) }.joined(separator: ", ")) of keyspace \(state.id.number), window "
        + "\(state.windows[window].start): merged, since it is not known which of them were in force")
    return run
  }

  /// Tables of one run in the order of their series; `nil` where they overlap or it cannot be told.
  private static func inOrder(_ tables: [Table]) -> [Table]? {
    if tables.count == 1 { return tables }
    var bounded: [(table: Table, first: [UInt8], last: [UInt8])] = []
    do throws(StorageError) {
      for table in tables {
        let names = try table.measurements()
        guard let first = names.first, let last = names.last else { return nil }
        let (low, high) = (try table.series(of: first, where: nil), try table.series(of: last, where: nil))
        guard low.count > 0, high.count > 0 else { return nil }
        bounded.append(
          (
            table, Array(low.keyBytes[low.keyRange(0)]), Array(high.keyBytes[high.keyRange(high.count - 1)])
          ))
      }
    } catch { return nil }
    bounded.sort { seriesKeyOrder($0.first.span, $1.first.span) < 0 }
    for (a, b) in zip(bounded, bounded.dropFirst()) where seriesKeyOrder(a.last.span, b.first.span) >= 0 {
      return nil
    }
    return bounded.map(\.table)
  }

  // MARK: The log

  /// Opens windows for what the log holds and no window covers, so that a start puts it back.
  mutating func openWindows(forLog fileSystem: any FileSystem) throws(StorageError) {
    let (decoder, batch) = (RowDecoder(), LineBatch())
    let dropped = Set((1..<max(state.nextKeyspace, 1)).map { KeyspaceID($0) }).subtracting(
      state.keyspaces.map(\.id))
    let survey = try WriteAheadLog.survey(fileSystem: fileSystem, ignoresDamage: true, isReadOnly: true)
    try WriteAheadLog.replay(survey, fileSystem: fileSystem, ignoresDamage: true) {
      record throws(StorageError) in
      if record.type == .definitions {
        return try unsafe decoder.define(record.payload, segment: record.segment)
      }
      let header = try unsafe decoder.decode(record.payload, segment: record.segment, into: batch)
      if dropped.contains(header.keyspace) { return }
      if state.index(of: header.keyspace) == nil { makeUnnamed(header.keyspace) }
      guard let keyspace = state.index(of: header.keyspace) else { return }
      for index in 0..<batch.count { open(batch.timestamps[index], in: keyspace) }
    }
  }

  private mutating func open(_ time: Int64, in keyspace: Int) {
    let found = state.keyspaces[keyspace]
    if time < found.horizon { return }
    let at = found.windows.partitioningIndex { $0.end > time }
    if at < found.windows.count, found.windows[at].start <= time { return }
    let range = WindowGrid.cell(for: time, length: found.windowLength, between: found.windows)
    state.keyspaces[keyspace].windows.insert(
      WindowState(start: range.lowerBound, end: range.upperBound, flushedThrough: 0, runs: []), at: at)
  }

  private mutating func makeUnnamed(_ id: KeyspaceID) {
    let name = "recovered_\(id.number)"
    add(
      KeyspaceState(
        id: id, database: name, policy: "autogen", isDefault: true, ttl: 0,
        windowLength: WindowGrid.length(forTTL: 0)))
    notes.append("\(name): the log holds points of keyspace \(id.number), whose database is not known")
  }
}

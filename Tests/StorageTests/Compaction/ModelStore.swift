import LineProtocol
import Storage
import TestSupport

/// The least store that compaction can run against: a manifest's state, open tables, one keyspace of windows of 100 s.
final class ModelStore: CompactionDelegate {
  static let second: Int64 = 1_000_000_000
  static let keyspace = KeyspaceID(1)

  struct State {
    var manifest = ManifestState()
    var tables: [UInt64: Table] = [:]
    var nextTable: UInt64 = 1
    var nextSequence: UInt64 = 1
    var now: Int64 = 0
    var floor: Int64 = .min
    var points: [ModelPoint] = []
    /// Called before an edit is published.
    var beforePublish: (@Sendable () -> Void)?
  }

  let fileSystem: any FileSystem
  let state = Lock(State())
  private let cache = BlockCache(byteCountMax: 1 << 20)

  init(_ fileSystem: any FileSystem = MemoryFileSystem()) throws {
    self.fileSystem = fileSystem
    let keyspace = KeyspaceState(
      id: Self.keyspace, database: "d", policy: "p", isDefault: true, ttl: 0, windowLength: 100 * Self.second)
    try state.withLock { state in
      try state.manifest.apply(.createDatabase(name: "d"))
      try state.manifest.apply(.createKeyspace(keyspace))
    }
  }

  var now: Int64 {
    get { state.withLock { $0.now } }
    set { state.withLock { $0.now = newValue } }
  }

  /// One run in each window that the points meet.
  func flush(_ points: [ModelPoint]) throws {
    let sequence = state.withLock { state in
      defer { state.nextSequence += 1 }
      state.points += points
      return state.nextSequence
    }
    let length = 100 * Self.second
    for (start, points) in Dictionary(grouping: points, by: { $0.timestamp / length * length }) {
      let run = MemoryRun(points, sequence: sequence...sequence)
      let identity = TableIdentity(
        number: 0, keyspace: Self.keyspace, database: "d", policy: "p", window: start..<start + length,
        sequenceRange: sequence...sequence, horizon: .min)
      let result = try TableMerge(
        runs: [run], identity: identity, floor: .min, fileSystem: fileSystem, takeTableNumber: takeTableNumber
      ).run()
      try state.withLock { state in
        try open(result.tables, start, &state)
        if !state.manifest.keyspaces[0].windows.contains(where: { $0.start == start }) {
          try state.manifest.apply(.openWindow(keyspace: Self.keyspace, start: start, end: start + length))
        }
        let added = RunState(
          firstSequence: sequence, lastSequence: sequence, isFinal: false, publishedAt: state.now,
          tables: result.tables)
        try state.manifest.apply(
          .publishRun(keyspace: Self.keyspace, window: start, run: added, flushedThrough: sequence))
      }
    }
  }

  var windows: [WindowState] { state.withLock { $0.manifest.keyspaces[0].windows } }

  /// Names of files that no edit names.
  func orphans() throws -> [String] {
    let named = windows.flatMap { window in
      window.runs.flatMap(\.tables).map {
        tableFileName(keyspace: Self.keyspace, windowStart: window.start, number: $0.number)
      }
    }
    let folder = "tables/0000001"
    guard try fileSystem.exists(folder) else { return [] }
    return try fileSystem.list(folder).map { "\(folder)/\($0)" }.filter { name in !named.contains(name) }
  }

  /// All rows as a reader sees them now.
  func rows() throws -> ModelRows {
    let windows = state.withLock { state in
      state.manifest.keyspaces[0].windows.map { window in
        WindowSnapshot(range: window.range, runs: runs(window.runs, state))
      }
    }
    let snapshot = Snapshot(windows: windows, floor: .min, pin: nil)
    return try ScanDump(snapshot, Self.columns, .min ..< .max, descending: false, converts: false).rows
  }

  /// What they should be.
  func wanted() -> ModelRows {
    modelRows([state.withLock { $0.points }], Self.columns, times: .min ..< .max, converts: false)
  }

  private static let columns = FieldType.allCases.flatMap { type in
    ["x", "y", "z"].map { ScanColumn(name: Array($0.utf8), type: type) }
  }

  private func runs(_ states: some Sequence<RunState>, _ state: State) -> [any SortedRun] {
    states.flatMap { run in run.tables.compactMap { state.tables[$0.number] } }
  }

  private func open(_ tables: [TableState], _ start: Int64, _ state: inout State) throws(StorageError) {
    for table in tables {
      let name = tableFileName(keyspace: Self.keyspace, windowStart: start, number: table.number)
      state.tables[table.number] = try Table.open(file: try fileSystem.open(name), state: table, cache: cache)
    }
  }

  // MARK: Delegate

  func takeTableNumber() -> UInt64 {
    state.withLock { state in
      defer { state.nextTable += 1 }
      return state.nextTable
    }
  }

  func compactionState() -> CompactionState {
    state.withLock {
      CompactionState(keyspaces: $0.manifest.keyspaces, now: $0.now, floors: [Self.keyspace: $0.floor])
    }
  }

  func compactionInput(_ window: WindowID, runs: [UInt64]) -> CompactionInput? {
    state.withLock { state in
      let keyspace = state.manifest.keyspaces[0]
      guard let held = keyspace.windows.first(where: { $0.start == window.start }) else { return nil }
      let states = held.runs.filter { runs.contains($0.firstSequence) }
      guard states.map(\.firstSequence) == runs else { return nil }
      return CompactionInput(
        keyspace: keyspace, window: held.range, states: states, runs: self.runs(states, state),
        floor: state.floor,
        pin: nil)
    }
  }

  func replaceRuns(_ window: WindowID, removed: [UInt64], added: RunState?) throws(StorageError) -> Bool {
    state.withLock { $0.beforePublish }?()
    return try state.withLock { state throws(StorageError) in
      guard let held = state.manifest.keyspaces[0].windows.first(where: { $0.start == window.start }),
        held.runs.contains(where: { $0.firstSequence == removed[0] })
      else { return false }
      try open(added?.tables ?? [], window.start, &state)
      try state.manifest.apply(
        .replaceRuns(keyspace: window.keyspace, window: window.start, removed: removed, added: added))
      let gone = held.runs.filter { removed.contains($0.firstSequence) }
      for table in gone.flatMap(\.tables) {
        try fileSystem.remove(
          tableFileName(keyspace: window.keyspace, windowStart: window.start, number: table.number))
      }
      return true
    }
  }

  func clearRuns(_ window: WindowID, runs: [UInt64], through: UInt64) throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      try state.manifest.apply(
        .clearRuns(keyspace: window.keyspace, window: window.start, runs: runs, through: through))
    }
  }

  func dropWindows(_ windows: [WindowID], horizon: Int64) throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      try state.manifest.apply(
        .dropWindows(keyspace: Self.keyspace, starts: windows.map(\.start), horizon: horizon))
    }
  }
}

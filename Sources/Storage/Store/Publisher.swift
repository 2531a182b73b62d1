import Synchronization

/// Holds the version in force and makes the next one of each change of the manifest.
///
/// Everything that changes what the store is made of goes through `publish`: new tables are registered first, then the edits
/// are synced in the manifest, then the new version takes the old one's place, all under one lock, so that manifest and versions
/// change in one order.
package final class Publisher: Sendable {
  package let manifest: Manifest
  package let janitor: Janitor
  private let fileSystem: any FileSystem
  private let cache: BlockCache
  private let current: Lock<Version>
  /// Serialises changes; the tables of the version in force, by number.
  private let registry: Lock<[UInt64: TableFile]>
  private let nextTable: Atomic<UInt64>
  private let reserve: Reserve
  /// Bytes read from tables that are no longer live, and questions that their filters answered.
  private let retiredReadBytes = Atomic<UInt64>(0)
  private let retiredFilterSkips = Atomic<UInt64>(0)

  /// Opens every table that the manifest names. One that is damaged, or not there, does not stop the start: what it may hold is
  /// left out of answers.
  init(
    manifest: Manifest, fileSystem: any FileSystem, cache: BlockCache, janitor: Janitor, nextTable: UInt64, reserve: Reserve
  ) throws(StorageError) {
    self.reserve = reserve
    self.manifest = manifest
    self.fileSystem = fileSystem
    self.cache = cache
    self.janitor = janitor
    self.nextTable = Atomic(nextTable)
    var files: [UInt64: TableFile] = [:]
    let state = manifest.state
    for keyspace in state.keyspaces {
      for window in keyspace.windows {
        for run in window.runs {
          for table in run.tables {
            files[table.number] = try Self.openKnown(
              table, of: run, keyspace: keyspace.id, window: window.start, fileSystem: fileSystem, cache: cache,
              janitor: janitor)
          }
        }
      }
    }
    current = Lock(try Self.version(of: state, files: files))
    registry = Lock(files)
  }

  /// The version in force; retain it to read.
  package var version: Version { current.withLock { $0 } }

  /// Runs `body` with the version in force while no other can take its place: for reading it together with the memtable.
  package func read<Value>(_ body: (Version) -> Value) -> Value { current.withLock { body($0) } }

  /// Bytes read from tables, and questions that Bloom filters answered, since start.
  package var readCounts: (byteCount: UInt64, filterSkips: UInt64) {
    var counts = (
      byteCount: retiredReadBytes.load(ordering: .relaxed), filterSkips: retiredFilterSkips.load(ordering: .relaxed)
    )
    for table in version.tables.lazy.compactMap(\.table) {
      counts.byteCount += table.bytesRead
      counts.filterSkips += table.filterSkips
    }
    return counts
  }

  /// A table number that was never used.
  package func takeTableNumber() -> UInt64 { nextTable.wrappingAdd(1, ordering: .relaxed).oldValue }

  /// Makes edits durable and puts the version that they lead to in force.
  ///
  /// Tables that the edits name must be written and synced, their directory too.
  ///
  /// - Parameters:
  ///   - making: called under the lock that serialises changes with what the manifest says then, so that an edit whose window
  ///     or runs have gone meanwhile can be left out; empty: nothing is published.
  ///   - whenPublished: called at the instant of the change: who reads with `read` sees both or neither.
  package func publish(
    making: (ManifestState) throws(StorageError) -> [Edit], whenPublished: () -> Void = {}
  ) throws(StorageError) {
    try registry.withLock { (files) throws(StorageError) in
      let edits = try making(manifest.state)
      if edits.isEmpty { return }
      let opened = try open(edits, besides: files)
      try append(edits)
      files.merge(opened) { _, new in new }
      let state = manifest.state
      let next = try Self.version(of: state, files: files)
      current.withLock { version in
        version = next
        whenPublished()
      }
      retire(&files, except: state)
    }
  }

  /// Writes edits to the manifest; where the disk is full the reserve makes room for them.
  private func append(_ edits: [Edit]) throws(StorageError) {
    while true {
      do throws(StorageError) {
        return try manifest.append(edits)
      } catch where error.code == .full && reserve.giveUp() {
        continue
      }
    }
  }

  /// What the manifest says and the version that holds it, with what `body` finds or does while nothing can be published.
  package func checkpoint<Value>(
    _ body: () throws(StorageError) -> Value
  ) throws(StorageError) -> (state: ManifestState, version: Version, value: Value) {
    try registry.withLock { _ throws(StorageError) in (manifest.state, version, try body()) }
  }

  /// The same for edits that cannot have gone stale.
  package func publish(_ edits: [Edit]) throws(StorageError) { try publish(making: { _ in edits }) }

  /// Opens the tables that the edits bring in; a run may keep some of those it takes the place of.
  private func open(
    _ edits: [Edit], besides files: [UInt64: TableFile]
  ) throws(StorageError) -> [UInt64: TableFile] {
    var opened: [UInt64: TableFile] = [:]
    for edit in edits {
      for (keyspace, window, run) in edit.runsBroughtIn {
        for table in run.tables where files[table.number] == nil {
          opened[table.number] = try Self.open(
            table, keyspace: keyspace, window: window, fileSystem: fileSystem, cache: cache, janitor: janitor)
        }
      }
    }
    return opened
  }

  /// Lets go of the tables that the state no longer names.
  private func retire(_ files: inout [UInt64: TableFile], except state: ManifestState) {
    var live: Set<UInt64> = []
    for keyspace in state.keyspaces {
      for window in keyspace.windows {
        for run in window.runs { for table in run.tables { live.insert(table.number) } }
      }
    }
    for (number, file) in files where !live.contains(number) {
      file.retire()
      retiredReadBytes.wrappingAdd(file.table?.bytesRead ?? 0, ordering: .relaxed)
      retiredFilterSkips.wrappingAdd(file.table?.filterSkips ?? 0, ordering: .relaxed)
      files[number] = nil
    }
  }

  private static func open(
    _ table: TableState, keyspace: KeyspaceID, window: Int64, fileSystem: any FileSystem, cache: BlockCache,
    janitor: Janitor
  ) throws(StorageError) -> TableFile {
    let name = tableFileName(keyspace: keyspace, windowStart: window, number: table.number)
    let file = try fileSystem.open(name)
    return TableFile(
      run: try Table.open(file: file, state: table, cache: cache), name: name, state: table, janitor: janitor)
  }

  /// Whether a disk refused bytes of a file that is open: one that cannot be opened may be another user's, or one too many.
  private static func isRefusedReading(_ error: StorageError) -> Bool { error.code == .io && error.offset != nil }

  /// Opens a table that the manifest has named before.
  private static func openKnown(
    _ table: TableState, of run: RunState, keyspace: KeyspaceID, window: Int64, fileSystem: any FileSystem,
    cache: BlockCache, janitor: Janitor
  ) throws(StorageError) -> TableFile {
    do throws(StorageError) {
      do throws(StorageError) {
        return try open(
          table, keyspace: keyspace, window: window, fileSystem: fileSystem, cache: cache, janitor: janitor)
      } catch where isRefusedReading(error) {
        return try open(
          table, keyspace: keyspace, window: window, fileSystem: fileSystem, cache: cache, janitor: janitor)
      }
    } catch {
      guard error.code == .corrupt || error.code == .notFound || isRefusedReading(error) else { throw error }
      let name = tableFileName(keyspace: keyspace, windowStart: window, number: table.number)
      let why =
        error.code == .notFound ? StorageError(.corrupt, file: name, offset: 0, "the file is not there") : error
      let stand = UnreadableRun(
        error: why, sequenceRange: run.firstSequence...run.lastSequence,
        timeRange: table.firstTimestamp...table.lastTimestamp, rowCount: table.rowCount, byteCount: table.byteCount)
      return TableFile(run: stand, name: name, state: table, janitor: janitor)
    }
  }

  private static func version(
    of state: ManifestState, files: [UInt64: TableFile]
  ) throws(StorageError) -> Version {
    var keyspaces: [KeyspaceVersion] = []
    for keyspace in state.keyspaces {
      var windows: [[[TableFile]]] = []
      windows.reserveCapacity(keyspace.windows.count)
      for window in keyspace.windows {
        var runs: [[TableFile]] = []
        for run in window.runs {
          var tables: [TableFile] = []
          for table in run.tables {
            guard let file = files[table.number] else {
              throw StorageError(.corrupt, "table \(table.number) is named by the manifest and not open")
            }
            tables.append(file)
          }
          runs.append(tables)
        }
        windows.append(runs)
      }
      keyspaces.append(KeyspaceVersion(state: keyspace, tables: windows))
    }
    return Version(databases: state.databases, keyspaces: keyspaces, rules: state.rules)
  }
}

extension Edit {
  /// The runs that it adds, with the windows that they come to.
  fileprivate var runsBroughtIn: [(keyspace: KeyspaceID, window: Int64, run: RunState)] {
    switch self {
    case .publishRun(let id, let start, let run?, _): [(id, start, run)]
    case .replaceRuns(let id, let start, _, let run?): [(id, start, run)]
    case .createKeyspace(let keyspace):
      keyspace.windows.flatMap { window in window.runs.map { (keyspace.id, window.start, $0) } }
    default: []
    }
  }
}

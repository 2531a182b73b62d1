import Synchronization

/// The immutable set of live runs of a store, and the settings that reading and writing go by.
///
/// A reader retains one and reads without locks; flush, compaction and retention publish another. When the last version
/// that names a table goes, the table's `deinit` hands its file to the janitor.
package final class Version: Sendable {
  /// Sorted by number.
  package let keyspaces: [KeyspaceVersion]
  package let databases: [String]
  /// By database.
  package let rules: [String: [PolicyRule]]

  package init(databases: [String], keyspaces: [KeyspaceVersion], rules: [String: [PolicyRule]]) {
    self.rules = rules
    self.databases = databases
    self.keyspaces = keyspaces
  }

  /// The tables of all keyspaces.
  package var tables: some Sequence<TableFile> { keyspaces.lazy.flatMap(\.tables).joined().joined() }

  package func keyspace(_ id: KeyspaceID) -> KeyspaceVersion? {
    keyspaces.first { $0.id == id }
  }

  /// The keyspace of a database's policy; `nil` or empty is the default policy.
  package func keyspace(database: String, policy: String?) -> KeyspaceVersion? {
    let isDefaultAsked = policy?.isEmpty ?? true
    return keyspaces.first {
      $0.state.database == database && (isDefaultAsked ? $0.state.isDefault : $0.state.policy == policy)
    }
  }
}

/// One keyspace in a version.
package final class KeyspaceVersion: Sendable {
  /// As the manifest has it.
  package let state: KeyspaceState
  /// The runs of `state.windows[i]`, ascending by sequence, each a run's tables.
  package let tables: [[[TableFile]]]

  package init(state: KeyspaceState, tables: [[[TableFile]]]) {
    self.state = state
    self.tables = tables
  }

  package var id: KeyspaceID { state.id }

  /// The index of the window that covers a time; binary search.
  package func windowIndex(covering time: Int64) -> Int? {
    let index = firstWindow(endingAfter: time)
    return index < state.windows.count && state.windows[index].start <= time ? index : nil
  }

  /// The index of the first window that ends after a time; the count of windows where there is none.
  func firstWindow(endingAfter time: Int64) -> Int {
    var (low, high) = (0, state.windows.count)
    while low < high {
      let middle = (low + high) / 2
      if state.windows[middle].end <= time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The sorted runs of a window on disk, ascending by sequence, without what is deleted; tables of one run are disjoint by series.
  package func runs(ofWindow index: Int) -> [any SortedRun] {
    runs(state.windows[index].runs.indices, ofWindow: index) { $0.run }
  }

  /// The same of some of its runs, each table as `made` gives it.
  package func runs(
    _ runs: Range<Int>, ofWindow index: Int, as made: (TableFile) -> any SortedRun
  ) -> [any SortedRun] {
    let window = state.windows[index]
    return runs.flatMap { run in
      let tombstones = state.tombstones(above: window.runs[run], in: window)
      return tables[index][run].map { MaskedRun.masking(made($0), by: tombstones, cache: $0.masks) }
    }
  }
}

/// An open table of a version. Once obsolete its file goes when the last version that names it does.
package final class TableFile: Sendable {
  /// The table, or what stands for one that could not be opened.
  package let run: any SortedRun
  package let name: String
  package let state: TableState
  /// What is deleted in it.
  let masks = MaskCache()
  private let isObsolete = Atomic<Bool>(false)
  private let janitor: Janitor

  package init(run: any SortedRun, name: String, state: TableState, janitor: Janitor) {
    self.run = run
    self.name = name
    self.state = state
    self.janitor = janitor
  }

  /// `nil` where it could not be opened.
  package var table: Table? { run as? Table }

  /// No version from now on names it.
  package func retire() {
    janitor.awaitRelease(of: name, byteCount: state.byteCount)
    isObsolete.store(true, ordering: .releasing)
  }

  deinit {
    if isObsolete.load(ordering: .acquiring) { janitor.enqueue(name) }
  }
}

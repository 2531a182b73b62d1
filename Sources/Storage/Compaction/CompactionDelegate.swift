/// What compaction asks of the store. Safe from several threads; nothing is held while it is called.
package protocol CompactionDelegate: AnyObject, Sendable {
  var fileSystem: any FileSystem { get }
  /// The keyspaces of the version in force, the store clock, and before which points of each are expired.
  func compactionState() -> CompactionState
  /// The runs of a window whose first sequence numbers are given, for reading; `nil` if they do not stand there any more, adjacent
  /// and in this order.
  func compactionInput(_ window: WindowID, runs: [UInt64]) -> CompactionInput?
  /// A table number that was never used.
  func takeTableNumber() -> UInt64
  /// Publishes a merge: the edit `replaceRuns`, after looking, under the lock that serialises edits, that the runs still stand (a
  /// window may have been dropped meanwhile). `false`: they do not, nothing was published.
  func replaceRuns(_ window: WindowID, removed: [UInt64], added: RunState?) throws(StorageError) -> Bool
  /// Notes that runs hold nothing that tombstones up to `through` hide; those that are gone already are passed over.
  func clearRuns(_ window: WindowID, runs: [UInt64], through: UInt64) throws(StorageError)
  /// A job failed.
  func note(_ error: StorageError)
}

extension CompactionDelegate {
  package func note(_ error: StorageError) {}
}

/// What the picker looks at.
package struct CompactionState: Sendable {
  package var keyspaces: [KeyspaceState]
  /// The store clock, nanoseconds.
  package var now: Int64
  package var floors: [KeyspaceID: Int64]

  package init(keyspaces: [KeyspaceState], now: Int64, floors: [KeyspaceID: Int64] = [:]) {
    self.keyspaces = keyspaces
    self.now = now
    self.floors = floors
  }
}

/// Runs to merge, held for reading.
package struct CompactionInput: Sendable {
  package var keyspace: KeyspaceState
  package var window: Range<Int64>
  /// As the manifest has them, ascending.
  package var states: [RunState]
  /// Their tables, ascending by sequence number.
  package var runs: [any SortedRun]
  /// Points before it are left out.
  package var floor: Int64
  /// What keeps the files: the version.
  private let pin: (any AnyObject & Sendable)?

  package init(
    keyspace: KeyspaceState, window: Range<Int64>, states: [RunState], runs: [any SortedRun], floor: Int64,
    pin: (any AnyObject & Sendable)?
  ) {
    self.keyspace = keyspace
    self.window = window
    self.states = states
    self.runs = runs
    self.floor = floor
    self.pin = pin
  }
}

extension KeyspaceState {
  /// Deletes that may wait to be carried out at a time.
  package static let tombstoneCountMax = 1_024

  /// The tombstones that lie above a run of a window, meet the window's times, and are not known to hide nothing of it.
  package func tombstones(above run: RunState, in window: WindowState) -> [Tombstone] {
    if tombstones.isEmpty { return [] }
    return tombstones.filter {
      $0.sequence > run.lastSequence && $0.sequence > run.clearedThrough && $0.deletion.start < window.end
        && $0.deletion.end > window.start
    }
  }

  /// Whether runs of a window, of those that begin at most at `sequence`, may hold what is deleted.
  package func holdsDeleted(_ window: WindowState, below sequence: UInt64 = .max) -> Bool {
    window.runs.contains { $0.firstSequence <= sequence && !tombstones(above: $0, in: window).isEmpty }
  }

  /// The highest number of a tombstone; 0 where there is none. What is written under this state is cleared through it.
  package var lastTombstone: UInt64 { tombstones.last?.sequence ?? 0 }

  /// The tombstones under which nothing can be hidden any more: no run is left that they lie above.
  ///
  /// - Parameter unflushedFrom: the lowest number that memory holds of the keyspace; it may still become a run.
  package func spentTombstones(unflushedFrom: UInt64?) -> [UInt64] {
    if tombstones.isEmpty { return [] }
    var needed = Set<UInt64>()
    for window in windows {
      for run in window.runs {
        for tombstone in tombstones(above: run, in: window) { needed.insert(tombstone.sequence) }
      }
    }
    return tombstones.map(\.sequence).filter { !needed.contains($0) && $0 < unflushedFrom ?? .max }
  }
}

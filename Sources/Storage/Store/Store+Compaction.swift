/// Flushing and merging on request.
extension Store {
  /// Writes every part of the memtable to tables; returns when they are published. Waits for the replay first.
  public func flush() throws(StorageError) {
    try waitUntilReplayed()
    try writing?.flusher.flushAll()
  }

  /// Flushes, then gives windows of more than one run their final merge, quiet or not, also while compaction is paused.
  ///
  /// - Parameters:
  ///   - keyspaces: only those; `nil`: all.
  ///   - time: only windows that cover it.
  ///   - waits: returns when that is done and replaced tables are unlinked; else at once.
  /// - Throws: what a merge failed with, once the others are done.
  public func compact(
    keyspaces: [KeyspaceID]? = nil, window time: Int64? = nil, waits: Bool = true
  ) throws(StorageError) {
    try flush()
    guard let compaction = writing?.compaction else { return }
    var failure: StorageError?
    for keyspace in publisher.version.keyspaces where keyspaces?.contains(keyspace.id) ?? true {
      var scope = CompactionScheduler.Scope.keyspace(keyspace.id)
      if let time {
        guard let index = keyspace.windowIndex(covering: time) else { continue }
        scope = .window(WindowID(keyspace: keyspace.id, start: keyspace.state.windows[index].start))
      }
      do throws(StorageError) {
        try compaction.force(scope, waits: waits)
      } catch {
        failure = failure ?? error
      }
    }
    guard waits else { return }
    try Self.removeSpentTombstones(publisher, memtable)
    publisher.janitor.work()
    if let failure { throw failure }
  }

  /// Runs merges that are due on the caller's thread until none is; for a store without compactors.
  package func runDueCompactions() {
    while writing?.compaction.runOne() ?? false {}
  }

  /// Holds merges that nobody asked for; those under way end.
  public func pauseCompaction() { writing?.compaction.pause() }

  /// Ends a pause.
  public func resumeCompaction() { writing?.compaction.resume() }

  public var isCompactionPaused: Bool { writing?.compaction.status().isPaused ?? false }
}

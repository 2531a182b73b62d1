/// What compaction sees of the store.
package final class CompactionHost: CompactionDelegate {
  package let fileSystem: any FileSystem
  private let publisher: Publisher
  private let retainer: Retainer
  private let damage: DamageCounter

  package init(
    fileSystem: any FileSystem, publisher: Publisher, retainer: Retainer, damage: DamageCounter = DamageCounter()
  ) {
    self.fileSystem = fileSystem
    self.publisher = publisher
    self.retainer = retainer
    self.damage = damage
  }

  package func compactionState() -> CompactionState {
    let keyspaces = publisher.version.keyspaces.map(\.state)
    var floors: [KeyspaceID: Int64] = [:]
    for keyspace in keyspaces { floors[keyspace.id] = retainer.floor(of: keyspace) }
    return CompactionState(keyspaces: keyspaces, now: retainer.now, floors: floors)
  }

  package func compactionInput(_ window: WindowID, runs: [UInt64]) -> CompactionInput? {
    let version = publisher.version
    guard let keyspace = version.keyspace(window.keyspace),
      let index = keyspace.state.windows.firstIndex(where: { $0.start == window.start }),
      let range = keyspace.state.windows[index].adjacentRuns(runs)
    else { return nil }
    return CompactionInput(
      keyspace: keyspace.state, window: keyspace.state.windows[index].range,
      states: Array(keyspace.state.windows[index].runs[range]),
      runs: keyspace.runs(range, ofWindow: index) { $0.table.map(StreamedTable.init) ?? $0.run },
      floor: retainer.floor(of: keyspace.state), pin: version)
  }

  package func note(_ error: StorageError) {
    damage.note(error) { publisher.version.keyspace($0)?.state.database }
  }

  package func takeTableNumber() -> UInt64 { publisher.takeTableNumber() }

  package func replaceRuns(
    _ window: WindowID, removed: [UInt64], added: RunState?
  ) throws(StorageError) -> Bool {
    var stands = false
    try publisher.publish(making: { state in
      guard let place = state.index(of: window.keyspace),
        let found = state.keyspaces[place].windows.first(where: { $0.start == window.start }),
        found.adjacentRuns(removed) != nil
      else { return [] }
      stands = true
      return [.replaceRuns(keyspace: window.keyspace, window: window.start, removed: removed, added: added)]
    })
    return stands
  }

  package func clearRuns(_ window: WindowID, runs: [UInt64], through: UInt64) throws(StorageError) {
    try publisher.publish(making: { state in
      guard let place = state.index(of: window.keyspace), state.keyspaces[place].hasWindow(window.start)
      else { return [] }
      return [.clearRuns(keyspace: window.keyspace, window: window.start, runs: runs, through: through)]
    })
  }
}

extension WindowState {
  /// Where the runs of these first sequence numbers stand, adjacent and in this order; `nil` if they do not.
  fileprivate func adjacentRuns(_ firsts: [UInt64]) -> Range<Int>? {
    guard let start = runs.firstIndex(where: { $0.firstSequence == firsts.first }),
      runs[start...].prefix(firsts.count).map(\.firstSequence) == firsts
    else { return nil }
    return start..<start + firsts.count
  }
}

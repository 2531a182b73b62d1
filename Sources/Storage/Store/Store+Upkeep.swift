/// What is done about once a second, whether anybody asks or not.
extension Store {
  /// Does now what is done about once a second: retention, quotas, unlinking.
  package func runUpkeep() { writing?.upkeep.runOnce() }

  /// One round of upkeep.
  static func keepUp(_ publisher: Publisher, _ retainer: Retainer, _ memtable: Memtable) {
    do throws(StorageError) {
      try publisher.publish(making: { retainer.drops(in: $0) })
      try removeSpentTombstones(publisher, memtable)
      if retainer.isClockToBeNoted { try publisher.publish([.noteClock(retainer.now)]) }
    } catch {
      // A manifest that takes no edit any more says so in `degraded`; the windows stay, and invisible.
    }
    for keyspace in publisher.version.keyspaces where keyspace.state.horizon > .min {
      memtable.drop(keyspace.id, before: keyspace.state.horizon)
    }
    publisher.janitor.work()
    memtable.pool.trim(now: UInt64(monotonicNanoseconds()))
  }

  /// Drops what is beyond the quotas.
  static func keepWithin(
    _ quota: Quota, _ publisher: Publisher, _ retainer: Retainer, _ fileSystem: any FileSystem
  ) {
    if quota.byteCounts.isEmpty { return }
    do throws(StorageError) {
      let free = quota.reserveByteCount > 0 ? try fileSystem.space().free : nil
      try publisher.publish(making: { retainer.drops(in: $0, quota: quota, freeByteCount: free) })
    } catch {
      // A manifest that takes no edit any more says so in `degraded`; a disk that does not tell its space is asked again.
    }
    publisher.janitor.work()
  }

  /// Takes out the tombstones that hide nothing any more.
  static func removeSpentTombstones(_ publisher: Publisher, _ memtable: Memtable) throws(StorageError) {
    guard publisher.version.keyspaces.contains(where: { !$0.state.tombstones.isEmpty }) else { return }
    try publisher.publish(making: { state in
      state.keyspaces.compactMap { keyspace in
        let spent = keyspace.spentTombstones(unflushedFrom: memtable.oldestSequence(of: keyspace.id))
        return spent.isEmpty ? nil : .removeTombstones(keyspace: keyspace.id, sequences: spent)
      }
    })
  }
}

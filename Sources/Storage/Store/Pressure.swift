import Synchronization

/// Holds writers back when flushing falls behind: first slowed in proportion, then held, then refused (DESIGN, rule 8).
package final class Pressure: Sendable {
  /// Bytes of the memtable from which writers are slowed, and at which they are held.
  package let byteCountSlow: Int
  package let byteCountMax: Int
  /// What the replay of a log, and new batches meanwhile, may have each.
  private var byteCountHalf: Int { byteCountMax / 2 }

  /// Time between two looks for memory that came free, nanoseconds.
  private static let lookNanoseconds: Int64 = 20_000_000

  private let memtable: Memtable
  private let flusher: Flusher
  private let gate = Monitor(())
  private let relieved = Condition()
  private let stalled = Lock<[KeyspaceID: UInt64]>([:])
  private let isHopeless = Atomic<Bool>(false)

  package init(memtable: Memtable, flusher: Flusher, byteCountSlow: Int, byteCountMax: Int) {
    self.memtable = memtable
    self.flusher = flusher
    self.byteCountSlow = byteCountSlow
    self.byteCountMax = byteCountMax
  }

  /// Returns when a batch may go in; costs one atomic load where there is no pressure.
  package func admit(keyspace: KeyspaceID, limit: Duration) throws(StorageError) {
    let byteCount = memtable.byteCount
    if byteCount <= byteCountHalf { return }
    // New batches that a replay leaves no flush for are slowed early.
    let slow = memtable.isReplaying ? byteCountHalf : byteCountSlow
    if byteCount <= slow { return }
    flusher.wake()
    let started = monotonicNanoseconds()
    defer {
      let span = UInt64(clamping: monotonicNanoseconds() - started)
      stalled.withLock { $0[keyspace, default: 0] += span }
    }
    if byteCount < byteCountMax, hasRoom(byteCount) {
      // At most 10 ms a batch, in proportion to what is over.
      let share = Int64(byteCount - slow) * 10_000_000 / Int64(max(byteCountMax - slow, 1))
      wait(.nanoseconds(share)) { memtable.byteCount <= slow }
      return
    }
    // Memory also comes free where nobody tells of it: when a query lets go of a part that was flushed. So it is looked for.
    var left = limit.wholeNanoseconds
    while left > 0, !hasRoom(memtable.byteCount), !isHopeless.load(ordering: .relaxed) {
      wait(.nanoseconds(min(left, Self.lookNanoseconds))) {
        hasRoom(memtable.byteCount) || isHopeless.load(ordering: .relaxed)
      }
      left = limit.wholeNanoseconds - (monotonicNanoseconds() - started)
    }
    if !hasRoom(memtable.byteCount) {
      throw StorageError(
        .overloaded, "\(memtable.byteCount) bytes wait to be flushed, at most \(byteCountMax) may; try again later")
    }
  }

  /// Whether a batch may go in. While the log is replayed new parts are not flushed: they get one half, the replay the other.
  private func hasRoom(_ byteCount: Int) -> Bool {
    guard byteCount < byteCountMax else { return false }
    return !memtable.isReplaying || byteCount - memtable.replayedByteCount < byteCountHalf
  }

  /// Holds the replay of the log while what it put back waits to be flushed. New batches do not count: they are flushed only
  /// when the replay has ended.
  ///
  /// Where flushes fail it may go on to what a running server may have held when it was killed, so that a full disk does
  /// not keep the store from answering.
  ///
  /// - Throws: `.cancelled` once the replay is.
  package func admitReplayed(while progress: ReplayProgress) throws(StorageError) {
    guard memtable.byteCount > byteCountHalf / 2 else { return }
    if memtable.replayedByteCount > byteCountHalf / 2 { flusher.wake() }
    let memtable = memtable
    while memtable.replayedByteCount > (flusher.isFailing ? byteCountMax + byteCountHalf / 2 : byteCountHalf) {
      wait(.milliseconds(100)) { memtable.replayedByteCount <= byteCountHalf }
      try progress.checkIsWanted()
    }
  }

  private func wait(_ limit: Duration, until isDone: () -> Bool) {
    gate.withLock(on: relieved, for: limit, when: { _ in isDone() }) { _ in }
  }

  /// Nothing will be flushed any more, since the replay of the log has failed or was stopped: who would wait is refused at once.
  package func giveUp() {
    isHopeless.store(true, ordering: .relaxed)
    relieve()
  }

  /// Called after each flush.
  package func relieve() {
    gate.withLock { _ in }
    relieved.notifyAll()
  }

  /// Nanoseconds that writers of a keyspace were held back.
  package func stalledNanoseconds(of keyspace: KeyspaceID) -> UInt64 {
    stalled.withLock { $0[keyspace] ?? 0 }
  }
}

import Synchronization

/// Seals parts when memory, log or age reaches its limit, and writes sealed ones to tables: one thread.
///
/// Parts of one window are flushed and published in the order in which they were sealed. While the log is replayed only what it
/// put back is flushed. A flush that fails is tried again later under other table numbers; its parts stay readable and the log keeps
/// their rows.
package final class Flusher: Sendable {
  /// An unsealed part is sealed at this age, nanoseconds.
  package static let ageMax: UInt64 = 3_600 * 1_000_000_000
  /// Time between two tries of a flush that failed.
  package static let retryDelay: Duration = .seconds(1)

  private let memtable: Memtable
  private let publisher: Publisher
  private let log: WriteAheadLog
  private let fileSystem: any FileSystem
  private let byteCountMax: Int
  private let seriesMemory: SeriesMemory
  private let walByteCountMax: Int
  private let clock: @Sendable () -> Int64
  /// The time before which a keyspace shows nothing: what lies before it is not written.
  private let floor: @Sendable (KeyspaceState) -> Int64
  private let thread = Lock<WorkerThread?>(nil)
  private let onFlushed = Lock<(@Sendable () -> Void)?>(nil)

  private struct State {
    var isWoken = false
    var isStopping = false
    /// Rounds asked for and done, for those who wait.
    var asked: UInt64 = 0
    var done: UInt64 = 0
    var failure: StorageError?
  }
  private let state = Monitor(State())
  private let isDue = Condition()
  private let hasFinished = Condition()
  private let writtenBytes = Lock<[KeyspaceID: UInt64]>([:])
  private let hasFailed = Atomic<Bool>(false)

  package init(
    memtable: Memtable, publisher: Publisher, log: WriteAheadLog, fileSystem: any FileSystem, byteCountMax: Int,
    seriesMemory: SeriesMemory, walByteCountMax: Int, clock: @escaping @Sendable () -> Int64, floor: @escaping @Sendable (KeyspaceState) -> Int64
  ) {
    self.memtable = memtable
    self.publisher = publisher
    self.log = log
    self.fileSystem = fileSystem
    self.byteCountMax = byteCountMax
    self.seriesMemory = seriesMemory
    self.walByteCountMax = walByteCountMax
    self.clock = clock
    self.floor = floor
  }

  /// Starts the thread; `onFlushed` is called on it after each round.
  package func start(onFlushed: @escaping @Sendable () -> Void) throws(StorageError) {
    self.onFlushed.withLock { $0 = onFlushed }
    let made = try WorkerThread(name: "varve-flush") { [self] in run() }
    thread.withLock { $0 = made }
  }

  /// Ends the thread; what is sealed stays in the log.
  package func stop() {
    state.withLock { $0.isStopping = true }
    isDue.notifyAll()
    let running = thread.withLock { thread in
      defer { thread = nil }
      return thread
    }
    running?.join()
    // It holds what holds the flusher.
    onFlushed.withLock { $0 = nil }
  }

  /// Looks soon whether something is to be flushed.
  package func wake() {
    state.withLock { $0.isWoken = true }
    isDue.notifyOne()
  }

  /// To be called after each batch: wakes the thread when the memtable is full. Costs a few atomic loads.
  package func batchInserted() {
    if memtable.byteCount > byteCountMax || seriesMemory.isToBeReleased { wake() }
  }

  /// Seals every part and returns when all of them are published.
  package func flushAll() throws(StorageError) {
    for part in memtable.parts() { memtable.seal(part) }
    let round = state.withLock { state in
      state.asked += 1
      state.failure = nil
      return state.asked
    }
    isDue.notifyOne()
    let failure = state.withLock(
      on: hasFinished, when: { $0.done >= round || $0.isStopping || $0.failure != nil }
    ) { state in
      state.done >= round ? nil : state.failure ?? StorageError(.cancelled, "the store is closing")
    }
    if let failure { throw failure }
  }

  /// Bytes of tables written for a keyspace since start.
  package func writtenBytes(of keyspace: KeyspaceID) -> UInt64 { writtenBytes.withLock { $0[keyspace] ?? 0 } }

  /// Whether the last flush failed.
  package var isFailing: Bool { hasFailed.load(ordering: .relaxed) }

  // MARK: The thread

  private func run() {
    var release = SeriesRelease()
    while true {
      let (isStopping, asked) = state.withLock(
        on: isDue, for: .milliseconds(500), when: { $0.isWoken || $0.isStopping || $0.asked > $0.done }
      ) { state in
        state.isWoken = false
        return (state.isStopping, state.asked)
      }
      if isStopping { return }
      do throws(StorageError) {
        sealWhatIsDue()
        if !memtable.isReplaying, release.isDue(refusalCount: seriesMemory.refusalCount, giveCount: memtable.pool.giveCount) {
          memtable.releaseSeries()
        }
        try flushSealed(all: asked)
        hasFailed.store(false, ordering: .relaxed)
        finish(round: asked)
      } catch {
        hasFailed.store(true, ordering: .relaxed)
        let asked = state.withLock { state in
          state.failure = error
          return state.asked
        }
        hasFinished.notifyAll()
        // Who asks after the failure has it tried again at once.
        state.withLock(on: isDue, for: Self.retryDelay, when: { $0.isStopping || $0.asked > asked }) { _ in }
      }
    }
  }

  private func finish(round: UInt64) {
    state.withLock { $0.done = max($0.done, round) }
    hasFinished.notifyAll()
  }

  /// Memory: the largest until three quarters are free. Live series: all, where many came since the last time. Log: those that
  /// pin its older half. Age: one hour.
  ///
  /// While the log is replayed memory alone counts, and half of it is enough: the replay goes on while the first half is written.
  private func sealWhatIsDue() {
    let isReplaying = memtable.isReplaying
    if memtable.byteCount > byteCountMax || (isReplaying && memtable.replayedByteCount > byteCountMax / 2) {
      for part in memtable.partsToSeal(byteCountTarget: byteCountMax / 4) { memtable.seal(part) }
    }
    if isReplaying { return }
    // Series are let go two seals after their last row.
    if seriesMemory.takeRelease() {
      for part in memtable.parts() { memtable.seal(part) }
    }
    if let limit = log.sequence(pinnedAbove: walByteCountMax) {
      for part in memtable.partsToSeal(pinning: limit) { memtable.seal(part) }
    }
    for part in memtable.partsToSeal(olderThan: Self.ageMax) { memtable.seal(part) }
  }

  /// Flushes what is sealed and no longer held, until nothing sealed is left.
  private func flushSealed(all round: UInt64) throws(StorageError) {
    while true {
      if try flushSome() {
        // Only now are the parts gone, and their memory: who waits for it finds it free.
        onFlushed.withLock { $0 }?()
        continue
      }
      let isHeld = memtable.partsToFlush().contains { $0.isSealed }
      if !isHeld { return }
      // A batch is being inserted: a matter of microseconds.
      state.withLock(on: isDue, for: .milliseconds(1), when: { $0.isStopping }) { _ in }
      if state.withLock({ $0.isStopping }) { return }
    }
  }

  /// Flushes the parts that can be, at most those of one round; `false` where there is none.
  @inline(never) private func flushSome() throws(StorageError) -> Bool {
    let parts = flushableParts()
    if parts.isEmpty { return false }
    try flush(parts)
    return true
  }

  /// Sealed parts without holds, none behind one of its window that has holds; at most enough for one round of memory.
  private func flushableParts() -> [Part] {
    var chosen: [Part] = []
    var blocked: Set<WindowName> = []
    var byteCount = 0
    for part in memtable.partsToFlush() {
      let window = WindowName(keyspace: part.keyspace, start: part.window.lowerBound)
      if !part.isFlushable { blocked.insert(window) }
      if blocked.contains(window) { continue }
      chosen.append(part)
      byteCount += part.byteCount
      if byteCount > byteCountMax / 2 { break }
    }
    return chosen
  }

  private struct WindowName: Hashable {
    var keyspace: KeyspaceID
    var start: Int64
  }

  /// Writes the parts' runs, publishes them with one edit line, lets go of parts and log.
  ///
  /// A window that is dropped meanwhile takes its part with it.
  private func flush(_ parts: [Part]) throws(StorageError) {
    var edits: [Edit] = []
    do throws(StorageError) {
      for part in parts {
        guard let keyspace = publisher.version.keyspace(part.keyspace)?.state,
          keyspace.hasWindow(part.window.lowerBound)
        else { continue }
        edits.append(
          .publishRun(
            keyspace: part.keyspace, window: part.window.lowerBound, run: try write(part, of: keyspace),
            flushedThrough: part.sealedThrough ?? 0))
      }
      let written = edits
      edits = []
      try publisher.publish(
        making: { state in
          let stands = written.filter { $0.publishesInto(state) }
          edits = written.filter { !stands.contains($0) }
          return stands
        },
        whenPublished: { for part in parts { memtable.remove(part) } })
      abandon(edits)
    } catch {
      abandon(edits)
      throw error
    }
    // Where nothing was published at all the parts are still there.
    for part in parts { memtable.remove(part) }
    try trimLog()
    onFlushed.withLock { $0 }?()
  }

  /// Lets go of the log's ended segments that no unflushed part needs.
  func trimLog() throws(StorageError) {
    // Read before the memtable is looked at: a batch that is numbered in between is not to be taken for flushed.
    let next = log.nextSequence
    try log.removeSegments(throughSequence: (memtable.oldestSequence ?? next) - 1)
  }

  /// What no edit names is an orphan; the next start would sweep it, but the space is wanted now.
  private func abandon(_ edits: [Edit]) {
    for edit in edits {
      guard case .publishRun(let keyspace, let window, let run, _) = edit else { continue }
      for table in run?.tables ?? [] {
        publisher.janitor.enqueue(tableFileName(keyspace: keyspace, windowStart: window, number: table.number))
      }
    }
  }

  private func write(_ part: Part, of keyspace: KeyspaceState) throws(StorageError) -> RunState? {
    guard let run = part.maskedRun(by: keyspace.tombstones), let sequences = part.sequenceRange else { return nil }
    // The merge gives each table a number of its own.
    let identity = TableIdentity(
      number: 0, keyspace: keyspace.id, database: keyspace.database, policy: keyspace.policy, window: part.window,
      sequenceRange: sequences, horizon: keyspace.horizon)
    let merge = TableMerge(
      runs: [run], identity: identity, floor: floor(keyspace), fileSystem: fileSystem,
      takeTableNumber: publisher.takeTableNumber)
    let result = try merge.run()
    guard !result.tables.isEmpty else { return nil }
    writtenBytes.withLock { $0[keyspace.id, default: 0] += result.byteCount }
    return RunState(
      firstSequence: sequences.lowerBound, lastSequence: sequences.upperBound, isFinal: false, publishedAt: clock(),
      clearedThrough: keyspace.lastTombstone, tables: result.tables)
  }
}

extension KeyspaceState {
  /// Whether a window that begins at a time is there.
  func hasWindow(_ start: Int64) -> Bool { windows.contains { $0.start == start } }
}

extension Edit {
  /// Whether a flush's window still is where the edit says.
  fileprivate func publishesInto(_ state: ManifestState) -> Bool {
    guard case .publishRun(let id, let window, _, _) = self, let place = state.index(of: id) else { return false }
    return state.keyspaces[place].hasWindow(window)
  }
}

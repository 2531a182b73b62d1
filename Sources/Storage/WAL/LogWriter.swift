import Synchronization

/// What the log's writer thread does: one group after the other to the disk.
final class LogWriter {
  private enum Task {
    case write(LogGroup)
    case sync
    case stop
  }

  /// Written and not yet synced, under `interval`.
  private struct Unsynced {
    var segment: Segment
    var end: UInt64
    var byteCount: Int
    var batchCount: UInt64
    /// Monotonic nanoseconds.
    var since: Int64
  }

  private let log: WriteAheadLog
  private var unsynced: Unsynced?
  /// The last sync is not yet stated by a record.
  private var needsMark = false
  /// Groups were written since the buffers were last given back.
  private var holdsBuffers = false

  init(log: WriteAheadLog) { self.log = log }

  /// Runs until the log closes and all is written.
  func run() {
    while true {
      switch nextTask() {
      case .write(let group): write(group)
      case .sync: syncWritten()
      case .stop: return
      }
    }
  }

  private func nextTask() -> Task {
    var timeout: Duration?
    if let syncTime = syncTime() {
      let left = syncTime - monotonicNanoseconds()
      if left <= 0 { return .sync }
      timeout = .nanoseconds(left)
    } else if needsMark {
      timeout = log.options.idleDelay
    } else if holdsBuffers {
      timeout = log.options.releaseDelay
    }
    let quietTask: Task? = syncTime() != nil ? .sync : nil
    return log.state.withLock(on: log.work, for: timeout, when: { $0.hasWork || $0.isClosing }) { state in
      if state.hasWork { return .write(state.takeGroup()) }
      if let quietTask { return quietTask }
      if state.isClosing { return .stop }
      if !needsMark {
        state.releaseBuffers()
        holdsBuffers = false
        return .sync
      }
      needsMark = false
      // Too near the end there is no room for a mark; the end record will say it.
      if !state.fits(0) { return .sync }
      state.put(.mark)
      return .write(state.takeGroup())
    }
  }

  /// When what is written must be synced; `nil` where nothing is or nobody asked for it.
  private func syncTime() -> Int64? {
    guard let unsynced, case .interval(let interval) = log.options.sync else { return nil }
    return unsynced.since + interval.asNanoseconds
  }

  private func write(_ group: LogGroup) {
    holdsBuffers = true
    let waitingCount = unsynced?.batchCount ?? 0
    do throws(StorageError) {
      try group.segment.file.write(group.bytes, at: group.offset)
      note(group)
      if log.options.sync == .group || group.endsSegment { try sync() }
    } catch {
      unsynced = nil
      needsMark = false
      log.state.withLock { $0.statistics.doubtfulBatchCount += waitingCount }
      return fail(group, error)
    }
    var byteCount = group.end
    if group.endsSegment {
      needsMark = false
      do throws(StorageError) {
        try group.segment.file.truncate(to: group.end)
        try group.segment.file.close()
      } catch {
        // The zeros behind the end record stay, and are counted, until the segment goes.
        byteCount = group.segment.byteCount
      }
    }
    settle(group, byteCount: byteCount)
  }

  private func note(_ group: LogGroup) {
    let batchCount = group.lastSequence > 0 ? group.lastSequence - group.firstSequence + 1 : 0
    if unsynced != nil {
      unsynced?.end = group.end
      unsynced?.byteCount += group.bytes.count
      unsynced?.batchCount += batchCount
    } else {
      unsynced = Unsynced(
        segment: group.segment, end: group.end, byteCount: group.bytes.count, batchCount: batchCount,
        since: monotonicNanoseconds())
    }
    if group.lastSequence > 0 { needsMark = log.options.sync != .none }
  }

  /// Syncs what is written; the segment then states it in its next records.
  private func sync() throws(StorageError) {
    guard let written = unsynced else { return }
    let start = monotonicNanoseconds()
    try written.segment.file.sync()
    let nanoseconds = monotonicNanoseconds() - start
    unsynced = nil
    written.segment.synced.store(written.end, ordering: .relaxed)
    log.state.withLock { $0.statistics.countSync(byteCount: written.byteCount, nanoseconds: nanoseconds) }
  }

  /// The sync that falls due under `interval`.
  private func syncWritten() {
    guard let written = unsynced else { return }
    do throws(StorageError) {
      try sync()
    } catch {
      unsynced = nil
      needsMark = false
      log.state.withLock { $0.statistics.doubtfulBatchCount += written.batchCount }
      fail(LogGroup(segment: written.segment, offset: written.end, bytes: []), error)
    }
  }

  /// A group is as durable as was asked for.
  private func settle(_ group: LogGroup, byteCount: UInt64) {
    let handlers = log.state.withLock { state in
      state.statistics.groupCount += 1
      state.byteCountInFlight -= group.byteCountInFlight
      if group.endsSegment {
        var info = state.ending.removeFirst()
        info.byteCount = byteCount
        info.hasSlack = byteCount > group.end
        state.retained.append(info)
      }
      state.recycle(group.bytes)
      if group.lastSequence > 0 { log.decide(through: group.lastSequence) }
      return state.decidedHandlers
    }
    log.room.notifyAll()
    log.decided.notifyAll()
    for handler in handlers { handler() }
  }

  /// A write or sync of a segment failed: nothing more goes to it, all that was meant for it fails, and the log goes on in a
  /// new one, or not at all.
  private func fail(_ group: LogGroup, _ error: StorageError) {
    let (last, mustRecover) = log.state.withLock { state in state.abandon(group, error, sync: log.options.sync) }
    var failure: StorageError?
    if mustRecover { failure = recover(after: error) }
    let failureHandlers = log.state.withLock { $0.failureHandlers }
    // Who hears that a batch failed finds the store told.
    for handler in failureHandlers { handler(failure ?? error, failure == nil) }
    let decidedHandlers = log.state.withLock { state in
      if last > 0 { log.decide(through: last) }
      return state.decidedHandlers
    }
    log.room.notifyAll()
    log.decided.notifyAll()
    for handler in decidedHandlers { handler() }
  }

  /// Opens the next segment in place of the failed one, or lets the log die; returns why it died.
  private func recover(after error: StorageError) -> StorageError? {
    log.state.withLock { state in
      // A refusal from before says nothing about now.
      if case .failed = state.spare { state.spare = .wanted }
    }
    log.allocation.notifyOne()
    let isReady: (inout WriteAheadLog.State) -> Bool = { state in
      if case .wanted = state.spare { return false }
      return true
    }
    return log.state.withLock(on: log.room, when: isReady) { state in
      state.isRecovering = false
      switch state.spare {
      case .ready(let next):
        log.begin(next, previousSynced: state.retained.last?.syncedByteCount ?? SegmentHeader.ended, &state)
      case .failed(let spareError, _):
        state.failure = StorageError(
          .io, file: error.file, "\(error.detail), and no new segment could be opened: \(spareError.detail)")
      case .wanted, .none:
        state.failure = error
      }
      return state.failure
    }
  }
}

extension WriteAheadLog.State {
  fileprivate var hasWork: Bool { groups.count > 1 || groups.first?.hasRecords == true }

  /// Keeps a buffer for another group, as many as are in use at once. It is emptied when it is taken: until then the group that
  /// is done may share it, and emptying a shared buffer makes another.
  fileprivate mutating func recycle(_ bytes: [UInt8]) {
    if buffers.count < 2 { buffers.append(bytes) }
  }

  /// Gives up a segment from a group on: all that waits for it fails. Returns the last number that failed, and whether the
  /// segment was the open one.
  fileprivate mutating func abandon(
    _ group: LogGroup, _ error: StorageError, sync: SyncMode
  ) -> (last: UInt64, mustRecover: Bool) {
    var failed = [group]
    while let next = groups.first, next.segment === group.segment { failed.append(groups.removeFirst()) }
    let first = failed.first { $0.firstSequence > 0 }?.firstSequence ?? 0
    let last = failed.last { $0.lastSequence > 0 }?.lastSequence ?? 0
    byteCountInFlight -= failed.reduce(0) { $0 + $1.byteCountInFlight }
    statistics.failedSegmentCount += 1
    if first > 0 {
      if sync == .group {
        failures.append((first...last, StorageError(.io, file: error.file, error.detail)))
      } else {
        statistics.doubtfulBatchCount += last - first + 1
      }
    }
    let isOpen = open.segment === group.segment
    let isEnding = ending.first?.number == group.segment.number
    var info = isEnding ? ending.removeFirst() : open.info
    info.byteCount = group.segment.byteCount
    info.syncedByteCount = group.segment.synced.load(ordering: .relaxed)
    retained.append(info)
    restateHeader(after: info)
    if isOpen && !isClosing {
      isRecovering = true
      return (last, true)
    }
    if isOpen { failure = error }
    return (last, false)
  }
}

import Synchronization

/// How segments come, end and go.
extension WriteAheadLog {
  /// Ends the open segment, where it holds anything, and returns when its end record is synced.
  ///
  /// - Throws: `.full` where no other segment could be allocated; `.io` where the segment's last sync failed.
  package func rotate() throws(StorageError) { _ = try segments(through: try cut()) }

  /// A point between two batches: all up to `lastSequence` lie in segments below `segment`, none after it does.
  package struct Cut: Sendable {
    package var segment: UInt64
    package var lastSequence: UInt64
  }

  /// Ends the open segment, where it holds anything; its end record waits for the writer.
  ///
  /// - Throws: `.full` where no other segment could be allocated.
  package func cut() throws(StorageError) -> Cut {
    try state.withLock(on: room, when: { $0.canRotate }) { state throws(StorageError) in
      try state.checkIsOpen()
      if state.isToBeEnded { try openNextSegment(&state) }
      return Cut(segment: state.open.segment.number, lastSequence: state.nextSequence - 1)
    }
  }

  /// The segments that lie before a cut and on the disk, oldest first, when the last of them is synced, end record and all. Nothing
  /// more is written to any.
  ///
  /// - Throws: `.io` where the last one's last sync failed.
  package func segments(through cut: Cut) throws(StorageError) -> [SegmentInfo] {
    let segments = state.withLock(
      on: decided, when: { state in !state.ending.contains { $0.number < cut.segment } }
    ) { state in state.retained.filter { $0.number < cut.segment } }
    if let last = segments.last, last.number + 1 == cut.segment, last.syncedByteCount != nil {
      throw StorageError(
        .io, file: LogFormat.name(last.number), "the segment could not be ended: its last sync failed")
    }
    return segments
  }

  /// Keeps segments on the disk while it lives.
  package final class Pin: Sendable {
    private let log: WriteAheadLog

    fileprivate init(_ log: WriteAheadLog) {
      self.log = log
      log.removal.withLock { $0 += 1 }
    }

    deinit { log.removal.withLock { $0 -= 1 } }
  }

  /// Keeps the segments that are on the disk there; what would have gone meanwhile goes with the flush after it.
  package func pinSegments() -> Pin { Pin(self) }

  /// Removes ended segments, oldest first, as long as all their numbers are at most `throughSequence`.
  package func removeSegments(throughSequence: UInt64) throws(StorageError) {
    try removal.withLock { pinCount throws(StorageError) in
      while pinCount == 0, let first = state.withLock({ $0.retained.first }), first.lastSequence <= throughSequence {
        // One by one, each name's end synced before the next goes: so no crash leaves a hole in the numbers, and a hole that
        // replay finds is damage.
        try fileSystem.remove(LogFormat.name(first.number))
        try fileSystem.syncDirectory(LogFormat.directory)
        state.withLock { _ = $0.retained.removeFirst() }
      }
    }
  }

  /// Segments that have ended and still lie on the disk, oldest first.
  package func retainedSegments() -> [SegmentInfo] { state.withLock { $0.retained } }

  /// Writes what was taken, ends the open segment, stops the threads. Idempotent; later batches are refused.
  package func close() throws(StorageError) {
    let isFirst = state.withLock(on: room, when: { !$0.isRecovering }) { state in
      if state.isClosing { return false }
      state.isClosing = true
      if state.failure == nil && state.open.hasRecords { state.putEnd() }
      return true
    }
    stopThreads()
    if !isFirst { return }
    let (unused, failure) = state.withLock { state in
      var unused: [UInt64] = []
      if case .ready(let spare) = state.spare { unused.append(spare.number) }
      if state.failure == nil && !state.open.hasRecords { unused.append(state.open.segment.number) }
      state.spare = .none
      // Nobody calls them any more, and they may hold who holds the log.
      (state.decidedHandlers, state.failureHandlers) = ([], [])
      return (unused, state.failure)
    }
    for number in unused { try fileSystem.remove(LogFormat.name(number)) }
    if !unused.isEmpty { try fileSystem.syncDirectory(LogFormat.directory) }
    if let failure { throw failure }
  }

  func stopThreads() {
    state.withLock { $0.isClosing = true }
    for condition in [work, room, decided, allocation] { condition.notifyAll() }
    for thread in threads.withLock({ $0 }) { thread.join() }
  }

  /// Tickets through `sequence` are decided; called with the lock held, so that no waiter misses it.
  func decide(through sequence: UInt64) {
    if options.sync == .group { decidedNumber.store(sequence, ordering: .releasing) }
  }

  /// Ends the open segment and opens the spare one.
  func openNextSegment(_ state: inout State) throws(StorageError) {
    switch state.spare {
    case .ready(let next):
      state.putEnd()
      begin(next, previousSynced: SegmentHeader.ended, &state)
      work.notifyOne()
    case .failed(let error, let retryTime):
      if monotonicNanoseconds() >= retryTime {
        state.spare = .wanted
        allocation.notifyOne()
      }
      throw error
    case .wanted, .none:
      throw StorageError(.overloaded, "the next log segment is not allocated yet")
    }
  }

  /// Makes `next` the open segment and asks for another.
  func begin(_ next: Segment, previousSynced: UInt64, _ state: inout State) {
    state.begin(next, previousSynced: previousSynced)
    state.spare = .wanted
    openNumber.store(next.number, ordering: .releasing)
    allocation.notifyOne()
    room.notifyAll()
  }

  /// What the allocator thread does: keeps one segment ready behind the open one.
  func allocateSegments() {
    let isWanted: (inout State) -> Bool = { state in
      if case .wanted = state.spare { return true }
      return state.isClosing
    }
    while let number = state.withLock(on: allocation, when: isWanted, { $0.isClosing ? nil : $0.open.segment.number + 1 }) {
      let spare: Spare
      do throws(StorageError) {
        spare = .ready(
          try Self.allocate(
            number, byteCount: options.segmentByteCount, fileSystem: fileSystem, options: options))
      } catch {
        spare = .failed(
          error, retryTime: monotonicNanoseconds() + options.allocationRetryDelay.asNanoseconds)
      }
      state.withLock { $0.spare = spare }
      room.notifyAll()
    }
    // Whoever still waits for a segment is not to wait for ever.
    state.withLock { state in if case .wanted = state.spare { state.spare = .none } }
    room.notifyAll()
  }

  /// A file of zeros under its final name, allocated and synced, name and all.
  static func allocate(
    _ number: UInt64, byteCount: UInt64, fileSystem: any FileSystem, options: Options
  ) throws(StorageError) -> Segment {
    let name = LogFormat.name(number)
    // One that was not used before a crash or a failure.
    try fileSystem.remove(name)
    let file = try fileSystem.create(name)
    do throws(StorageError) {
      try file.allocate(byteCount)
      try file.sync()
      try fileSystem.syncDirectory(LogFormat.directory)
    } catch {
      // Gives back what was allocated. A file of zeros that stays is removed by the next try, or at the next start.
      try fileSystem.remove(name)
      throw error
    }
    return Segment(number: number, salt: options.makeSalt(), file: file, byteCount: byteCount)
  }
}

extension WriteAheadLog.State {
  fileprivate var canRotate: Bool {
    if failure != nil || isClosing { return true }
    if isRecovering { return false }
    if case .wanted = spare { return !isToBeEnded }
    return true
  }

  /// Whether a cut needs another segment. One that holds nothing but stands behind one that failed says of that how far it holds.
  fileprivate var isToBeEnded: Bool {
    open.hasRecords || (ending.isEmpty && retained.last?.syncedByteCount != nil)
  }
}

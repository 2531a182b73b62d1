import Coding
import Synchronization

/// The log: batches get their numbers here and are durable when their group is synced. See WAL.md for its bytes.
///
/// Receivers append from their threads into the open group, in memory; one writer thread writes and syncs a group at a time while
/// the next one fills; one allocator thread keeps the next segment ready. The threads hold the log: it goes after `close`. What
/// must hold:
/// - numbers are given in the order in which bytes stand in the log, and tickets are decided in that order;
/// - a batch is taken only into allocated bytes, so that a full disk refuses it before anything of it is stored;
/// - a segment's end record is synced before a byte of the next segment is written;
/// - after a write or sync that failed nothing more is written to that segment.
package final class WriteAheadLog: Sendable {
  package struct Options: Sendable {
    package var sync: SyncMode = .group
    package var segmentByteCount: UInt64 = 64 << 20
    /// A batch waits while more bytes than this are taken and not decided; a larger one goes alone.
    package var byteCountInFlightMax = 8 << 20
    /// Quiet for this long, a mark record states what is synced.
    package var idleDelay: Duration = .milliseconds(100)
    /// Quiet for this long, the buffers of groups are given back.
    package var releaseDelay: Duration = .seconds(300)
    /// How soon after a refusal for want of space the disk is asked again.
    package var allocationRetryDelay: Duration = .milliseconds(250)
    /// Makes the salt of a segment; fixed only in tests of the format.
    package var makeSalt: @Sendable () -> UInt32 = { UInt32.random(in: 1 ... .max) }

    package init() {}
  }

  let fileSystem: any FileSystem
  let options: Options
  let state: Monitor<State>
  /// The writer has something to do.
  let work = Condition()
  /// Bytes in flight went down, a segment was opened or allocated, or the log died.
  let room = Condition()
  /// Tickets were decided, or a segment ended.
  let decided = Condition()
  /// A segment is to be allocated, or the log closes.
  let allocation = Condition()
  let decidedNumber: Atomic<UInt64>
  let openNumber: Atomic<UInt64>
  let threads = Lock<[WorkerThread]>([])
  /// One caller removes segments at a time, and none while something holds them: how many hold them.
  let removal = Lock(0)

  /// Opens a fresh segment behind those that replay found, and starts the threads.
  ///
  /// - Parameters:
  ///   - nextSequence: the first number to give, above any ever given.
  ///   - nextSegment: above any segment ever opened.
  ///   - retained: what replay found, in order.
  ///   - isFirstShort: the first segment takes the least room that there may be; batches that do not fit wait for the next one.
  /// - Throws: `.full` where the disk has no room for a segment; `.io`.
  package init(
    fileSystem: any FileSystem, options: Options = Options(), nextSequence: UInt64, nextSegment: UInt64,
    retained: [SegmentInfo] = [], isFirstShort: Bool = false
  ) throws(StorageError) {
    precondition(nextSequence > 0 && nextSegment > retained.last?.number ?? 0, "segment \(nextSegment)")
    precondition(
      options.segmentByteCount >= Self.segmentByteCountMin, "segments of \(options.segmentByteCount) bytes")
    self.fileSystem = fileSystem
    self.options = options
    try fileSystem.createDirectory(LogFormat.directory)
    try fileSystem.syncDirectory("")
    let first = try Self.allocate(
      nextSegment, byteCount: isFirstShort ? Self.segmentByteCountMin : options.segmentByteCount, fileSystem: fileSystem,
      options: options)
    var initial = State(open: OpenSegment(segment: first), nextSequence: nextSequence, retained: retained)
    initial.groups = [initial.firstGroup(of: first, previousSynced: SegmentHeader.ended)]
    state = Monitor(initial)
    decidedNumber = Atomic(nextSequence - 1)
    openNumber = Atomic(nextSegment)
    do throws(StorageError) {
      let writer = try WorkerThread(name: "log writer") { LogWriter(log: self).run() }
      threads.withLock { $0.append(writer) }
      let allocator = try WorkerThread(name: "log allocator") { self.allocateSegments() }
      threads.withLock { $0.append(allocator) }
    } catch {
      stopThreads()
      throw error
    }
  }

  /// A header, an end record, a mark, and room for something.
  static let segmentByteCountMin: UInt64 = 4_096

  /// The largest batch, both payloads together, that a segment takes.
  package var batchByteCountMax: Int {
    Int(options.segmentByteCount) - SegmentHeader.byteCount - 4 * RecordHeader.overheadByteCount
  }

  /// The number of the segment that batches are to be encoded for.
  package var openSegment: UInt64 { openNumber.load(ordering: .acquiring) }

  /// Tickets at or below it are synced or failed; under `interval` and `none` all that were given.
  package var decidedThrough: UInt64 { decidedNumber.load(ordering: .acquiring) }

  /// Takes a batch that was encoded for `segment`: gives it the next number and puts its records into the open group.
  ///
  /// Waits while the bound on bytes in flight is reached, or a segment that is needed is being allocated.
  /// - Parameters:
  ///   - limit: how long it may wait; `nil`: without end.
  ///   - definitions: may be empty; then the batch is one record.
  ///   - hold: called with the number while the log's lock is held: short, and without a call of this log.
  /// - Returns: the batch's number; `nil` where the open segment is no longer `segment`: encode again.
  /// - Throws: `.overloaded` past the limit, `.full` where the disk has no room for another segment, `.limit` where no segment could hold the batch, `.io` once
  ///   the log has failed, `.invalid` once it is closed; the batch has then left no trace.
  package func append(
    segment: UInt64, within limit: Duration? = nil, definitions: UnsafeRawBufferPointer, rows: UnsafeRawBufferPointer,
    hold: (UInt64) -> Void
  ) throws(StorageError) -> UInt64? {
    guard definitions.count <= batchByteCountMax, rows.count <= batchByteCountMax - definitions.count else {
      throw StorageError(
        .limit, "a batch of \(definitions.count + rows.count) bytes, at most \(batchByteCountMax) fit a log segment")
    }
    // The sums over the bytes are taken here, outside the lock.
    let definitionsChecksum = unsafe definitions.count > 0 ? crc32c(definitions) : 0
    let rowsChecksum = unsafe crc32c(rows)
    let byteCount =
      rows.count + RecordHeader.overheadByteCount
      + (definitions.count > 0 ? definitions.count + RecordHeader.overheadByteCount : 0)
    return try state.withLock(
      on: room, for: limit, when: { $0.isReady(segment: segment, byteCount: byteCount, max: options.byteCountInFlightMax) }
    ) { state throws(StorageError) -> UInt64? in
      guard state.isReady(segment: segment, byteCount: byteCount, max: options.byteCountInFlightMax) else {
        throw StorageError(
          .overloaded,
          "the log has \(state.byteCountInFlight) bytes that are not synced, at most \(options.byteCountInFlightMax) may wait; "
            + "try again later")
      }
      try state.checkIsOpen()
      if state.open.segment.number != segment { return nil }
      if !state.fits(byteCount) {
        try openNextSegment(&state)
        return nil
      }
      let sequence = state.take(byteCount: byteCount)
      if definitions.count > 0 {
        unsafe state.put(.definitions, sequence, definitions, checksum: definitionsChecksum)
      }
      unsafe state.put(.rows, sequence, rows, checksum: rowsChecksum)
      hold(sequence)
      if options.sync != .group { decidedNumber.store(sequence, ordering: .releasing) }
      work.notifyOne()
      return sequence
    }
  }

  /// Takes a number between those of batches, for something that must have its place in their order and stands in no log.
  ///
  /// - Parameter hold: called with it while the log's lock is held: every batch below it has its hold by then, none above it has.
  package func takeNumber(hold: (UInt64) -> Void) throws(StorageError) -> UInt64 {
    try state.withLock { state throws(StorageError) in
      try state.checkIsOpen()
      defer { state.nextSequence += 1 }
      hold(state.nextSequence)
      return state.nextSequence
    }
  }

  /// Lets the next batch have a number above `sequence`, where it would not.
  ///
  /// - Parameter hold: called then while the log's lock is held, as that of `takeNumber`: numbers make a leap there, and rows from
  ///   before and after it are to lie in different parts.
  package func skipNumbers(through sequence: UInt64, hold: () -> Void) throws(StorageError) {
    try state.withLock { state throws(StorageError) in
      try state.checkIsOpen()
      guard state.nextSequence <= sequence else { return }
      state.nextSequence = sequence + 1
      hold()
    }
  }

  /// Where the ticket of a number stands.
  package func state(of sequence: UInt64) -> TicketState {
    if sequence > decidedThrough { return .pending }
    return state.withLock { $0.failure(of: sequence) }.map { .failed($0) } ?? .durable
  }

  /// Blocks until a ticket is decided; throws why it failed.
  package func wait(for sequence: UInt64) throws(StorageError) {
    let isGiven = state.withLock { sequence < $0.nextSequence }
    if !isGiven { throw StorageError(.invalid, "batch \(sequence) was never logged") }
    let failure = state.withLock(on: decided, when: { _ in sequence <= decidedThrough }) { $0.failure(of: sequence) }
    if let failure { throw failure }
  }

  /// Calls `handler` on the writer's thread each time a group is decided. It must not block.
  package func onDecided(_ handler: @escaping @Sendable () -> Void) {
    state.withLock { $0.decidedHandlers.append(handler) }
  }

  /// Calls `handler` on the writer's thread when the last write or sync of a segment has failed: everything that is held in
  /// memory is then to be sealed and flushed, for the log may miss some of it. The flag says whether the log takes batches again.
  package func onFailure(_ handler: @escaping @Sendable (StorageError, _ isOpen: Bool) -> Void) {
    state.withLock { $0.failureHandlers.append(handler) }
  }

  /// Bytes of the buffers of groups, used or not.
  package var memoryByteCount: Int {
    state.withLock { state in
      state.groups.reduce(0) { $0 + $1.bytes.capacity } + state.buffers.reduce(0) { $0 + $1.capacity }
    }
  }

  /// Counters and gauges.
  package func statistics() -> LogStatistics {
    state.withLock { state in
      var statistics = state.statistics
      statistics.byteCount =
        state.retained.reduce(0) { $0 + $1.byteCount } + state.ending.reduce(0) { $0 + $1.byteCount } + state.open.offset
      statistics.segmentCount = state.retained.count + state.ending.count + 1
      statistics.byteCountInFlight = state.byteCountInFlight
      statistics.degraded = state.failure?.description
      return statistics
    }
  }
}

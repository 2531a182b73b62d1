import LineProtocol
import Synchronization

/// A retention policy as its users see it.
public struct PolicyDescription: Sendable, Equatable {
  public var keyspace: KeyspaceID
  public var database: String
  public var name: String
  /// Nanoseconds; 0 is for ever.
  public var ttl: Int64
  /// Nanoseconds.
  public var windowLength: Int64
  public var isDefault: Bool
}

/// One data directory: one log, one manifest, many keyspaces.
///
/// It only wires: the log numbers batches and makes them durable, the memtable holds what is not in tables, the flusher makes
/// tables of it, compactors merge them, the retainer says what is expired, the publisher keeps the version that all read by.
public final class Store: Sendable {
  let options: StoreOptions
  /// Those of them that may be changed, as they are now.
  let adjusted: AdjustedOptions
  let fileSystem: any FileSystem
  let publisher: Publisher
  let memtable: Memtable
  let retainer: Retainer
  let cache: BlockCache
  /// `nil` while open for reading only, like the rest of what writes.
  let log: WriteAheadLog?
  let writing: Writing?
  /// Serialises changes of databases, policies and windows.
  let catalogLock = Lock<Void>(())
  let survey: LogSurvey
  private let replayer: Replayer
  private let directoryLock: Lock<(any FileLock)?>
  private let nextReceiver = Atomic<UInt32>(1)
  private let isClosed = Lock(false)
  let snapshots = SnapshotRegistry()
  /// One restore goes on at a time; it has the folder of this name, which the next start removes.
  let restoreLock = Lock<Void>(())
  static let stagingName = "restoring"
  static let lockName = "LOCK"
  let damage: DamageCounter
  let rereading: Rereading
  let reserve: Reserve
  let censuses: LiveCensuses
  let seriesMemory: SeriesMemory

  /// Windows of one keyspace: each costs memory, and a place in every version.
  public static let windowCountMax = 131_072

  /// What only a store that writes has.
  struct Writing: Sendable {
    var flusher: Flusher
    var pressure: Pressure
    var upkeep: Upkeep
    var compaction: CompactionScheduler
  }

  init(_ opened: OpenedStore) {
    options = opened.options
    adjusted = AdjustedOptions(opened.options.adjustable)
    fileSystem = opened.fileSystem
    publisher = opened.publisher
    memtable = opened.memtable
    retainer = opened.retainer
    cache = opened.cache
    log = opened.log
    writing = opened.writing
    survey = opened.survey
    replayer = opened.replayer
    directoryLock = Lock(opened.directoryLock)
    damage = opened.damage
    rereading = opened.rereading
    reserve = opened.reserve
    censuses = opened.censuses
    seriesMemory = opened.seriesMemory
  }

  // MARK: Opening

  /// Opens or makes a store in a folder of the disk.
  ///
  /// - Parameters:
  ///   - progress: says how far the replay of the log is, and can end it.
  ///   - waitsForReplay: returns when the log is replayed. Else at once, as soon as batches are taken: snapshots then lack what is
  ///     yet to be replayed, until `waitUntilReplayed`.
  /// - Throws: `.locked` with who holds it; `.corrupt` with file and offset; `.unsupportedVersion` for a newer format.
  public static func open(
    directory: String, options: StoreOptions = StoreOptions(), progress: ReplayProgress? = nil,
    waitsForReplay: Bool = true
  ) throws(StorageError) -> Store {
    try open(
      fileSystem: POSIXFileSystem(root: directory), options: options,
      wallClock: wallNanoseconds, progress: progress, waitsForReplay: waitsForReplay)
  }

  /// Opens a store over any file system.
  package static func open(
    fileSystem: any FileSystem, options: StoreOptions = StoreOptions(),
    wallClock: @escaping @Sendable () -> Int64 = wallNanoseconds,
    monotonicClock: @escaping @Sendable () -> Int64 = monotonicNanoseconds, progress: ReplayProgress? = nil,
    waitsForReplay: Bool = true
  ) throws(StorageError) -> Store {
    let store = Store(
      try OpenedStore(
        fileSystem: fileSystem, options: options, wallClock: wallClock, monotonicClock: monotonicClock,
        progress: progress))
    for error in store.unreadableTables { store.noteDamage(error) }
    do throws(StorageError) {
      try store.start()
      if waitsForReplay { try store.waitUntilReplayed() }
    } catch {
      // Ends the threads; why it could not be opened is what the caller is to hear.
      do throws(StorageError) { try store.close() } catch {}
      throw error
    }
    return store
  }

  /// A store without a disk, for questions to files.
  public static func inMemory(options: StoreOptions = StoreOptions()) throws(StorageError) -> Store {
    try inMemory(fileSystem: MemoryFileSystem(), options: options)
  }

  /// A store on a disk in memory that may hold something.
  static func inMemory(fileSystem: MemoryFileSystem, options: StoreOptions) throws(StorageError) -> Store {
    var options = options
    options.segmentByteCount = min(options.segmentByteCount, 4 << 20)
    options.reserveByteCount = 0
    options.sync = .none
    options.cardinality = .none
    return try open(fileSystem: fileSystem, options: options)
  }

  /// Starts the replay, and the threads of a store that writes.
  private func start() throws(StorageError) {
    try startWriting()
    let (memtable, publisher, fileSystem, survey, writing) = (memtable, publisher, fileSystem, survey, writing)
    let (progress, options) = (replayer.progress, options)
    try replayer.start { () throws(StorageError) in
      let replay = Replay(
        memtable: memtable, publisher: publisher, pressure: writing?.pressure, progress: progress,
        ignoresDamage: options.ignoresDamagedLog)
      do throws(StorageError) {
        try replay.run(survey, fileSystem: fileSystem)
      } catch {
        writing?.pressure.giveUp()
        throw error
      }
      // What waited for the end of the replay: new parts, and merges, which would take their time from it.
      writing?.flusher.wake()
      try writing?.compaction.start(threadCount: options.memory.compactorCount(asked: options.compactorCount))
    }
  }

  private func startWriting() throws(StorageError) {
    guard let writing else { return }
    let (memtable, flusher, pressure, compaction) = (memtable, writing.flusher, writing.pressure, writing.compaction)
    try flusher.start {
      pressure.relieve()
      compaction.wake()
    }
    // A segment that failed may miss what memory holds: all of it goes to tables.
    log?.onFailure { _, _ in
      for part in memtable.parts() { memtable.seal(part) }
      flusher.wake()
    }
    let (publisher, retainer, fileSystem, reserve) = (publisher, retainer, fileSystem, reserve)
    let (rereading, adjusted) = (rereading, adjusted)
    try writing.upkeep.start {
      if rereading.takeIsDue() { Self.askAgain(publisher) }
      Self.keepUp(publisher, retainer, memtable)
      Self.keepWithin(adjusted.current.quota, publisher, retainer, fileSystem)
      reserve.refill()
    }
  }

  // MARK: Replay

  /// Whether every point that was acknowledged before this start is in snapshots.
  public var isReplayed: Bool { replayer.isDone }

  /// Waits until the log is replayed.
  ///
  /// - Throws: why it could not be: `.corrupt` with file and offset, `.io`, `.cancelled` where the store is closed before. Batches are
  ///   still taken, and snapshots lack what was not replayed: close the store.
  public func waitUntilReplayed() throws(StorageError) { try replayer.wait() }

  // MARK: Writing

  /// A writer for one thread.
  public func makeReceiver() -> Receiver {
    Receiver(store: self, number: nextReceiver.wrappingAdd(1, ordering: .relaxed).oldValue)
  }

  /// Where a ticket stands.
  public func state(of ticket: Ticket) -> TicketState {
    guard ticket.sequence > 0, let log else { return .durable }
    return log.state(of: ticket.sequence)
  }

  /// Calls `handler` on the log writer's thread each time a group of tickets is decided. It must not block.
  public func onTicketsDecided(_ handler: @escaping @Sendable () -> Void) { log?.onDecided(handler) }

  /// Blocks until the ticket is decided. Not for receivers.
  public func wait(for ticket: Ticket) throws(StorageError) {
    if ticket.sequence > 0 { try log?.wait(for: ticket.sequence) }
  }

  /// The times that a write to a keyspace may have: not expired, not too far ahead.
  func validTimes(of keyspace: KeyspaceState) -> Range<Int64> {
    let (floor, now) = retainer.floorAndNow(of: keyspace)
    let limit = Int64(clamping: Int128(now) + Int128(adjusted.futureLimit.wholeNanoseconds))
    return floor..<max(floor, limit)
  }

  /// The window that covers a time, made and written in the manifest if none does; `nil` if the keyspace was dropped.
  ///
  /// - Throws: `.limit` where the keyspace has as many windows as it may.
  func window(covering time: Int64, in id: KeyspaceID) throws(StorageError) -> Range<Int64>? {
    guard let keyspace = publisher.version.keyspace(id) else { return nil }
    if let index = keyspace.windowIndex(covering: time) { return keyspace.state.windows[index].range }
    return try catalogLock.withLock { (_) throws(StorageError) -> Range<Int64>? in
      guard let keyspace = publisher.version.keyspace(id) else { return nil }
      if let index = keyspace.windowIndex(covering: time) { return keyspace.state.windows[index].range }
      guard keyspace.state.windows.count < options.windowCountMax else {
        throw StorageError(.limit, "keyspace \(id.number) has \(options.windowCountMax) windows, the limit")
      }
      let range = WindowGrid.cell(for: time, length: keyspace.state.windowLength, between: keyspace.state.windows)
      try publisher.publish([.openWindow(keyspace: id, start: range.lowerBound, end: range.upperBound)])
      return range
    }
  }

  // MARK: Reading

  /// Everything of a keyspace that is acknowledged, as of now; until the log is replayed, without what is yet to be.
  public func snapshot(of id: KeyspaceID) throws(StorageError) -> Snapshot {
    try snapshot(of: id, leavingOut: nil)
  }

  /// The same. What is known as damaged is left out and told to `leftOut`; without one reading it throws.
  package func snapshot(of id: KeyspaceID, leavingOut leftOut: LeftOut?) throws(StorageError) -> Snapshot {
    let found = publisher.read { version -> (Version, KeyspaceVersion, [Part])? in
      version.keyspace(id).map { (version, $0, memtable.parts(of: id)) }
    }
    guard let (version, keyspace, parts) = found else {
      throw StorageError(.notFound, "no keyspace \(id.number): it was dropped")
    }
    var live: [Int64: [any SortedRun]] = [:]
    for part in parts {
      if let run = part.maskedRun(by: keyspace.state.tombstones) {
        live[part.window.lowerBound, default: []].append(run)
      }
    }
    let floor = retainer.floor(of: keyspace.state)
    var windows: [WindowSnapshot] = []
    for (index, window) in keyspace.state.windows.enumerated() where window.end > floor {
      let runs = keyspace.runs(ofWindow: index) + (live[window.start] ?? [])
      if !runs.isEmpty { windows.append(WindowSnapshot(range: window.range, runs: runs, leftOut: leftOut)) }
    }
    let (pin, reads) = snapshots.hold(version, for: id)
    return Snapshot(windows: windows, floor: floor, pin: pin, reads: reads)
  }

  // MARK: Closing

  /// Seals, flushes, ends the log, stops the threads, lets go of the directory. Idempotent.
  ///
  /// While the log is replayed it stops the replay and flushes nothing: the log holds everything, for the next start.
  public func close() throws(StorageError) {
    let isFirst = isClosed.withLock { isClosed in
      defer { isClosed = true }
      return !isClosed
    }
    guard isFirst else { return }
    replayer.stop()
    var failure: StorageError?
    if let writing {
      writing.compaction.stop()
      if isReplayed {
        do throws(StorageError) {
          try writing.flusher.flushAll()
        } catch {
          failure = error
        }
      }
      writing.upkeep.stop()
      writing.flusher.stop()
    }
    do throws(StorageError) {
      try log?.close()
      if failure == nil, isReplayed { try leaveNothingToReplay() }
    } catch {
      failure = failure ?? error
    }
    publisher.janitor.work()
    directoryLock.withLock { $0 = nil }
    if let failure { throw failure }
  }

  /// Lets go of the log where all of it lies in tables, once the manifest keeps its numbers: so a start has nothing to read.
  private func leaveNothingToReplay() throws(StorageError) {
    guard let log, let writing else { return }
    var edits = [Edit.reserve(nextTable: nil, lastSequence: log.nextSequence - 1, lastSegment: log.openSegment)]
    if retainer.doubtedStep == nil { edits.append(.noteClock(retainer.now)) }
    try publisher.publish(edits)
    try writing.flusher.trimLog()
  }

  /// How the memory of the process is split.
  public var memoryBudget: MemoryBudget { options.memory }

  /// Whether a keyspace is there.
  public func holds(_ keyspace: KeyspaceID) -> Bool { publisher.version.keyspace(keyspace) != nil }
}

import LineProtocol

/// The parts of a store, made in order: lock, manifest, tables, orphans swept, log surveyed, log opened anew, threads made.
struct OpenedStore {
  let options: StoreOptions
  let fileSystem: any FileSystem
  let directoryLock: (any FileLock)?
  let publisher: Publisher
  let memtable: Memtable
  let retainer: Retainer
  let cache: BlockCache
  let reserve: Reserve
  let log: WriteAheadLog?
  let writing: Store.Writing?
  /// What is to be replayed.
  let survey: LogSurvey
  let replayer: Replayer
  let damage = DamageCounter()
  let rereading: Rereading
  let censuses: LiveCensuses
  let seriesMemory: SeriesMemory

  init(
    fileSystem: any FileSystem, options: StoreOptions, wallClock: @escaping @Sendable () -> Int64,
    monotonicClock: @escaping @Sendable () -> Int64, progress: ReplayProgress?
  ) throws(StorageError) {
    self.fileSystem = fileSystem
    self.options = options
    rereading = Rereading(monotonicClock: monotonicClock)
    if !options.isReadOnly { try fileSystem.createDirectory("") }
    directoryLock = try fileSystem.lock(Store.lockName)
    // Read before the manifest is opened, which may begin a new one.
    let backup =
      options.isReadOnly ? try CheckpointList.read(from: fileSystem)?.list : try CheckpointList.end(in: fileSystem)
    let segments = options.isReadOnly ? backup.map { Set($0.segments) } : nil
    let manifest = try Manifest.open(fileSystem: fileSystem, isReadOnly: options.isReadOnly)
    let state = manifest.state
    let budget = options.memory
    cache = BlockCache(byteCountMax: max(budget.share(of: .cache), 4 << 20))
    let janitor = Janitor(fileSystem: fileSystem)
    let orphans = try Orphans(fileSystem: fileSystem, state: state)
    let reserve = Reserve(fileSystem: fileSystem, byteCountMax: options.isReadOnly ? 0 : options.reserveByteCount)
    self.reserve = reserve
    reserve.adopt()
    publisher = try Publisher(
      manifest: manifest, fileSystem: fileSystem, cache: cache, janitor: janitor,
      nextTable: max(state.nextTable, orphans.highest + 1), reserve: reserve)
    let seriesMemory = SeriesMemory(byteCountMax: budget.share(of: .series))
    self.seriesMemory = seriesMemory
    let (publisher, censuses) = (publisher, LiveCensuses(limits: options.cardinality, memory: seriesMemory))
    self.censuses = censuses
    let memtable = Memtable(
      pool: ArenaPool(byteCountMax: budget.share(of: .memtable)),
      census: { censuses.census(of: publisher.version.keyspace($0)?.state.database ?? "") },
      clock: { UInt64(monotonicClock()) })
    self.memtable = memtable
    let retainer = Retainer(manifest: state, wallClock: wallClock, monotonicClock: monotonicClock)
    self.retainer = retainer

    let progress = progress ?? ReplayProgress()
    replayer = Replayer(progress: progress)
    try progress.begin(total: Self.logByteCount(fileSystem))
    survey = try WriteAheadLog.survey(
      fileSystem: fileSystem, ignoresDamage: options.ignoresDamagedLog, isReadOnly: options.isReadOnly,
      segments: segments, check: progress.checkIsWanted)
    progress.begin(total: survey.byteCount)
    if let error = try orphans.lostEdit(log: .init(survey, isBackup: backup != nil)) { throw error }
    if !options.isReadOnly {
      try orphans.sweep()
      try fileSystem.removeFolder(Store.stagingName)
    }
    let summary = survey.summary
    let lastSequence = max(summary.lastSequence, state.lastSequence)
    memtable.beginReplay(through: lastSequence)
    for error in summary.damages { damage.note(error) { _ in nil } }
    guard !options.isReadOnly else {
      (log, writing) = (nil, nil)
      return
    }
    let log = try Self.openLog(
      fileSystem, options, reserve, nextSequence: lastSequence + 1,
      nextSegment: max(summary.lastSegment, state.lastSegment) + 1, retained: summary.segments)
    self.log = log
    reserve.refill()
    writing = Self.makeWriting(
      options, fileSystem, memtable, publisher, log, retainer, seriesMemory, damage, monotonicClock)
  }

  /// What takes writes to tables: threads that are not started yet.
  private static func makeWriting(
    _ options: StoreOptions, _ fileSystem: any FileSystem, _ memtable: Memtable, _ publisher: Publisher,
    _ log: WriteAheadLog, _ retainer: Retainer, _ seriesMemory: SeriesMemory, _ damage: DamageCounter,
    _ monotonicClock: @escaping @Sendable () -> Int64
  ) -> Store.Writing {
    let budget = options.memory
    let flusher = Flusher(
      memtable: memtable, publisher: publisher, log: log, fileSystem: fileSystem, byteCountMax: budget.flushByteCount,
      seriesMemory: seriesMemory, walByteCountMax: options.walByteCountMax, clock: { retainer.now },
      floor: { retainer.floor(of: $0) })
    return Store.Writing(
      flusher: flusher,
      pressure: Pressure(
        memtable: memtable, flusher: flusher, byteCountSlow: budget.slowByteCount,
        byteCountMax: budget.share(of: .memtable)),
      upkeep: Upkeep(),
      compaction: CompactionScheduler(
        delegate: CompactionHost(
          fileSystem: fileSystem, publisher: publisher, retainer: retainer, damage: damage),
        settings: options.compactionSettings, bytesPerSecond: options.compactionBytesPerSecond,
        monotonic: monotonicClock))
  }

  /// On a full disk a store starts with a short segment in the place of the reserve: so that it can answer, delete and expire.
  private static func openLog(
    _ fileSystem: any FileSystem, _ store: StoreOptions, _ reserve: Reserve, nextSequence: UInt64, nextSegment: UInt64,
    retained: [SegmentInfo]
  ) throws(StorageError) -> WriteAheadLog {
    var options = WriteAheadLog.Options()
    options.sync = store.sync
    options.segmentByteCount = store.segmentByteCount
    options.byteCountInFlightMax = store.memory.logByteCountInFlightMax
    do throws(StorageError) {
      return try WriteAheadLog(
        fileSystem: fileSystem, options: options, nextSequence: nextSequence, nextSegment: nextSegment, retained: retained)
    } catch where error.code == .full {
      reserve.giveUpAll()
      return try WriteAheadLog(
        fileSystem: fileSystem, options: options, nextSequence: nextSequence, nextSegment: nextSegment, retained: retained,
        isFirstShort: true)
    }
  }

  private static func logByteCount(_ fileSystem: any FileSystem) throws(StorageError) -> UInt64 {
    guard try fileSystem.exists("wal") else { return 0 }
    var total: UInt64 = 0
    for name in try fileSystem.list("wal") where name.hasSuffix(".wal") {
      total += try fileSystem.open("wal/" + name).byteCount()
    }
    return total
  }
}

extension Duration {
  /// Whole nanoseconds, clamped: a limit may be longer than any wait.
  package var wholeNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(attoseconds / 1_000_000_000))
  }
}

import LineProtocol

/// Puts what the log holds and no table has back into the memtable, also while new batches come.
///
/// A point is inserted only if its number is above its window's *flushed through*; records of dropped keyspaces are skipped,
/// so are points in windows that are gone (they were dropped, or expired).
final class Replay {
  /// The most bytes of the log between two looks at the memory that they took.
  private static let strideMax = 256 << 10

  private let memtable: Memtable
  private let publisher: Publisher
  private let progress: ReplayProgress
  /// `nil`: nothing is flushed meanwhile, since the store is open for reading only.
  private let pressure: Pressure?
  private let ignoresDamage: Bool
  private let decoder = RowDecoder()
  private let batch = LineBatch()
  private var placement = RowPlacement()
  private var inserters: [KeyspaceID: RowInserter] = [:]
  private var parts: [Part] = []
  /// The first number since all parts were sealed.
  private var firstSequence: UInt64?
  /// The last tombstone of a keyspace that lies below the record that is read.
  private var passedTombstones: [KeyspaceID: UInt64] = [:]

  init(
    memtable: Memtable, publisher: Publisher, pressure: Pressure?, progress: ReplayProgress, ignoresDamage: Bool
  ) {
    self.ignoresDamage = ignoresDamage
    self.memtable = memtable
    self.publisher = publisher
    self.pressure = pressure
    self.progress = progress
  }

  /// Reads every segment of a survey, then lets the memtable go on as one. Memory is what the pressure allows, and one record.
  ///
  /// - Throws: `.corrupt` also where the log has rows of what the manifest does not know and never dropped: it lost edits.
  func run(_ survey: LogSurvey, fileSystem: any FileSystem) throws(StorageError) {
    let stride = UInt64(min(Self.strideMax, (pressure?.byteCountSlow ?? .max) / 64))
    var (segment, bytesBefore, offset, admitted): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    try WriteAheadLog.replay(survey, fileSystem: fileSystem, ignoresDamage: ignoresDamage) {
      (record) throws(StorageError) in
      try progress.checkIsWanted()
      if record.segment != segment { (segment, bytesBefore) = (record.segment, bytesBefore + offset) }
      offset = record.offset
      progress.advance(to: bytesBefore + offset)
      if bytesBefore + offset - admitted >= stride {
        admitted = bytesBefore + offset
        try pressure?.admitReplayed(while: progress)
      }
      switch record.type {
      case .definitions: try unsafe decoder.define(record.payload, segment: record.segment)
      case .rows: try replay(record)
      case .mark, .end: break
      }
    }
    // A delete may be the last thing that was done.
    for keyspace in publisher.version.keyspaces { sealBelowTombstones(of: keyspace.state, before: .max) }
    // Parts go on as the open ones of their windows, for numbers that may begin anywhere above.
    sealBeforeLeap(to: max(survey.summary.lastSequence, publisher.manifest.state.lastSequence))
    memtable.endReplay()
    progress.advance(to: survey.byteCount)
  }

  /// Every batch comes by here, in the order of numbers, before its rows go in: whatever must part the rows of the memtable at
  /// a number, so that no part holds rows on both sides of it, seals here.
  private func replay(_ record: LogRecord) throws(StorageError) {
    sealBeforeLeap(to: record.sequence)
    progress.pass(record.sequence)
    let isHeld = try insert(record)
    if !isHeld { memtable.skipReplayed(record.sequence) }
  }

  /// Inserts the rows that no table has; `false` if there was none.
  private func insert(_ record: LogRecord) throws(StorageError) -> Bool {
    let header = try unsafe RowDecoder.header(of: record.payload)
    // As it is now: a keyspace or window that was dropped since the start gets nothing back, and none that was opened since
    // holds a row of the log.
    guard let keyspace = publisher.version.keyspace(header.keyspace) else {
      // One that was made and dropped has a number below.
      if header.keyspace.number < publisher.manifest.state.nextKeyspace || ignoresDamage { return false }
      throw .lostEdit(record, "keyspace \(header.keyspace.number)")
    }
    let sequence = record.sequence
    sealBelowTombstones(of: keyspace.state, before: sequence)
    if keyspace.isFlushed(header.firstTimestamp...header.firstTimestamp, through: sequence),
      let times = unsafe decoder.times(of: record.payload, segment: record.segment),
      keyspace.isFlushed(times, through: sequence)
    {
      return false
    }
    _ = try unsafe decoder.decode(record.payload, segment: record.segment, into: batch)
    try placement.place(batch, valid: keyspace.state.horizon..<Int64.max) { (time) throws(StorageError) in
      guard let index = keyspace.windowIndex(covering: time) else {
        // What was dropped lies before the horizon.
        if ignoresDamage { return nil }
        throw .lostEdit(record, "the window of time \(time) in keyspace \(header.keyspace.number)")
      }
      let window = keyspace.state.windows[index]
      return sequence > window.flushedThrough ? window.range : nil
    }
    guard placement.acceptedCount > 0 else { return false }
    memtable.holdReplayed(header.keyspace, windows: placement.windows, sequence: sequence, parts: &parts)
    inserter(for: header.keyspace).insert(
      batch, names: decoder, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
    parts.removeAll(keepingCapacity: true)
    return true
  }

  /// Seals every part where numbers get too far from the first of any: a restore let them leap, and parts count in 32 bits.
  private func sealBeforeLeap(to sequence: UInt64) {
    let first = firstSequence ?? sequence
    firstSequence = first
    guard sequence - first >= 1 << 31 else { return }
    for keyspace in publisher.version.keyspaces {
      memtable.seal(keyspace.id, meeting: .min ..< .max, below: sequence)
    }
    firstSequence = sequence
  }

  /// Seals parts where the numbers pass a tombstone's, as the delete did.
  private func sealBelowTombstones(of keyspace: KeyspaceState, before sequence: UInt64) {
    let passed = passedTombstones[keyspace.id] ?? 0
    for tombstone in keyspace.tombstones where tombstone.sequence > passed && tombstone.sequence < sequence {
      memtable.seal(keyspace.id, meeting: tombstone.deletion.times, below: tombstone.sequence)
      passedTombstones[keyspace.id] = tombstone.sequence
    }
  }

  private func inserter(for keyspace: KeyspaceID) -> RowInserter {
    if let known = inserters[keyspace] { return known }
    let made = memtable.makeInserter(for: keyspace)
    inserters[keyspace] = made
    return made
  }
}

extension KeyspaceVersion {
  /// Whether tables have every row of a range of times that came with a number, or it was dropped.
  fileprivate func isFlushed(_ times: ClosedRange<Int64>, through sequence: UInt64) -> Bool {
    var time = max(times.lowerBound, state.horizon)
    var index = firstWindow(endingAfter: time)
    while time <= times.upperBound {
      guard index < state.windows.count, state.windows[index].start <= time,
        state.windows[index].flushedThrough >= sequence
      else { return false }
      time = state.windows[index].end
      index += 1
    }
    return true
  }
}

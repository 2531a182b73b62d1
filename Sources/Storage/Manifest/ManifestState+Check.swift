/// What must hold of a state and of an edit whoever wrote them: a file that says otherwise is refused, never trusted with
/// arithmetic that could trap.
extension ManifestState {
  /// Numbers lie below it, so that counting on never overflows.
  static let numberBound: UInt64 = 1 << 62

  /// Checks a state that was read.
  func check() throws(StorageError) {
    try Self.check([nextTable, lastSequence, lastSegment])
    for (index, keyspace) in keyspaces.enumerated() {
      if index > 0 && keyspaces[index - 1].id >= keyspace.id {
        throw StorageError(.corrupt, "keyspace \(keyspace.id.number) is out of order")
      }
      if keyspace.id.number >= nextKeyspace {
        throw StorageError(.corrupt, "keyspace \(keyspace.id.number) is not below the next one, \(nextKeyspace)")
      }
      try Self.check(keyspace)
    }
  }

  private static func check(_ numbers: [UInt64]) throws(StorageError) {
    for number in numbers where number >= numberBound {
      throw StorageError(.corrupt, "number \(number) is past the bound \(numberBound)")
    }
  }

  private static func check(_ keyspace: KeyspaceState) throws(StorageError) {
    if keyspace.id.number == .max { throw StorageError(.corrupt, "keyspace \(keyspace.id.number) is past the bound") }
    if keyspace.windowLength <= 0 || keyspace.ttl < 0 {
      throw StorageError(
        .corrupt, "keyspace \(keyspace.id.number): window length \(keyspace.windowLength), TTL \(keyspace.ttl)")
    }
    var lastTombstone: UInt64 = 0
    for tombstone in keyspace.tombstones {
      try check(tombstone)
      if tombstone.sequence <= lastTombstone {
        throw StorageError(.corrupt, "tombstone \(tombstone.sequence) comes after \(lastTombstone)")
      }
      lastTombstone = tombstone.sequence
    }
    var end: Int64?
    for window in keyspace.windows {
      try check(start: window.start, end: window.end)
      if let end, window.start < end {
        throw StorageError(.corrupt, "window \(window.start) begins before the end \(end) of the one before it")
      }
      end = window.end
      try check([window.flushedThrough])
      var last: UInt64 = 0
      for run in window.runs {
        try check(run)
        if run.firstSequence <= last {
          throw StorageError(.corrupt, "run from \(run.firstSequence) meets the run before it, through \(last)")
        }
        last = run.lastSequence
      }
    }
  }

  private static func check(start: Int64, end: Int64) throws(StorageError) {
    if start >= end { throw StorageError(.corrupt, "window \(start) ends at \(end)") }
  }

  private static func check(_ tombstone: Tombstone) throws(StorageError) {
    try check([tombstone.sequence])
    if tombstone.sequence == 0 || tombstone.deletion.start >= tombstone.deletion.end {
      throw StorageError(
        .corrupt, "tombstone \(tombstone.sequence) of times \(tombstone.deletion.start) to \(tombstone.deletion.end)")
    }
  }

  private static func check(_ run: RunState) throws(StorageError) {
    if run.firstSequence > run.lastSequence || run.firstSequence == 0 {
      throw StorageError(.corrupt, "run of numbers \(run.firstSequence) through \(run.lastSequence)")
    }
    try check([run.lastSequence, run.clearedThrough])
    for table in run.tables {
      try check([table.number])
      // Sums over tables stay far from the largest number.
      if table.byteCount >= 1 << 56 || table.rowCount < 0 || table.rowCount >= 1 << 56 || table.seriesCount < 0
        || table.firstTimestamp > table.lastTimestamp
      {
        throw StorageError(.corrupt, "table \(table.number) cannot be as described")
      }
    }
  }

  /// Checks what an edit says by itself; whether it fits the state is `apply`'s to find.
  static func check(_ edit: Edit) throws(StorageError) {
    switch edit {
    case .createDatabase, .dropDatabase, .dropKeyspace, .dropWindows, .setHorizon, .noteClock, .removeTombstones, .setRules: return
    case .addTombstone(_, let tombstone): try check(tombstone)
    case .clearRuns(_, _, _, let through): try check([through])
    case .createKeyspace(let keyspace): try check(keyspace)
    case .alterKeyspace(let id, let ttl, let windowLength, _):
      if (ttl ?? 0) < 0 || (windowLength ?? 1) <= 0 {
        throw StorageError(.corrupt, "keyspace \(id.number): window length \(windowLength ?? 0), TTL \(ttl ?? 0)")
      }
    case .openWindow(_, let start, let end): try check(start: start, end: end)
    case .publishRun(_, _, let run, let flushedThrough):
      try check([flushedThrough])
      if let run { try check(run) }
    case .replaceRuns(_, _, let removed, let added):
      if removed.isEmpty { throw StorageError(.corrupt, "no runs are to be replaced") }
      if let added { try check(added) }
    case .reserve(let table, let sequence, let segment): try check([table, sequence, segment].compactMap { $0 })
    }
  }
}

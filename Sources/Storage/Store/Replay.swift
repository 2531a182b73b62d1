import LineProtocol

/// Puts what the log holds and no table has back into the memtable.
///
/// A point is inserted only if its number is above its window's *flushed through*; records of dropped keyspaces are skipped,
/// so are points in windows that are gone (they were dropped, or expired).
final class Replay {
  private let memtable: Memtable
  private let state: ManifestState
  private let decoder = RowDecoder()
  private let batch = LineBatch()
  private var placement = RowPlacement()
  private var inserters: [KeyspaceID: RowInserter] = [:]
  private var parts: [Part] = []
  /// How many of a keyspace's tombstones lie below the record that is read.
  private var passedTombstones: [KeyspaceID: Int] = [:]

  init(memtable: Memtable, state: ManifestState) {
    self.memtable = memtable
    self.state = state
  }

  /// Reads every segment. Memory is that of the memtable the log was kept for, and one record.
  func run(
    fileSystem: any FileSystem, options: StoreOptions, progress: ReplayProgress?
  ) throws(StorageError) -> ReplaySummary {
    try progress?.begin(total: Self.logByteCount(fileSystem))
    var (segment, bytesBefore, offset): (UInt64, UInt64, UInt64) = (0, 0, 0)
    return try WriteAheadLog.replay(
      fileSystem: fileSystem, ignoresDamage: options.ignoresDamagedLog, isReadOnly: options.isReadOnly
    ) { (record) throws(StorageError) in
      if record.segment != segment { (segment, bytesBefore) = (record.segment, bytesBefore + offset) }
      offset = record.offset
      progress?.advance(to: bytesBefore + offset)
      switch record.type {
      case .definitions: try unsafe decoder.define(record.payload, segment: record.segment)
      case .rows: try insert(record)
      case .mark, .end: break
      }
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

  private func insert(_ record: LogRecord) throws(StorageError) {
    let header = try unsafe RowDecoder.header(of: record.payload)
    guard let index = state.index(of: header.keyspace) else { return }
    let keyspace = state.keyspaces[index]
    _ = try unsafe decoder.decode(record.payload, segment: record.segment, into: batch)
    let sequence = record.sequence
    sealBelowTombstones(of: keyspace, before: sequence)
    try placement.place(batch, valid: keyspace.horizon..<Int64.max) { (time) throws(StorageError) in
      guard let window = keyspace.windows.last(where: { $0.start <= time }), time < window.end,
        sequence > window.flushedThrough
      else { return nil }
      return window.range
    }
    guard placement.acceptedCount > 0 else { return }
    memtable.hold(header.keyspace, windows: placement.windows, sequence: sequence, parts: &parts)
    inserter(for: header.keyspace).insert(
      batch, names: decoder, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
    parts.removeAll(keepingCapacity: true)
  }

  /// Seals parts where the numbers pass a tombstone's, as the delete did: none holds rows on both sides of it.
  private func sealBelowTombstones(of keyspace: KeyspaceState, before sequence: UInt64) {
    var passed = passedTombstones[keyspace.id] ?? 0
    while passed < keyspace.tombstones.count, keyspace.tombstones[passed].sequence < sequence {
      memtable.seal(keyspace.id, meeting: keyspace.tombstones[passed].deletion.times)
      passed += 1
    }
    passedTombstones[keyspace.id] = passed
  }

  private func inserter(for keyspace: KeyspaceID) -> RowInserter {
    if let known = inserters[keyspace] { return known }
    let made = memtable.makeInserter(for: keyspace)
    inserters[keyspace] = made
    return made
  }
}

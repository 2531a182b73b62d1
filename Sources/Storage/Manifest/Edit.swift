/// One change of what the store is made of; a manifest line holds one or more that take effect together.
package enum Edit: Codable, Sendable, Equatable {
  case createDatabase(name: String)
  /// With its policies and all that they hold.
  case dropDatabase(name: String)
  /// A new keyspace without windows.
  case createKeyspace(KeyspaceState)
  /// New settings; `nil` leaves one as it is. `isDefault` true takes it from the others of the database.
  case alterKeyspace(id: KeyspaceID, ttl: Int64?, windowLength: Int64?, isDefault: Bool?)
  case dropKeyspace(id: KeyspaceID)
  case openWindow(keyspace: KeyspaceID, start: Int64, end: Int64)
  /// A flush's run of one window (`nil`: all its points were hidden or expired), and the number through which it is flushed.
  case publishRun(keyspace: KeyspaceID, window: Int64, run: RunState?, flushedThrough: UInt64)
  /// A merge: the runs whose first sequence numbers are `removed` (adjacent) make place for `added` (`nil`: nothing is left).
  case replaceRuns(keyspace: KeyspaceID, window: Int64, removed: [UInt64], added: RunState?)
  /// Windows by their starts, with all their tables, and the keyspace's horizon.
  case dropWindows(keyspace: KeyspaceID, starts: [Int64], horizon: Int64)
  case setHorizon(keyspace: KeyspaceID, horizon: Int64)
  /// Those before it go; policies that are named are read with the default one from then on.
  case setRules(database: String, rules: [PolicyRule])
  /// A delete; its number is above every run that stands.
  case addTombstone(keyspace: KeyspaceID, Tombstone)
  /// Those of these numbers hide nothing any more.
  case removeTombstones(keyspace: KeyspaceID, sequences: [UInt64])
  /// The runs of these first sequence numbers hold nothing that tombstones up to `through` hide.
  case clearRuns(keyspace: KeyspaceID, window: Int64, runs: [UInt64], through: UInt64)
  /// Numbers that may not be used again.
  case reserve(nextTable: UInt64?, lastSequence: UInt64?, lastSegment: UInt64?)
  /// The store clock, believed, so that the next start notices a step: at close, and hourly while anything expires.
  case noteClock(Int64)
}

extension ManifestState {
  /// Takes one edit in; `.corrupt` says what does not fit.
  package mutating func apply(_ edit: Edit) throws(StorageError) {
    try Self.check(edit)
    switch edit {
    case .createDatabase(let name):
      if databases.contains(name) { throw StorageError(.corrupt, "database \(name) is created twice") }
      databases.append(name)
    case .dropDatabase(let name):
      databases.removeAll { $0 == name }
      keyspaces.removeAll { $0.database == name }
      rules[name] = nil
    case .createKeyspace(let keyspace):
      if index(of: keyspace.id) != nil || keyspace.id.number < nextKeyspace {
        throw StorageError(.corrupt, "keyspace \(keyspace.id.number) is created twice")
      }
      if keyspace.isDefault { clearDefault(of: keyspace.database) }
      keyspaces.append(keyspace)
      nextKeyspace = keyspace.id.number + 1
    case .alterKeyspace(let id, let ttl, let windowLength, let isDefault):
      let place = try place(of: id)
      if isDefault == true { clearDefault(of: keyspaces[place].database) }
      keyspaces[place].ttl = ttl ?? keyspaces[place].ttl
      keyspaces[place].windowLength = windowLength ?? keyspaces[place].windowLength
      keyspaces[place].isDefault = isDefault ?? keyspaces[place].isDefault
    case .dropKeyspace(let id):
      keyspaces.removeAll { $0.id == id }
    case .openWindow(let id, let start, let end):
      try openWindow(start..<end, in: place(of: id))
    case .publishRun(let id, let start, let run, let flushedThrough):
      try publish(run, flushedThrough: flushedThrough, window: start, in: place(of: id))
    case .replaceRuns(let id, let start, let removed, let added):
      try replace(removed, with: added, window: start, in: place(of: id))
    case .dropWindows(let id, let starts, let horizon):
      let place = try place(of: id)
      keyspaces[place].windows.removeAll { starts.contains($0.start) }
      keyspaces[place].horizon = max(keyspaces[place].horizon, horizon)
    case .setHorizon(let id, let horizon):
      let place = try place(of: id)
      keyspaces[place].horizon = max(keyspaces[place].horizon, horizon)
    case .setRules(let database, let rules):
      self.rules[database] = rules.isEmpty ? nil : rules
      for index in keyspaces.indices
      where keyspaces[index].database == database && rules.contains(where: { $0.policy == keyspaces[index].policy }) {
        keyspaces[index].isRuled = true
      }
    case .addTombstone(let id, let tombstone): try add(tombstone, in: place(of: id))
    case .removeTombstones(let id, let sequences):
      let place = try place(of: id)
      keyspaces[place].tombstones.removeAll { sequences.contains($0.sequence) }
    case .clearRuns(let id, let start, let runs, let through):
      let place = try place(of: id)
      let window = try windowPlace(start, in: place)
      for index in keyspaces[place].windows[window].runs.indices
      where runs.contains(keyspaces[place].windows[window].runs[index].firstSequence) {
        keyspaces[place].windows[window].runs[index].clearedThrough = through
      }
    case .reserve(let table, let sequence, let segment):
      nextTable = max(nextTable, table ?? 0)
      lastSequence = max(lastSequence, sequence ?? 0)
      lastSegment = max(lastSegment, segment ?? 0)
    case .noteClock(let time):
      clock = time
    }
  }

  private func place(of id: KeyspaceID) throws(StorageError) -> Int {
    guard let place = index(of: id) else { throw StorageError(.corrupt, "no keyspace \(id.number)") }
    return place
  }

  private mutating func clearDefault(of database: String) {
    for index in keyspaces.indices where keyspaces[index].database == database { keyspaces[index].isDefault = false }
  }

  private func windowPlace(_ start: Int64, in place: Int) throws(StorageError) -> Int {
    guard let window = keyspaces[place].windows.firstIndex(where: { $0.start == start }) else {
      throw StorageError(.corrupt, "keyspace \(keyspaces[place].id.number) has no window at \(start)")
    }
    return window
  }

  private mutating func openWindow(_ range: Range<Int64>, in place: Int) throws(StorageError) {
    if let other = keyspaces[place].windows.first(where: { $0.range.overlaps(range) }) {
      throw StorageError(.corrupt, "window \(range) meets window \(other.range)")
    }
    let at = keyspaces[place].windows.firstIndex { $0.start > range.lowerBound } ?? keyspaces[place].windows.count
    keyspaces[place].windows.insert(
      WindowState(start: range.lowerBound, end: range.upperBound, flushedThrough: 0, runs: []), at: at)
  }

  private mutating func publish(
    _ run: RunState?, flushedThrough: UInt64, window start: Int64, in place: Int
  ) throws(StorageError) {
    let window = try windowPlace(start, in: place)
    let last = keyspaces[place].windows[window].flushedThrough
    guard flushedThrough >= last else {
      throw StorageError(.corrupt, "window \(start) flushed through \(last), then \(flushedThrough)")
    }
    keyspaces[place].windows[window].flushedThrough = flushedThrough
    lastSequence = max(lastSequence, flushedThrough)
    guard let run else { return }
    if let newest = keyspaces[place].windows[window].runs.last, newest.lastSequence >= run.firstSequence {
      throw StorageError(
        .corrupt, "run from \(run.firstSequence) meets the run before it, through \(newest.lastSequence)")
    }
    keyspaces[place].windows[window].runs.append(run)
    take(run)
  }

  private mutating func replace(
    _ removed: [UInt64], with added: RunState?, window start: Int64, in place: Int
  ) throws(StorageError) {
    let window = try windowPlace(start, in: place)
    let runs = keyspaces[place].windows[window].runs
    guard let first = runs.firstIndex(where: { $0.firstSequence == removed.first }),
      runs[first...].prefix(removed.count).map(\.firstSequence) == removed
    else {
      throw StorageError(.corrupt, "window \(start) has no adjacent runs \(removed)")
    }
    let last = runs[first + removed.count - 1].lastSequence
    if let added, added.firstSequence < runs[first].firstSequence || added.lastSequence > last {
      throw StorageError(
        .corrupt, "run of \(added.firstSequence) through \(added.lastSequence) replaces \(runs[first].firstSequence) through \(last)")
    }
    keyspaces[place].windows[window].runs.replaceSubrange(
      first..<first + removed.count, with: added.map { [$0] } ?? [])
    if let added { take(added) }
  }

  private mutating func add(_ tombstone: Tombstone, in place: Int) throws(StorageError) {
    let highest = keyspaces[place].windows.flatMap(\.runs).map(\.lastSequence).max() ?? 0
    guard tombstone.sequence > max(highest, keyspaces[place].lastTombstone) else {
      throw StorageError(.corrupt, "tombstone \(tombstone.sequence) lies below number \(highest) of a run")
    }
    keyspaces[place].tombstones.append(tombstone)
    lastSequence = max(lastSequence, tombstone.sequence)
  }

  private mutating func take(_ run: RunState) {
    lastSequence = max(lastSequence, run.lastSequence)
    for table in run.tables { nextTable = max(nextTable, table.number + 1) }
  }
}

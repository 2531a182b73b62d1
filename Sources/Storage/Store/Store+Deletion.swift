/// Deletes: a tombstone each, invisible at once, carried out by compaction.
extension Store {
  /// Deletes from every policy of a database what was written before: invisible when this returns, and on the disk. Where nothing
  /// matches nothing is done. Waits for the replay first.
  ///
  /// - Throws: `.notFound` for the database; `.limit` where the condition nests too deep, or too many deletes wait to be carried out.
  package func delete(_ deletion: Deletion, from database: String) throws(StorageError) {
    guard let log, let writing else { throw StorageError(.invalid, "the store is open for reading only") }
    if let depth = deletion.predicate?.depth, depth > TagPredicate.depthMax {
      throw StorageError(
        .limit, "the condition nests \(depth) deep, at most \(TagPredicate.depthMax) are taken")
    }
    try waitUntilReplayed()
    var concerned: [KeyspaceID] = []
    for keyspace in try keyspaces(of: database) where try mayHold(deletion, keyspace) { concerned.append(keyspace) }
    if concerned.isEmpty { return }
    let (memtable, retainer) = (memtable, retainer)
    try publisher.publish(making: { state throws(StorageError) in
      let standing = state.keyspaces.filter { concerned.contains($0.id) }
      for keyspace in standing { try Self.checkRoom(for: keyspace) }
      // Taken and published in one step: publishing is serialised, so every run that stands lies below the number.
      let sequence = try log.takeNumber { sequence in
        for keyspace in standing { memtable.seal(keyspace.id, meeting: deletion.times, below: sequence) }
      }
      return standing.map { keyspace in
        .addTombstone(
          keyspace: keyspace.id,
          Tombstone(sequence: sequence, deletion: deletion, createdAt: retainer.now))
      }
    })
    writing.compaction.wake()
  }

  /// Whether a deletion may hide anything of a keyspace: what is damaged may hold it.
  private func mayHold(_ deletion: Deletion, _ keyspace: KeyspaceID) throws(StorageError) -> Bool {
    let leftOut = LeftOut()
    return try containing(leftOut) { leftOut throws(StorageError) in
      try snapshot(of: keyspace, leavingOut: leftOut).holdsAny(of: deletion) || !leftOut.isEmpty
    }
  }

  /// Drops what a window holds, unread: its tables go with the edit, and what memory and log have of it is hidden by a tombstone. The
  /// window stays, so that replay knows what it has had, and the horizon is where it was: points that come later are taken. Where there
  /// is no such window nothing is done. Waits for the replay first.
  ///
  /// - Throws: `.notFound` for the keyspace; `.limit` where too many deletes wait to be carried out.
  package func dropWindow(_ start: Int64, of id: KeyspaceID) throws(StorageError) {
    guard let log, let writing else { throw StorageError(.invalid, "the store is open for reading only") }
    try waitUntilReplayed()
    let (memtable, retainer) = (memtable, retainer)
    try publisher.publish(making: { state throws(StorageError) in
      guard let keyspace = state.keyspaces.first(where: { $0.id == id }) else {
        throw StorageError(.notFound, "no keyspace \(id.number): it was dropped")
      }
      guard let window = keyspace.windows.first(where: { $0.start == start }) else { return [] }
      try Self.checkRoom(for: keyspace)
      let deletion = Deletion(measurements: [], predicate: nil, times: window.range)
      let sequence = try log.takeNumber { memtable.seal(id, meeting: window.range, below: $0) }
      let tombstone = Tombstone(sequence: sequence, deletion: deletion, createdAt: retainer.now)
      let removed = window.runs.map(\.firstSequence)
      let edits: [Edit] = [.addTombstone(keyspace: id, tombstone)]
      return removed.isEmpty
        ? edits : edits + [.replaceRuns(keyspace: id, window: start, removed: removed, added: nil)]
    })
    writing.compaction.wake()
    writing.flusher.wake()
  }

  private static func checkRoom(for keyspace: KeyspaceState) throws(StorageError) {
    guard keyspace.tombstones.count >= KeyspaceState.tombstoneCountMax else { return }
    throw StorageError(
      .limit,
      "\(keyspace.tombstones.count) deletes of \(keyspace.database).\(keyspace.policy) wait to be carried out: run `varve compact --wait`"
    )
  }

  /// What `delete` would take away now. Reads the timestamps of the rows.
  package func preview(_ deletion: Deletion, from database: String) throws(StorageError) -> DeletionPreview {
    try preview(deletion, from: database, leavingOut: nil) { false }
  }

  /// The same, without what is damaged; fails once `isCancelled`.
  package func preview(
    _ deletion: Deletion, from database: String, leavingOut leftOut: LeftOut?, isCancelled: () -> Bool
  ) throws(StorageError) -> DeletionPreview {
    var preview = DeletionPreview()
    var series = Set<[UInt8]>()
    for keyspace in try keyspaces(of: database) {
      let snapshot = try snapshot(of: keyspace, leavingOut: leftOut)
      let tableBytes = publisher.version.keyspace(keyspace)?.state.windows ?? []
      for window in snapshot.windows(in: deletion.times) {
        let found = try window.count(deletion, times: snapshot.clipped(deletion.times), series: &series, isCancelled: isCancelled)
        preview.pointCount += found
        let held = window.runs.reduce(0) { $0 + $1.rowCount }
        guard held > 0, let state = tableBytes.first(where: { $0.range == window.range }) else { continue }
        preview.byteCount += UInt64(Double(state.byteCount) * min(1, Double(found) / Double(held)))
      }
    }
    preview.seriesCount = series.count
    return preview
  }

  private func keyspaces(of database: String) throws(StorageError) -> [KeyspaceID] {
    guard let policies = policies(of: database) else {
      throw StorageError(.notFound, "database not found: \(database)")
    }
    return policies.map(\.keyspace)
  }
}

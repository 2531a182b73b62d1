import LineProtocol

/// Finds out whether a manifest of whole lines lost its last ones: tables and log then say more than it does.
enum LostEdits {
  /// - Returns: what says so, with its place; `nil` where nothing does.
  static func find(_ state: ManifestState, _ fileSystem: any FileSystem) throws(StorageError) -> StorageError?
  {
    let survey = try WriteAheadLog.survey(fileSystem: fileSystem, ignoresDamage: true, isReadOnly: true)
    let orphans = try Orphans(fileSystem: fileSystem, state: state)
    let isBackup = try CheckpointList.read(from: fileSystem) != nil
    if let error = try orphans.lostEdit(log: .init(survey, isBackup: isBackup)) { return error }
    var found: StorageError?
    let (decoder, batch) = (RowDecoder(), LineBatch())
    try WriteAheadLog.replay(survey, fileSystem: fileSystem, ignoresDamage: true) {
      record throws(StorageError) in
      guard found == nil else { return }
      do throws(StorageError) {
        if record.type == .definitions {
          return try unsafe decoder.define(record.payload, segment: record.segment)
        }
        let header = try unsafe decoder.decode(record.payload, segment: record.segment, into: batch)
        found = state.lostEdit(of: record, header.keyspace, batch)
      } catch {
        // Damage of the log is another matter.
        if error.code != .corrupt { throw error }
      }
    }
    return found
  }
}

extension ManifestState {
  /// What a record of the log says that the manifest does not: its keyspace and windows were made before it was logged.
  fileprivate func lostEdit(of record: LogRecord, _ id: KeyspaceID, _ batch: LineBatch) -> StorageError? {
    guard let place = index(of: id) else {
      // One that was made and dropped has a number below.
      return id.number < nextKeyspace ? nil : .lostEdit(record, "keyspace \(id.number)")
    }
    let keyspace = keyspaces[place]
    // Rows that follow each other mostly share a window.
    var known = 0..<Int64(0)
    for index in 0..<batch.count {
      let time = batch.timestamps[index]
      if known.contains(time) || time < keyspace.horizon { continue }
      let at = keyspace.windows.partitioningIndex { $0.end > time }
      guard at < keyspace.windows.count, keyspace.windows[at].start <= time else {
        return .lostEdit(record, "the window of time \(time) in keyspace \(id.number)")
      }
      known = keyspace.windows[at].range
    }
    return nil
  }
}

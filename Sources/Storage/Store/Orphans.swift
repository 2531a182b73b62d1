/// Tables that lie in a store's folders and that no edit names: left by a crash between writing and publishing, for the next start to
/// sweep.
///
/// Or by a manifest that lost its last lines whole, which reads like one that had fewer edits. Two things cannot come of a crash, and say
/// so: an input of a merge goes when the merge's edit is synced, and a batch goes from the log when the edit of its flush is. So a
/// table that is named and not there, beside one of its window that is not named; and a table of batches that its window was not
/// flushed through, or that the manifest does not know, and that the log does not hold any more. A log that is gone altogether ended
/// in a clean stop, and holds none. A restore that was cut short leaves tables of a keyspace that never was; its folder says so.
struct Orphans {
  private struct Orphan {
    var name: String
    var number: UInt64
    var keyspace: KeyspaceID
    /// Its window, where the manifest has it.
    var window: WindowState?
  }

  /// How far the log that lies beside the tables goes back.
  enum LogStart: Equatable {
    /// It begins with a batch.
    case batch(UInt64)
    /// It holds none, or what it held does not count.
    case unknown
    /// There is no segment: a clean stop has taken the log away.
    case stoppedClean

    /// - Parameter isBackup: the directory is one, where the log's segments are those of a list, and tables may wait for their manifest.
    init(_ survey: LogSurvey, isBackup: Bool) {
      if let first = survey.firstSequence {
        self = .batch(first)
      } else {
        self = survey.hasSegments || isBackup ? .unknown : .stoppedClean
      }
    }
  }

  private let fileSystem: any FileSystem
  private let state: ManifestState
  private let isRestoring: Bool
  private var orphans: [Orphan] = []
  /// Of windows with tables that are named and not there: one of these, by the window's start in file names.
  private var missing: [String: String] = [:]
  /// Folders in which nothing else lies, of keyspaces that are not there any more.
  private var emptied: [String] = []
  /// The highest table number that was met.
  private(set) var highest: UInt64 = 0

  /// Looks through the folders. Names that are not ours are left alone.
  init(fileSystem: any FileSystem, state: ManifestState) throws(StorageError) {
    self.fileSystem = fileSystem
    self.state = state
    isRestoring = try fileSystem.exists(Store.stagingName)
    guard try fileSystem.exists("tables") else { return }
    for folder in try fileSystem.list("tables") {
      if let number = UInt32(folder) { try look(in: "tables/" + folder, of: KeyspaceID(number)) }
    }
  }

  private mutating func look(in path: String, of id: KeyspaceID) throws(StorageError) {
    let keyspace = state.index(of: id).map { state.keyspaces[$0] }
    var named: Set<String> = []
    var windows: [String: WindowState] = [:]
    for window in keyspace?.windows ?? [] {
      for table in window.runs.flatMap(\.tables) {
        named.insert(tableFileName(keyspace: id, windowStart: window.start, number: table.number))
      }
      windows[Self.window(of: tableFileName(keyspace: id, windowStart: window.start, number: 0))] = window
    }
    var isEmpty = true
    for entry in try fileSystem.list(path) {
      let name = path + "/" + entry
      guard let number = Self.number(of: entry) else {
        isEmpty = false
        continue
      }
      highest = max(highest, number)
      if named.remove(name) != nil {
        isEmpty = false
      } else {
        orphans.append(Orphan(name: name, number: number, keyspace: id, window: windows[Self.window(of: name)]))
      }
    }
    for name in named { missing[Self.window(of: name)] = name }
    if isEmpty, keyspace == nil { emptied.append(path) }
  }

  /// "tables/0000003/20261120T000000Z" of a table's name.
  private static func window(of name: String) -> String {
    String(name[..<(name.lastIndex(of: "-") ?? name.endIndex)])
  }

  private static func number(of entry: String) -> UInt64? {
    guard entry.hasSuffix(".sst"), let dash = entry.lastIndex(of: "-") else { return nil }
    return UInt64(entry[entry.index(after: dash)...].dropLast(4))
  }

  /// What says that the manifest lost edits; `nil`: nothing.
  func lostEdit(log: LogStart) throws(StorageError) -> StorageError? {
    for orphan in orphans {
      if let other = missing[Self.window(of: orphan.name)] {
        return lost(orphan, "\(other), which the manifest names, is not there")
      }
      guard log != .unknown, let properties = try properties(of: orphan) else { continue }
      if let why = reason(orphan, properties, log) { return lost(orphan, why) }
    }
    return nil
  }

  private func reason(_ orphan: Orphan, _ properties: TableProperties, _ log: LogStart) -> String? {
    guard let place = place(of: orphan, properties) else { return nil }
    let batches = "it holds batches \(properties.firstSequence) to \(properties.lastSequence)"
    switch log {
    case .batch(let first) where properties.lastSequence < first: return "\(batches), the log begins with \(first), and \(place)"
    case .stoppedClean: return "\(batches), the log ended in a clean stop, and \(place)"
    case .batch, .unknown: return nil
    }
  }

  /// What the manifest says of the place of a table that it does not say was flushed or dropped; `nil`: it was.
  private func place(of orphan: Orphan, _ properties: TableProperties) -> String? {
    if let window = orphan.window {
      if properties.firstSequence <= window.flushedThrough { return nil }
      return "the manifest says that the window was flushed through \(window.flushedThrough)"
    }
    if isRestoring { return nil }
    guard let place = state.index(of: orphan.keyspace) else {
      // One that was made and dropped has a number below.
      return orphan.keyspace.number < state.nextKeyspace ? nil : "the manifest has no such keyspace"
    }
    // What was dropped lies before the horizon.
    return properties.windowEnd <= state.keyspaces[place].horizon ? nil : "the manifest has no such window"
  }

  private func lost(_ orphan: Orphan, _ why: String) -> StorageError {
    StorageError(
      .corrupt, file: orphan.name, offset: 0,
      "no edit of the manifest names it, and \(why): the manifest lost its last lines; run `varve repair`")
  }

  /// What a table says of itself; `nil` where it was not written to its end.
  private func properties(of orphan: Orphan) throws(StorageError) -> TableProperties? {
    do throws(StorageError) {
      return try Table.open(
        file: fileSystem.open(orphan.name), number: orphan.number, cache: BlockCache(byteCountMax: 1 << 20)
      ).properties()
    } catch {
      guard error.code == .corrupt else { throw error }
      return nil
    }
  }

  /// Unlinks them.
  func sweep() throws(StorageError) {
    for orphan in orphans { try fileSystem.remove(orphan.name) }
    for path in emptied { try fileSystem.removeDirectory(path) }
  }
}

/// Tables that lie in a store's folders and that no edit names: left by a crash between writing and publishing, for the next start to
/// sweep.
///
/// Or by a manifest that lost its last lines whole, which reads like one that had fewer edits. Two things cannot come of a crash, and say
/// so: an input of a merge goes when the merge's edit is synced, and a batch goes from the log when the edit of its flush is. So a
/// table that is named and not there, beside one of its window that is not named; and a table of batches that its window was not
/// flushed through, and that the log does not hold any more.
struct Orphans {
  private struct Orphan {
    var name: String
    var number: UInt64
    /// Its window, where the manifest has it.
    var window: WindowState?
  }

  private let fileSystem: any FileSystem
  private let state: ManifestState
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
        orphans.append(Orphan(name: name, number: number, window: windows[Self.window(of: name)]))
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
  ///
  /// - Parameter firstLogged: the first batch that the log holds; `nil` where it holds none.
  func lostEdit(firstLogged: UInt64?) throws(StorageError) -> StorageError? {
    for orphan in orphans {
      if let other = missing[Self.window(of: orphan.name)] {
        return lost(orphan, "\(other), which the manifest names, is not there")
      }
      guard let firstLogged, let window = orphan.window else { continue }
      guard let batches = try batches(of: orphan), batches.lowerBound > window.flushedThrough,
        batches.upperBound < firstLogged
      else { continue }
      return lost(
        orphan,
        "it holds batches \(batches.lowerBound) to \(batches.upperBound), the log begins with \(firstLogged), "
          + "and the manifest says that the window was flushed through \(window.flushedThrough)")
    }
    return nil
  }

  private func lost(_ orphan: Orphan, _ why: String) -> StorageError {
    StorageError(
      .corrupt, file: orphan.name, offset: 0,
      "no edit of the manifest names it, and \(why): the manifest lost its last lines; run `varve repair`")
  }

  /// The batches of a table; `nil` where it was not written to its end.
  private func batches(of orphan: Orphan) throws(StorageError) -> ClosedRange<UInt64>? {
    do throws(StorageError) {
      let table = try Table.open(
        file: fileSystem.open(orphan.name), number: orphan.number, cache: BlockCache(byteCountMax: 1 << 20))
      return table.sequenceRange
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

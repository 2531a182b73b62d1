/// Files in memory, gone with the object: for `--from FILE.lp` and for tests.
///
/// A *forgetful* one remembers what was not synced: `crash(keeping:)` gives what a power cut may leave. Contents survive once
/// their file is synced; names (made, renamed, linked, removed) once their folder is. An absolute path, as `link` takes one,
/// begins at the root of the first one: file systems that are `rooted` in another share its files.
package final class MemoryFileSystem: FileSystem {
  /// The files, of all that are rooted in them.
  private final class Shared: Sendable {
    let tree: Lock<MemoryTree>

    init(root: MemoryDirectory) { tree = Lock(MemoryTree(root: root)) }
  }

  private let shared: Shared
  /// "backups/monday": the folder that is the root; empty for all of it.
  private let folder: String

  package var rootPath: String { folder.isEmpty ? "(memory)" : "(memory)/" + folder }

  package convenience init(isForgetful: Bool = false) {
    self.init(Shared(root: MemoryDirectory(isForgetful: isForgetful)), folder: "")
  }

  private init(_ shared: Shared, folder: String) {
    self.shared = shared
    self.folder = folder
  }

  package func path(of name: String) -> String {
    "/" + [folder, name].filter { !$0.isEmpty }.joined(separator: "/")
  }

  package func rooted(at path: String) -> any FileSystem {
    MemoryFileSystem(shared, folder: path.split(separator: "/").joined(separator: "/"))
  }

  /// The root of all would hold every path, also those of directories that stand for others of a machine: it holds none.
  package func holds(path: String) -> Bool {
    let other = path.split(separator: "/").joined(separator: "/")
    return !folder.isEmpty && (other == folder || other.hasPrefix(folder + "/"))
  }

  private func withTree<Value>(
    _ body: (inout MemoryTree) throws(StorageError) -> Value
  ) throws(StorageError) -> Value {
    try shared.tree.withLock { tree throws(StorageError) in try body(&tree) }
  }

  package func create(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try withTree { tree throws(StorageError) in try tree.create(path(of: name)) }
    return MemoryFile(name: name, contents: contents, isWritable: true)
  }

  package func open(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try withTree { tree throws(StorageError) in try tree.file(path(of: name)) }
    return MemoryFile(name: name, contents: contents, isWritable: false)
  }

  package func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try withTree { tree throws(StorageError) in try tree.file(path(of: name)) }
    return MemoryFile(name: name, contents: contents, isWritable: true)
  }

  package func createDirectory(_ name: String) throws(StorageError) {
    try withTree { tree throws(StorageError) in
      let isNew = !folder.isEmpty && !tree.exists(folder)
      try tree.createDirectory(path(of: name))
      // Above the root nobody else syncs a name.
      guard isNew else { return }
      var parent = folder.split(separator: "/").dropLast()
      while true {
        try tree.directory(parent.joined(separator: "/")).sync()
        if parent.isEmpty { return }
        parent = parent.dropLast()
      }
    }
  }

  package func syncDirectory(_ name: String) throws(StorageError) {
    try withTree { tree throws(StorageError) in try tree.directory(path(of: name)).sync() }
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    try withTree { tree throws(StorageError) in Array(try tree.directory(path(of: directory)).entries.keys) }
  }

  package func exists(_ name: String) throws(StorageError) -> Bool {
    shared.tree.withLock { $0.exists(path(of: name)) }
  }

  package func rename(_ from: String, to: String) throws(StorageError) {
    try withTree { tree throws(StorageError) in try tree.rename(path(of: from), to: path(of: to)) }
  }

  package func remove(_ name: String) throws(StorageError) {
    try withTree { tree throws(StorageError) in try tree.remove(path(of: name)) }
  }

  package func removeDirectory(_ name: String) throws(StorageError) {
    try withTree { tree throws(StorageError) in try tree.removeDirectory(path(of: name)) }
  }

  package func link(_ name: String, toPath path: String) throws(StorageError) -> Bool {
    try withTree { tree throws(StorageError) in try tree.link(self.path(of: name), to: path) }
    return true
  }

  package func lock(_ name: String) throws(StorageError) -> any FileLock {
    let isTaken = try withTree { tree throws(StorageError) in
      if !tree.exists(path(of: name)) { _ = try tree.create(path(of: name)) }
      return !tree.locks.insert(path(of: name)).inserted
    }
    if isTaken { throw StorageError(.locked, file: name, "\(rootPath) is held by this process") }
    return MemoryLock(fileSystem: self, name: name)
  }

  fileprivate func unlock(_ name: String) { shared.tree.withLock { _ = $0.locks.remove(path(of: name)) } }

  /// The bytes of a file up to the last one that was written, and its length: what lies between is zeros.
  package func contents(_ name: String) throws(StorageError) -> (stored: [UInt8], byteCount: Int) {
    let bytes = try withTree { tree throws(StorageError) in try tree.file(path(of: name)) }.bytes
    return (bytes.stored, bytes.byteCount)
  }

  /// As much as a large disk, less what is there: memory has its own bounds.
  package func space() throws(StorageError) -> (free: UInt64, total: UInt64) {
    let total: UInt64 = 1 << 40
    let used = shared.tree.withLock { $0.byteCount() }
    return (total - min(used, total), total)
  }

  /// A new file system, forgetful too, as a power cut now may leave this one, which goes on undisturbed. Only for one that was
  /// made forgetful.
  package func crash(keeping survival: Survival) -> MemoryFileSystem {
    var survival = survival
    return crash(&survival)
  }

  private func crash(_ survival: inout Survival) -> MemoryFileSystem {
    shared.tree.withLock { tree in
      precondition(tree.root.isForgetful, "this file system does not remember what was not synced")
      var files: [ObjectIdentifier: MemoryContents] = [:]
      return MemoryFileSystem(Shared(root: tree.root.survivor(&survival, files: &files)), folder: folder)
    }
  }

  /// What a power cut now may leave, for every set of the unsynced changes that the disk may keep (whole ones), up to `limit` of
  /// them: `body` gets each. A change of a file whose name is not kept makes no difference, and no case of its own.
  ///
  /// - Returns: whether these were all.
  package func survivors(limit: Int, _ body: (MemoryFileSystem, Survival) throws -> Void) rethrows -> Bool {
    var choices: [Bool] = []
    for _ in 0..<limit {
      var survival = Survival.choices(choices, asked: 0)
      let left = crash(&survival)
      guard case .choices(_, let asked) = survival else { return false }
      try body(left, .choices(choices, asked: asked))
      // The next leaf of the tree of decisions: the last "no" becomes "yes", and what came behind it is asked anew.
      choices += Array(repeating: false, count: max(0, asked - choices.count))
      guard let last = choices.lastIndex(of: false) else { return true }
      choices = choices[..<last] + [true]
    }
    return false
  }
}

private final class MemoryLock: FileLock {
  private let fileSystem: MemoryFileSystem
  private let name: String

  init(fileSystem: MemoryFileSystem, name: String) {
    self.fileSystem = fileSystem
    self.name = name
  }

  deinit { fileSystem.unlock(name) }
}

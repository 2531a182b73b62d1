/// Files in memory, gone with the object: for `--from FILE.lp` and for tests.
///
/// A *forgetful* one remembers what was not synced: `crash(keeping:)` gives what a power cut may leave. Contents survive once
/// their file is synced; names (made, renamed, linked, removed) once their folder is. An absolute path, as `link` takes one,
/// begins at the same root.
package final class MemoryFileSystem: FileSystem {
  private let tree: Lock<MemoryTree>

  package var rootPath: String { "(memory)" }

  package convenience init(isForgetful: Bool = false) { self.init(root: MemoryDirectory(isForgetful: isForgetful)) }

  private init(root: MemoryDirectory) { tree = Lock(MemoryTree(root: root)) }

  package func create(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try tree.withLock { tree throws(StorageError) in try tree.create(name) }
    return MemoryFile(name: name, contents: contents, isWritable: true)
  }

  package func open(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try tree.withLock { tree throws(StorageError) in try tree.file(name) }
    return MemoryFile(name: name, contents: contents, isWritable: false)
  }

  package func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    let contents = try tree.withLock { tree throws(StorageError) in try tree.file(name) }
    return MemoryFile(name: name, contents: contents, isWritable: true)
  }

  package func createDirectory(_ name: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.createDirectory(name) }
  }

  package func syncDirectory(_ name: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.directory(name).sync() }
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    try tree.withLock { tree throws(StorageError) in Array(try tree.directory(directory).entries.keys) }
  }

  package func exists(_ name: String) throws(StorageError) -> Bool { tree.withLock { $0.exists(name) } }

  package func rename(_ from: String, to: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.rename(from, to: to) }
  }

  package func remove(_ name: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.remove(name) }
  }

  package func removeDirectory(_ name: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.removeDirectory(name) }
  }

  package func link(_ name: String, toPath path: String) throws(StorageError) {
    try tree.withLock { tree throws(StorageError) in try tree.link(name, to: path) }
  }

  package func lock(_ name: String) throws(StorageError) -> any FileLock {
    let isTaken = try tree.withLock { tree throws(StorageError) in
      if !tree.exists(name) { _ = try tree.create(name) }
      return !tree.locks.insert(name).inserted
    }
    if isTaken { throw StorageError(.locked, file: name, "\(rootPath) is held by this process") }
    return MemoryLock(fileSystem: self, name: name)
  }

  fileprivate func unlock(_ name: String) { tree.withLock { _ = $0.locks.remove(name) } }

  /// The bytes of a file up to the last one that was written, and its length: what lies between is zeros.
  package func contents(_ name: String) throws(StorageError) -> (stored: [UInt8], byteCount: Int) {
    let bytes = try tree.withLock { tree throws(StorageError) in try tree.file(name) }.bytes
    return (bytes.stored, bytes.byteCount)
  }

  /// As much as a large disk, less what is there: memory has its own bounds.
  package func space() throws(StorageError) -> (free: UInt64, total: UInt64) {
    let total: UInt64 = 1 << 40
    let used = tree.withLock { $0.byteCount() }
    return (total - min(used, total), total)
  }

  /// A new file system, forgetful too, as a power cut now may leave this one, which goes on undisturbed. Only for one that was
  /// made forgetful.
  package func crash(keeping survival: Survival) -> MemoryFileSystem {
    var survival = survival
    return crash(&survival)
  }

  private func crash(_ survival: inout Survival) -> MemoryFileSystem {
    tree.withLock { tree in
      precondition(tree.root.isForgetful, "this file system does not remember what was not synced")
      var files: [ObjectIdentifier: MemoryContents] = [:]
      return MemoryFileSystem(root: tree.root.survivor(&survival, files: &files))
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

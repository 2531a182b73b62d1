/// A file system over another one that is only read: what is written stays in memory. For a dry run.
final class OverlayFileSystem: FileSystem {
  private struct State {
    /// Names of the lower one that are gone here.
    var hidden: Set<String> = []
    /// Names here of files that the lower one has under another name.
    var moved: [String: String] = [:]
  }
  private let lower: any FileSystem
  private let upper = MemoryFileSystem()
  private let state = Lock(State())

  init(over lower: any FileSystem) { self.lower = lower }

  var rootPath: String { lower.rootPath }

  func create(_ name: String) throws(StorageError) -> any StoredFile {
    if try exists(name) { throw StorageError(.exists, file: name, "the file exists") }
    try makeFolder(of: name)
    return try upper.create(name)
  }

  func open(_ name: String) throws(StorageError) -> any StoredFile {
    if try upper.exists(name) { return try upper.open(name) }
    return try lower.open(try lowerName(name))
  }

  func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    if try !upper.exists(name) {
      let bytes = try lower.open(try lowerName(name)).readAll()
      try makeFolder(of: name)
      try upper.create(name).write(bytes, at: 0)
    }
    return try upper.openForWriting(name)
  }

  func createDirectory(_ name: String) throws(StorageError) { try upper.createDirectory(name) }

  func syncDirectory(_ name: String) throws(StorageError) {}

  func list(_ directory: String) throws(StorageError) -> [String] {
    var names: Set<String> = []
    let prefix = directory.isEmpty ? "" : directory + "/"
    let (hidden, moved) = state.withLock { ($0.hidden, $0.moved) }
    if try lower.exists(directory) {
      for name in try lower.list(directory) where !hidden.contains(prefix + name) { names.insert(name) }
    }
    if try upper.exists(directory) { names.formUnion(try upper.list(directory)) }
    for name in moved.keys where name.hasPrefix(prefix) {
      let rest = name.dropFirst(prefix.count)
      if !rest.contains("/") { names.insert(String(rest)) }
    }
    return names.sorted()
  }

  func exists(_ name: String) throws(StorageError) -> Bool {
    if try upper.exists(name) { return true }
    let (isHidden, isMoved) = state.withLock { ($0.hidden.contains(name), $0.moved[name] != nil) }
    if isMoved { return true }
    if isHidden { return false }
    return try lower.exists(name)
  }

  func rename(_ from: String, to: String) throws(StorageError) {
    try remove(to)
    if try upper.exists(from) {
      try makeFolder(of: to)
      try upper.rename(from, to: to)
      state.withLock { _ = $0.hidden.insert(from) }
    } else {
      let source = try lowerName(from)
      state.withLock { state in
        state.moved[from] = nil
        state.hidden.insert(from)
        state.moved[to] = source
      }
    }
  }

  func remove(_ name: String) throws(StorageError) {
    if try upper.exists(name) { try upper.remove(name) }
    state.withLock { state in
      state.moved[name] = nil
      state.hidden.insert(name)
    }
  }

  func removeDirectory(_ name: String) throws(StorageError) {}

  /// Nothing can be linked into memory.
  func link(_ name: String, toPath path: String) throws(StorageError) -> Bool { false }

  func path(of name: String) -> String { lower.path(of: name) }

  func rooted(at path: String) -> any FileSystem { lower.rooted(at: path) }

  func holds(path: String) -> Bool { lower.holds(path: path) }

  func lock(_ name: String) throws(StorageError) -> any FileLock { try lower.lock(name) }

  func space() throws(StorageError) -> (free: UInt64, total: UInt64) { try lower.space() }

  private func lowerName(_ name: String) throws(StorageError) -> String {
    let (moved, isHidden) = state.withLock { ($0.moved[name], $0.hidden.contains(name)) }
    if let moved { return moved }
    if isHidden { throw StorageError(.notFound, file: name, "the file is not there") }
    return name
  }

  private func makeFolder(of name: String) throws(StorageError) {
    let folder = folderName(of: name)
    if !folder.isEmpty { try upper.createDirectory(folder) }
  }
}

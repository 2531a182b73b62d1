/// The folders and files of a file system in memory.
struct MemoryTree {
  var root: MemoryDirectory
  var locks: Set<String> = []

  init(root: MemoryDirectory) { self.root = root }

  private func parts(_ name: String) -> [String] { name.split(separator: "/").map(String.init) }

  func directory(_ name: String) throws(StorageError) -> MemoryDirectory { try directory(parts(name), of: name) }

  private func directory(_ parts: some Sequence<String>, of name: String) throws(StorageError) -> MemoryDirectory {
    var place = root
    for part in parts {
      switch place.entries[part] {
      case .directory(let next): place = next
      case .file: throw StorageError(.io, file: name, "\(part) is not a directory")
      case nil: throw StorageError(.notFound, file: name, "no directory \(part)")
      }
    }
    return place
  }

  /// The folder that holds a name, and the name's last part.
  func place(_ name: String) throws(StorageError) -> (MemoryDirectory, String) {
    let parts = parts(name)
    guard let last = parts.last else { throw StorageError(.io, file: name, "the root is a directory") }
    return (try directory(parts.dropLast(), of: name), last)
  }

  func file(_ name: String) throws(StorageError) -> MemoryContents {
    let (directory, last) = try place(name)
    switch directory.entries[last] {
    case .file(let contents): return contents
    case .directory: throw StorageError(.io, file: name, "is a directory")
    case nil: throw StorageError(.notFound, file: name, "no such file")
    }
  }

  func create(_ name: String) throws(StorageError) -> MemoryContents {
    let (directory, last) = try place(name)
    if directory.entries[last] != nil { throw StorageError(.exists, file: name, "the file exists") }
    let contents = MemoryContents(isForgetful: directory.isForgetful)
    directory.change([(last, .file(contents))])
    return contents
  }

  func createDirectory(_ name: String) throws(StorageError) {
    var place = root
    for part in parts(name) {
      switch place.entries[part] {
      case .directory(let next): place = next
      case .file: throw StorageError(.exists, file: name, "\(part) is a file")
      case nil:
        let made = MemoryDirectory(isForgetful: place.isForgetful)
        place.change([(part, .directory(made))])
        place = made
      }
    }
  }

  func exists(_ name: String) -> Bool {
    let parts = parts(name)
    guard let last = parts.last else { return true }
    // A folder on the way that is not there is no error: then nothing below it is there.
    guard case .success(let directory) = Result(catching: { () throws(StorageError) in
      try directory(parts.dropLast(), of: name)
    }) else { return false }
    return directory.entries[last] != nil
  }

  func rename(_ from: String, to: String) throws(StorageError) {
    let (source, old) = try place(from)
    let (target, new) = try place(to)
    guard let entry = source.entries[old] else { throw StorageError(.notFound, file: from, "no such file") }
    if case .directory = target.entries[new] { throw StorageError(.io, file: to, "is a directory") }
    if source === target {
      if old != new { source.change([(new, entry), (old, nil)]) }
    } else {
      target.change([(new, entry)])
      source.change([(old, nil)])
    }
  }

  func remove(_ name: String) throws(StorageError) {
    let (directory, last) = try place(name)
    switch directory.entries[last] {
    case .file: directory.change([(last, nil)])
    case .directory: throw StorageError(.io, file: name, "is a directory")
    case nil: return
    }
  }

  func removeDirectory(_ name: String) throws(StorageError) {
    let (directory, last) = try place(name)
    switch directory.entries[last] {
    case .directory(let inner) where inner.entries.isEmpty: directory.change([(last, nil)])
    case .directory: throw StorageError(.io, file: name, "the directory is not empty")
    case .file: throw StorageError(.io, file: name, "is not a directory")
    case nil: return
    }
  }

  func link(_ name: String, to target: String) throws(StorageError) {
    let contents = try file(name)
    let (directory, last) = try place(target)
    if directory.entries[last] != nil { throw StorageError(.exists, file: target, "the file exists") }
    directory.change([(last, .file(contents))])
  }

  /// Bytes of all files; one with two names counts twice.
  func byteCount() -> UInt64 { Self.byteCount(root) }

  private static func byteCount(_ directory: MemoryDirectory) -> UInt64 {
    directory.entries.values.reduce(0) { sum, entry in
      switch entry {
      case .file(let contents): sum + UInt64(contents.byteCount)
      case .directory(let inner): sum + byteCount(inner)
      }
    }
  }
}

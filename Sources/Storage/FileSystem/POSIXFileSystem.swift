import Glibc

/// Files of the operating system under one directory.
package final class POSIXFileSystem: FileSystem {
  package let rootPath: String

  /// - Parameter root: a directory; `createDirectory("")` makes it.
  package init(root: String) {
    var root = root.isEmpty ? "." : root
    while root.count > 1, root.hasSuffix("/") { root.removeLast() }
    rootPath = root
  }

  package func path(of name: String) -> String {
    name.isEmpty ? rootPath : rootPath == "/" ? "/" + name : rootPath + "/" + name
  }

  package func rooted(at path: String) -> any FileSystem { POSIXFileSystem(root: path) }

  package func holds(path: String) -> Bool {
    let (root, other) = (Self.resolved(rootPath), Self.resolved(path))
    return other == root || other.hasPrefix(root == "/" ? root : root + "/")
  }

  /// A path with links followed, as far as it exists.
  private static func resolved(_ path: String) -> String {
    var (head, tail) = (path, "")
    while true {
      if let real = unsafe realpath(head.isEmpty ? "/" : head, nil) {
        defer { unsafe free(real) }
        let found = unsafe String(cString: real)
        return tail.isEmpty ? found : found == "/" ? tail : found + tail
      }
      // A relative path whose first part is not there lies in the working directory.
      guard let slash = head.lastIndex(of: "/") else { return resolved(".") + "/" + head + tail }
      tail = head[slash...] + tail
      head = String(head[..<slash])
    }
  }

  private func openFile(_ name: String, _ flags: Int32, _ operation: StaticString) throws(StorageError) -> POSIXFile {
    let path = path(of: name)
    let descriptor = try systemCall(operation, path: path, name: name) {
      unsafe Glibc.open(path, flags | O_CLOEXEC, 0o640)
    }
    return POSIXFile(descriptor: descriptor, name: name, path: path)
  }

  package func create(_ name: String) throws(StorageError) -> any StoredFile {
    try openFile(name, O_RDWR | O_CREAT | O_EXCL, "create")
  }

  package func open(_ name: String) throws(StorageError) -> any StoredFile {
    try openFile(name, O_RDONLY, "open")
  }

  package func openForWriting(_ name: String) throws(StorageError) -> any StoredFile {
    try openFile(name, O_RDWR, "open")
  }

  package func createDirectory(_ name: String) throws(StorageError) {
    let path = path(of: name)
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      let parent = made.isEmpty ? "." : made
      made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
      let (current, code) = (made, errorCode { unsafe mkdir(made, 0o750) })
      // What is synced in a new folder is worth nothing if the folder's own name goes; above the root nobody else syncs it.
      if code == 0 { try syncDirectory(path: parent, name: name) }
      if code == 0 || code == EEXIST && isDirectory(current) { continue }
      throw systemError(code, "make directory", path: current, name: name)
    }
  }

  package func syncDirectory(_ name: String) throws(StorageError) { try syncDirectory(path: path(of: name), name: name) }

  private func syncDirectory(path: String, name: String) throws(StorageError) {
    let descriptor = try systemCall("open directory", path: path, name: name) {
      unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    defer { Glibc.close(descriptor) }
    _ = try systemCall("sync directory", path: path, name: name) { fsync(descriptor) }
  }

  package func list(_ directory: String) throws(StorageError) -> [String] {
    let path = path(of: directory)
    guard let stream = unsafe opendir(path) else {
      throw systemError(errno, "list", path: path, name: directory)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        let code = errno
        if code == 0 { return names }
        throw systemError(code, "list", path: path, name: directory)
      }
      // The name is read in place: it ends in NUL, and a copy of the structure could be larger than the record.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  package func exists(_ name: String) throws(StorageError) -> Bool {
    let path = path(of: name)
    var status = stat()
    let code = errorCode { unsafe stat(path, &status) }
    if code == ENOENT || code == ENOTDIR { return false }
    if code != 0 { throw systemError(code, "look up", path: path, name: name) }
    return true
  }

  package func rename(_ from: String, to: String) throws(StorageError) {
    let (source, target) = (path(of: from), path(of: to))
    _ = try systemCall("rename", path: source, name: from) { unsafe Glibc.rename(source, target) }
  }

  package func remove(_ name: String) throws(StorageError) {
    let path = path(of: name)
    let code = errorCode { unsafe unlink(path) }
    if code != 0 && code != ENOENT { throw systemError(code, "remove", path: path, name: name) }
  }

  package func removeDirectory(_ name: String) throws(StorageError) {
    let path = path(of: name)
    let code = errorCode { unsafe rmdir(path) }
    if code != 0 && code != ENOENT { throw systemError(code, "remove directory", path: path, name: name) }
  }

  package func link(_ name: String, toPath target: String) throws(StorageError) -> Bool {
    let path = path(of: name)
    let code = errorCode { unsafe Glibc.link(path, target) }
    switch code {
    case 0: return true
    case EXDEV, EPERM, EMLINK, ENOTSUP: return false
    case ENOENT, ENOSPC, EDQUOT, EEXIST: throw systemError(code, "link to", path: target, name: name)
    default: throw systemError(code, "link", path: "\(path) to \(target)", name: name)
    }
  }

  package func space() throws(StorageError) -> (free: UInt64, total: UInt64) {
    let path = rootPath
    var status = statvfs()
    _ = try systemCall("look up space of", path: path, name: "") { unsafe statvfs(path, &status) }
    let unit = UInt64(status.f_frsize)
    return (UInt64(status.f_bavail) * unit, UInt64(status.f_blocks) * unit)
  }

  /// 0, or `errno` of a call that failed; for calls with codes that are no failure.
  private func errorCode(_ body: () -> Int32) -> Int32 {
    while true {
      if body() != -1 { return 0 }
      let code = errno
      if code != EINTR { return code }
    }
  }

  private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return errorCode { unsafe stat(path, &status) } == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}

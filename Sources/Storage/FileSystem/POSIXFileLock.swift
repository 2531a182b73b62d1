import Glibc

/// `flock` on a file that says who holds it; the system lets go when the process ends, however it ends.
private final class POSIXFileLock: FileLock {
  private let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  deinit { Glibc.close(descriptor) }
}

extension POSIXFileSystem {
  package func lock(_ name: String) throws(StorageError) -> any FileLock {
    let path = path(of: name)
    let descriptor = try systemCall("open", path: path, name: name) {
      unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
    }
    let lock = POSIXFileLock(descriptor: descriptor)
    if flock(descriptor, LOCK_EX | LOCK_NB) == -1 {
      let code = errno
      guard code == EWOULDBLOCK else { throw systemError(code, "lock", path: path, name: name) }
      let holder = text(of: descriptor)
      throw StorageError(
        .locked, file: name,
        "\(rootPath) is held by \(holder.isEmpty ? "another process" : holder); stop that process or choose another directory")
    }
    try write("pid \(getpid()) on \(hostName()) since \(utcNow())\n", to: descriptor, path: path, name: name)
    return lock
  }

  private func write(_ text: String, to descriptor: Int32, path: String, name: String) throws(StorageError) {
    let bytes = Array(text.utf8)
    _ = try systemCall("cut", path: path, name: name) { ftruncate(descriptor, 0) }
    _ = try systemCall("write", path: path, name: name) { unsafe pwrite(descriptor, bytes, bytes.count, 0) }
  }

  /// The first line, at most 200 bytes.
  private func text(of descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(count, 0)).prefix { $0 != 10 }, as: UTF8.self)
  }
}

private func hostName() -> String {
  var bytes = [CChar](repeating: 0, count: 256)
  guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return "unknown host" }
  return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// "2026-11-20T00:00:00Z".
private func utcNow() -> String {
  var seconds = time_t(wallNanoseconds() / 1_000_000_000)
  var parts = unsafe tm()
  guard unsafe gmtime_r(&seconds, &parts) != nil else { return "an unknown time" }
  var bytes = [CChar](repeating: 0, count: 32)
  let count = unsafe strftime(&bytes, bytes.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
  return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

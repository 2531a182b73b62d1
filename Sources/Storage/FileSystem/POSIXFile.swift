import Glibc
import Synchronization

/// An open file of the operating system, read and written with `pread` and `pwrite`, never mapped.
final class POSIXFile: StoredFile {
  let name: String
  private let path: String
  /// -1 once closed.
  private let descriptor: Atomic<Int32>

  init(descriptor: Int32, name: String, path: String) {
    self.descriptor = Atomic(descriptor)
    self.name = name
    self.path = path
  }

  deinit {
    let open = descriptor.load(ordering: .relaxed)
    if open >= 0 { Glibc.close(open) }
  }

  private func openDescriptor() throws(StorageError) -> Int32 {
    let open = descriptor.load(ordering: .relaxed)
    if open < 0 { throw StorageError(.invalid, file: name, "\(path) is closed") }
    return open
  }

  private func position(_ offset: UInt64) throws(StorageError) -> off_t {
    guard let position = off_t(exactly: offset) else {
      throw StorageError(.invalid, file: name, offset: offset, "offset is past the largest file")
    }
    return position
  }

  func byteCount() throws(StorageError) -> UInt64 {
    let open = try openDescriptor()
    var status = stat()
    _ = try systemCall("look up length of", path: path, name: name) { unsafe fstat(open, &status) }
    return UInt64(status.st_size)
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) {
    let open = try openDescriptor()
    let start = try position(offset)
    var done = 0
    while done < buffer.count {
      // `done` is below `count`: the rest lies in the buffer.
      let count: Int
      do throws(StorageError) {
        count = try systemCall("read", path: path, name: name) {
          unsafe pread(open, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done, start + off_t(done))
        }
      } catch {
        throw StorageError(error.code, file: name, offset: offset, error.detail)
      }
      if count == 0 {
        throw StorageError(
          .corrupt, file: name, offset: offset,
          "the file ends at \(offset + UInt64(done)), expected \(buffer.count) bytes at \(offset)")
      }
      done += count
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
    let open = try openDescriptor()
    let start = try position(offset)
    var done = 0
    while done < bytes.count {
      // `done` is below `count`: the rest lies in the bytes.
      done += try systemCall("write", path: path, name: name) {
        unsafe pwrite(open, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done, start + off_t(done))
      }
    }
  }

  func allocate(_ byteCount: UInt64) throws(StorageError) {
    let open = try openDescriptor()
    let length = try position(byteCount)
    if length == 0 { return }
    while true {
      // Returns the error instead of setting `errno`; where the file system cannot allocate, glibc writes zeros.
      let code = posix_fallocate(open, 0, length)
      if code == 0 { return }
      if code != EINTR { throw systemError(code, "allocate space for", path: path, name: name) }
    }
  }

  func truncate(to byteCount: UInt64) throws(StorageError) {
    let open = try openDescriptor()
    let length = try position(byteCount)
    _ = try systemCall("cut", path: path, name: name) { ftruncate(open, length) }
  }

  func sync() throws(StorageError) {
    let open = try openDescriptor()
    _ = try systemCall("sync", path: path, name: name) { fdatasync(open) }
  }

  func forget(_ range: Range<UInt64>) {
    let open = descriptor.load(ordering: .relaxed)
    guard open >= 0, let start = off_t(exactly: range.lowerBound), let end = off_t(exactly: range.upperBound) else { return }
    // A hint: nothing to do where it is refused.
    _ = posix_fadvise(open, start, end - start, POSIX_FADV_DONTNEED)
  }

  func close() throws(StorageError) {
    let open = descriptor.exchange(-1, ordering: .relaxed)
    if open < 0 { return }
    // Linux frees the descriptor even where it reports EINTR: closing again could hit another thread's file.
    if Glibc.close(open) == -1 {
      let code = errno
      if code != EINTR { throw systemError(code, "close", path: path, name: name) }
    }
  }
}

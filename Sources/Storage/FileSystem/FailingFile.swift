/// A file whose calls its `FailingFileSystem` lets through or not.
final class FailingFile: StoredFile {
  private let wrapped: any StoredFile
  private let fileSystem: FailingFileSystem

  init(wrapping wrapped: any StoredFile, fileSystem: FailingFileSystem) {
    self.wrapped = wrapped
    self.fileSystem = fileSystem
  }

  var name: String { wrapped.name }

  func byteCount() throws(StorageError) -> UInt64 {
    try fileSystem.admit(.byteCount, name)
    return try wrapped.byteCount()
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) {
    do throws(StorageError) {
      try fileSystem.admit(.read, name, at: offset, byteCount: buffer.count)
    } catch {
      throw StorageError(error.code, file: name, offset: offset, error.detail)
    }
    try unsafe wrapped.read(at: offset, into: buffer)
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
    try fileSystem.admit(.write, name)
    fileSystem.wait(for: .write, name, byteCount: bytes.count)
    try fileSystem.admitGrowth(of: name, from: try wrapped.byteCount(), to: offset + UInt64(bytes.count))
    try unsafe wrapped.write(bytes, at: offset)
  }

  func allocate(_ byteCount: UInt64) throws(StorageError) {
    try fileSystem.admit(.allocate, name)
    try fileSystem.admitGrowth(of: name, from: try wrapped.byteCount(), to: byteCount)
    try wrapped.allocate(byteCount)
  }

  func truncate(to byteCount: UInt64) throws(StorageError) {
    try fileSystem.admit(.truncate, name)
    try wrapped.truncate(to: byteCount)
  }

  func sync() throws(StorageError) {
    try fileSystem.admit(.sync, name)
    fileSystem.wait(for: .sync, name, byteCount: 0)
    try wrapped.sync()
  }

  func forget(_ range: Range<UInt64>) { wrapped.forget(range) }

  func close() throws(StorageError) { try wrapped.close() }
}

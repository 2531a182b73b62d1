package import Storage

/// Files by their bytes, as tests write and read them.
extension StoredFile {
  package func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    try write(UnsafeRawBufferPointer(rebasing: copy[..<bytes.count]), at: offset)
  }

  package func write(_ text: String, at offset: UInt64) throws(StorageError) {
    try write(Array(text.utf8), at: offset)
  }

  package func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
    defer { buffer.deallocate() }
    try read(at: offset, into: buffer)
    return Array(buffer)
  }

  package func bytes() throws(StorageError) -> [UInt8] { try bytes(at: 0, count: Int(byteCount())) }

  package func text() throws(StorageError) -> String { String(decoding: try bytes(), as: UTF8.self) }
}

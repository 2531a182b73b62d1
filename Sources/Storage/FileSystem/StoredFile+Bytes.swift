/// Exactly `count` bytes of a file.
func readBytes(of file: any StoredFile, at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: count)
  // The file writes into the array during the call only.
  let failure = unsafe bytes.withUnsafeMutableBytes { (room) -> StorageError? in
    do throws(StorageError) { unsafe try file.read(at: offset, into: room) } catch { return error }
    return nil
  }
  if let failure { throw failure }
  return bytes
}

extension StoredFile {
  /// Writes bytes held in an array.
  func write(_ bytes: [UInt8], at offset: UInt64) throws(StorageError) {
    // A typed throw does not pass through `withUnsafeBytes` of an array: the result carries it.
    let result = unsafe bytes.withUnsafeBytes { bytes in
      Result { () throws(StorageError) in try unsafe write(bytes, at: offset) }
    }
    try result.get()
  }

  /// All bytes of the file; for files whose length is bounded elsewhere.
  package func readAll() throws(StorageError) -> [UInt8] {
    let byteCount = try byteCount()
    guard let count = Int(exactly: byteCount), count < 1 << 32 else {
      throw StorageError(.corrupt, file: name, "\(byteCount) bytes are too many for a file of its kind")
    }
    return try readBytes(of: self, at: 0, count: count)
  }
}

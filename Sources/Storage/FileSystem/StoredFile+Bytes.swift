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

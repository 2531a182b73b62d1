import Coding

/// Writes a file front to back in large pieces, and knows where it is.
struct BlockSink {
  private let file: any StoredFile
  private let bufferByteCount: Int
  private var buffer: [UInt8] = []
  /// Bytes that have left the buffer.
  private var written: UInt64 = 0
  /// Blocks sealed.
  private(set) var blockCount = 0

  init(file: any StoredFile, bufferByteCount: Int) {
    self.file = file
    self.bufferByteCount = bufferByteCount
    buffer.reserveCapacity(bufferByteCount + bufferByteCount / 4)
  }

  /// Where the next byte goes.
  var offset: UInt64 { written + UInt64(buffer.count) }

  /// Writes a payload as a block and returns its stored length.
  mutating func append(_ payload: [UInt8]) throws(StorageError) -> Int {
    let start = buffer.count
    sealBlock(payload, into: &buffer)
    blockCount += 1
    let byteCount = buffer.count - start
    guard byteCount <= TableFormat.blockByteCountMax else {
      throw StorageError(
        .limit, file: file.name, offset: offset,
        "block of \(byteCount) bytes; at most \(TableFormat.blockByteCountMax) can be read back")
    }
    try writeIfFull()
    return byteCount
  }

  /// Writes a payload and adds it to a run.
  mutating func append(_ payload: [UInt8], to run: inout BlockRun) throws(StorageError) {
    run.append(try append(payload))
  }

  /// Writes bytes as they are: header, footer, blocks that are sealed already.
  mutating func appendRaw(_ bytes: [UInt8], blocks: Int = 0) throws(StorageError) {
    buffer.append(contentsOf: bytes)
    blockCount += blocks
    try writeIfFull()
  }

  /// Hands all that is buffered to the file.
  mutating func flush() throws(StorageError) {
    guard !buffer.isEmpty else { return }
    // The file reads the bytes during the call only.
    let failure = unsafe buffer.withUnsafeBytes { (bytes) -> StorageError? in
      do throws(StorageError) { unsafe try file.write(bytes, at: written) } catch { return error }
      return nil
    }
    if let failure { throw failure }
    written += UInt64(buffer.count)
    buffer.removeAll(keepingCapacity: true)
  }

  private mutating func writeIfFull() throws(StorageError) {
    if buffer.count >= bufferByteCount { try flush() }
  }
}

import Synchronization

/// An open file in memory.
final class MemoryFile: StoredFile {
  /// A file that no call of ours should make: an offset past it is a mistake, not a disk without space.
  private static let byteCountMax: UInt64 = 1 << 40

  let name: String
  private let contents: MemoryContents
  private let isWritable: Bool
  private let isClosed = Atomic(false)

  init(name: String, contents: MemoryContents, isWritable: Bool) {
    self.name = name
    self.contents = contents
    self.isWritable = isWritable
  }

  private func check(writing: Bool, through end: UInt64 = 0) throws(StorageError) {
    if isClosed.load(ordering: .relaxed) { throw StorageError(.invalid, file: name, "the file is closed") }
    if writing && !isWritable { throw StorageError(.invalid, file: name, "the file is open for reading") }
    if end > Self.byteCountMax { throw StorageError(.invalid, file: name, offset: end, "offset is past the largest file") }
  }

  func byteCount() throws(StorageError) -> UInt64 {
    try check(writing: false)
    return UInt64(contents.byteCount)
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StorageError) {
    try check(writing: false)
    guard let byteCount = unsafe contents.read(at: offset, into: buffer) else { return }
    throw StorageError(
      .corrupt, file: name, offset: offset,
      "the file ends at \(byteCount), expected \(buffer.count) bytes at \(offset)")
  }

  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
    try check(writing: true, through: offset.addingReportingOverflow(UInt64(bytes.count)).partialValue)
    try check(writing: true, through: offset)
    unsafe contents.write(bytes, at: Int(offset))
  }

  func allocate(_ byteCount: UInt64) throws(StorageError) {
    try check(writing: true, through: byteCount)
    contents.allocate(Int(byteCount))
  }

  func truncate(to byteCount: UInt64) throws(StorageError) {
    try check(writing: true, through: byteCount)
    contents.truncate(to: Int(byteCount))
  }

  func sync() throws(StorageError) {
    try check(writing: false)
    contents.sync()
  }

  func forget(_ range: Range<UInt64>) {}

  func close() throws(StorageError) { isClosed.store(true, ordering: .relaxed) }
}

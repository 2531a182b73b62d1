import Coding

/// A segment as it is written anew: it has an end record, and says that it is synced, which it is before it takes the other's place.
struct SegmentCopy {
  private var header: SegmentHeader
  private var bytes: [UInt8] = []
  private(set) var recordCount = 0
  /// The highest number of a batch so far, that of the segments before it too.
  private(set) var lastSequence: UInt64
  /// The same of batches whose rows are there.
  private(set) var lastRows: UInt64

  init(header: SegmentHeader, lastSequence: UInt64) {
    self.header = header
    self.lastSequence = lastSequence
    lastRows = lastSequence
    bytes = Array(repeating: 0, count: SegmentHeader.byteCount)
  }

  mutating func append(_ record: RecordHeader, _ payload: UnsafeRawBufferPointer) throws(StorageError) {
    guard record.sequence > lastRows, record.sequence >= lastSequence else {
      throw StorageError(.corrupt, "batch \(record.sequence) comes after \(lastSequence)")
    }
    if record.type == .rows { lastRows = record.sequence }
    lastSequence = record.sequence
    recordCount += 1
    var record = record
    record.synced = UInt64(bytes.count)
    record.encode(to: &bytes, salt: header.salt)
    unsafe bytes.append(contentsOf: payload)
    appendLittleEndian(unsafe crc32c(payload), to: &bytes)
  }

  /// Puts it in the file's place, synced.
  mutating func write(to name: String, in fileSystem: any FileSystem) throws(StorageError) {
    bytes.appendRecord(
      .end, segment: header.number, sequence: lastSequence, synced: UInt64(bytes.count), salt: header.salt)
    header.allocated = UInt64(bytes.count)
    var head: [UInt8] = []
    header.encode(to: &head)
    bytes.replaceSubrange(..<SegmentHeader.byteCount, with: head)
    try fileSystem.replace(name, with: bytes)
  }
}

import Coding

/// A cursor over the payload of a block: every read is checked against what is there and names the place when it fails.
struct PayloadReader {
  let payload: [UInt8]
  /// The file and the stored block, for messages.
  let file: String
  let handle: BlockHandle
  private(set) var offset = 0

  init(_ payload: [UInt8], file: String, handle: BlockHandle) {
    self.payload = payload
    self.file = file
    self.handle = handle
  }

  var isAtEnd: Bool { offset == payload.count }
  var remaining: Int { payload.count - offset }

  /// An error at this place.
  func corrupt(_ detail: String) -> StorageError {
    StorageError(.corrupt, file: file, offset: handle.offset, "block payload at \(offset): \(detail)")
  }

  /// An unsigned LEB128 number.
  mutating func varint() throws(StorageError) -> UInt64 {
    var at = offset
    guard let value = readVarint(payload.span, at: &at) else { throw corrupt("expected a varint") }
    offset = at
    return value
  }

  /// A signed number, zigzag.
  mutating func signed() throws(StorageError) -> Int64 {
    unzigzag(try varint())
  }

  /// A count of at most `limit`.
  mutating func count(_ what: StaticString, max limit: Int) throws(StorageError) -> Int {
    let value = try varint()
    guard value <= UInt64(limit) else { throw corrupt("expected at most \(limit) \(what), found \(value)") }
    return Int(value)
  }

  /// A count of things that take at least one byte each of what is left.
  mutating func count(_ what: StaticString) throws(StorageError) -> Int { try count(what, max: remaining) }

  /// The next `byteCount` bytes as a range of the payload.
  mutating func take(_ byteCount: Int) throws(StorageError) -> Range<Int> {
    guard byteCount >= 0, byteCount <= remaining else {
      throw corrupt("expected \(byteCount) bytes, found \(remaining)")
    }
    offset += byteCount
    return offset - byteCount..<offset
  }

  /// A varint length and that many bytes.
  mutating func text() throws(StorageError) -> [UInt8] {
    let length = try count("bytes of text")
    return Array(payload[try take(length)])
  }

  /// Varint number of blocks, then the bytes of each; the first begins at `start`, which moves past the last.
  mutating func blockRun(from start: inout UInt64) throws(StorageError) -> BlockRun {
    var run = BlockRun(offset: start)
    let blocks = try count("blocks")
    for _ in 0..<blocks { run.append(try blockByteCount()) }
    start = start &+ run.byteCounts.reduce(0) { $0 &+ UInt64($1) }
    return run
  }

  /// The stored length of a block, checked against what a block may have.
  mutating func blockByteCount() throws(StorageError) -> Int {
    let value = try varint()
    guard value >= UInt64(TableFormat.trailerByteCount), value <= UInt64(TableFormat.blockByteCountMax) else {
      throw corrupt("expected a block of 5 to \(TableFormat.blockByteCountMax) bytes, found \(value)")
    }
    return Int(value)
  }
}

/// Appends a count or an offset.
func putVarint(_ value: Int, to output: inout [UInt8]) { appendVarint(UInt64(value), to: &output) }

/// Appends a number zigzag.
func putSigned(_ value: Int64, to output: inout [UInt8]) {
  appendVarint(zigzag(value), to: &output)
}

/// Appends a varint length and the bytes.
func putText(_ text: some Collection<UInt8>, to output: inout [UInt8]) {
  putVarint(text.count, to: &output)
  output.append(contentsOf: text)
}

func putBlockRun(_ run: BlockRun, to output: inout [UInt8]) {
  putVarint(run.count, to: &output)
  for byteCount in run.byteCounts { putVarint(byteCount, to: &output) }
}

/// What stands before the packed words of a group: with these a group decodes without the groups before it.
struct PackedGroup: StoredGroup {
  /// Bits of a packed word.
  var width = 0
  /// Added to each packed word. Not there for a line, whose start holds it.
  var base: UInt64 = 0
  /// The value before the group's first row (of a line: at it).
  var start: UInt64 = 0
  /// The difference before the group's first row (of a line: the slope).
  var step: UInt64 = 0
  /// Rows whose words have bits above `width`, and the bytes that hold these.
  var exceptionCount = 0
  var highByteCount = 0

  /// Bytes of an exception: its row in the group as 16 bits, and the high bits of its word.
  static func exceptionByteCount(_ highByteCount: Int) -> Int { 2 + highByteCount }

  /// Bytes of the group's body: packed words, rows of exceptions, their high bits.
  func bodyByteCount(_ rowCount: Int) -> Int {
    BitPacking.byteCount(rowCount, width: width) + exceptionCount * Self.exceptionByteCount(highByteCount)
  }

  /// Appends the header's 2 to 33 bytes.
  func encode(_ prediction: Prediction, into output: inout [UInt8]) {
    output.append(UInt8(width) | (exceptionCount > 0 ? 0x80 : 0))
    encodeFrame(prediction, into: &output)
    if prediction != .line { appendVarint(zigzag(Int64(bitPattern: base)), to: &output) }
    if exceptionCount > 0 {
      appendVarint(UInt64(exceptionCount), to: &output)
      output.append(UInt8(highByteCount))
    }
  }

  /// Appends start and step, where prediction has them.
  func encodeFrame(_ prediction: Prediction, into output: inout [UInt8]) {
    if prediction != .none { appendVarint(zigzag(Int64(bitPattern: start)), to: &output) }
    if prediction == .deltaOfDelta || prediction == .line {
      appendVarint(zigzag(Int64(bitPattern: step)), to: &output)
    }
  }

  init() {}

  static func shared(_ bytes: UnsafeRawBufferPointer, at offset: inout Int) {}

  /// Reads a number of a header at `offset` and moves past it.
  private static func next(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int
  ) throws(CodingError) -> UInt64 {
    guard let value = unsafe readVarint(bytes, at: &offset) else {
      throw .malformed(offset: offset, expected: "a varint of a group's header")
    }
    return UInt64(bitPattern: unzigzag(value))
  }

  /// Reads start and step at `offset`, where prediction has them, and moves past them.
  mutating func decodeFrame(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int, _ prediction: Prediction
  ) throws(CodingError) {
    if prediction != .none { start = try unsafe Self.next(bytes, at: &offset) }
    if prediction == .deltaOfDelta || prediction == .line {
      step = try unsafe Self.next(bytes, at: &offset)
    }
  }

  /// Reads a header at `offset` and moves past it.
  init(
    decoding bytes: UnsafeRawBufferPointer, at offset: inout Int, _ prediction: Prediction, rowCount: Int
  ) throws(CodingError) {
    guard let first = unsafe readLittleEndian(UInt8.self, bytes, at: &offset), first & 0x7f <= 64 else {
      throw .malformed(offset: offset, expected: "a group's width of 0 to 64 bits")
    }
    width = Int(first & 0x7f)
    try unsafe decodeFrame(bytes, at: &offset, prediction)
    if prediction != .line { base = try unsafe Self.next(bytes, at: &offset) }
    if first & 0x80 != 0 {
      guard let count = unsafe readVarint(bytes, at: &offset), count > 0, count <= UInt64(rowCount),
        let byteCount = unsafe readLittleEndian(UInt8.self, bytes, at: &offset), (1...8).contains(byteCount)
      else { throw .malformed(offset: offset, expected: "1 to \(rowCount) exceptions of 1 to 8 bytes") }
      exceptionCount = Int(count)
      highByteCount = Int(byteCount)
    }
  }
}

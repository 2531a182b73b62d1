extension BlockDecoder {
  /// Appends `rows` of a block of `count` strings: a word `offset << 32 | byteCount` for each to `words`, and the bytes that these
  /// mean to `bytes` (offsets count from its start, whatever it held before).
  ///
  /// Throws where the bytes are not such a block, or where `bytes` would pass 4 GiB; `words` and `bytes` are then as they were.
  public mutating func decodeStrings(
    _ block: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, into words: inout [UInt64], bytes: inout [UInt8]
  ) throws(CodingError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
    guard let code = unsafe block.first else { throw .malformed(offset: 0, expected: "an encoding") }
    switch Encoding(rawValue: code) {
    case .strings: try unsafe decodePlainStrings(block, count: count, rows: rows, into: &words, bytes: &bytes)
    default: throw .unsupported(what: "encoding of strings", value: code)
    }
  }

  /// Appends `rows` of a block of strings, as above.
  public mutating func decodeStrings(
    _ block: Span<UInt8>, count: Int, rows: Range<Int>, into words: inout [UInt64], bytes: inout [UInt8]
  ) throws(CodingError) {
    // The pointer does not outlive the call.
    try unsafe block.withUnsafeBytes { block throws(CodingError) in
      try unsafe decodeStrings(block, count: count, rows: rows, into: &words, bytes: &bytes)
    }
  }

  private mutating func decodePlainStrings(
    _ block: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, into words: inout [UInt64], bytes: inout [UInt8]
  ) throws(CodingError) {
    var offset = 1
    guard let lengthByteCount = unsafe readVarint(block, at: &offset), lengthByteCount <= block.count - offset
    else { throw .malformed(offset: offset, expected: "lengths within the block") }
    let start = offset + Int(lengthByteCount)
    let lengths = unsafe UnsafeRawBufferPointer(rebasing: block[offset..<start])
    var scratch: [UInt64] = []
    swap(&scratch, &self.words)
    defer { swap(&scratch, &self.words) }
    scratch.removeAll(keepingCapacity: true)
    try unsafe decode(lengths, kind: .unsigned, count: count, rows: 0..<rows.upperBound, into: &scratch)
    // Every length is held against what is left of the block, so the sum cannot pass it.
    var from = start
    var taken = 0
    for (row, length) in scratch.enumerated() {
      guard length <= block.count - from - taken else {
        throw .malformed(offset: from + taken, expected: "\(length) bytes of string \(row)")
      }
      if row < rows.lowerBound { from += Int(length) } else { taken += Int(length) }
    }
    guard bytes.count + taken <= 0xffff_ffff else { throw .malformed(offset: from, expected: "at most 4 GiB of strings") }
    var position = UInt64(bytes.count)
    words.reserveCapacity(words.count + rows.count)
    for length in scratch[rows.lowerBound...] {
      words.append(position << 32 | length)
      position += length
    }
    // Within the block: checked above.
    unsafe bytes.append(contentsOf: block[from..<from + taken])
  }
}

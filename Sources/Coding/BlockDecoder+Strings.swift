extension BlockDecoder {
  /// Appends `rows` of a block of `count` strings: a word `offset << 32 | byteCount` for each to `words`, and
  /// the bytes that these mean to `bytes` (offsets count from its start, whatever it held before).
  ///
  /// Throws where the bytes are not such a block, or where `bytes` would pass 4 GiB; `words` and `bytes` are
  /// then as they were.
  public mutating func decodeStrings(
    _ block: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, into words: inout [UInt64],
    bytes: inout [UInt8]
  ) throws(CodingError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
    let (wordCount, byteCount) = (words.count, bytes.count)
    do throws(CodingError) {
      switch unsafe Encoding(rawValue: block.first ?? 0) {
      case .strings:
        try unsafe decodePlainStrings(block, count: count, rows: rows, into: &words, bytes: &bytes)
      case .dictionary:
        try unsafe decodeDictionary(block, count: count, rows: rows, into: &words, bytes: &bytes)
      default: throw CodingError.unsupported(what: "encoding of strings", value: unsafe block.first ?? 0)
      }
    } catch {
      words.removeLast(words.count - wordCount)
      bytes.removeLast(bytes.count - byteCount)
      throw error
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
    _ block: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, into words: inout [UInt64],
    bytes: inout [UInt8]
  ) throws(CodingError) {
    var offset = 1
    _ = try unsafe decodeEntries(block, at: &offset, count: count, rows: rows, into: &words, bytes: &bytes)
    guard rows.upperBound < count || offset == block.count else {
      throw .malformed(
        offset: offset, expected: "the end of the strings, not \(block.count - offset) bytes more")
    }
  }

  private mutating func decodeDictionary(
    _ block: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, into words: inout [UInt64],
    bytes: inout [UInt8]
  ) throws(CodingError) {
    var offset = 1
    guard let distinctCount = unsafe readVarint(block, at: &offset), distinctCount <= UInt64(count) else {
      throw .malformed(offset: offset, expected: "at most \(count) distinct strings")
    }
    let distinct = Int(distinctCount)
    var entries: [UInt64] = []
    try unsafe decodeEntries(
      block, at: &offset, count: distinct, rows: 0..<distinct, into: &entries, bytes: &bytes)
    let codes = unsafe UnsafeRawBufferPointer(rebasing: block[offset...])
    let start = words.count
    try unsafe decode(codes, kind: .unsigned, count: count, rows: rows, into: &words)
    for index in start..<words.count {
      guard words[index] < distinctCount else {
        throw .malformed(offset: offset, expected: "a string's number below \(distinctCount)")
      }
      words[index] = entries[Int(words[index])]
    }
  }

  /// Reads `count` lengths at `offset` and the bytes after them; appends those in `rows`, and moves past the
  /// last of them.
  private mutating func decodeEntries(
    _ block: UnsafeRawBufferPointer, at offset: inout Int, count: Int, rows: Range<Int>,
    into words: inout [UInt64],
    bytes: inout [UInt8]
  ) throws(CodingError) {
    guard let lengthByteCount = unsafe readVarint(block, at: &offset), lengthByteCount <= block.count - offset
    else { throw .malformed(offset: offset, expected: "lengths within the block") }
    let start = offset + Int(lengthByteCount)
    let block = unsafe (lengths: UnsafeRawBufferPointer(rebasing: block[offset..<start]), all: block)
    var lengths: [UInt64] = []
    swap(&lengths, &self.words)
    defer { swap(&lengths, &self.words) }
    lengths.removeAll(keepingCapacity: true)
    try unsafe decode(block.lengths, kind: .unsigned, count: count, rows: 0..<rows.upperBound, into: &lengths)
    // Every length is held against what is left of the block, so the sum cannot pass it.
    var from = start
    var taken = 0
    for (row, length) in lengths.enumerated() {
      guard unsafe length <= block.all.count - from - taken else {
        throw .malformed(offset: from + taken, expected: "\(length) bytes of string \(row)")
      }
      if row < rows.lowerBound { from += Int(length) } else { taken += Int(length) }
    }
    guard bytes.count + taken <= 0xffff_ffff else {
      throw .malformed(offset: from, expected: "at most 4 GiB of strings")
    }
    var position = UInt64(bytes.count)
    words.reserveCapacity(words.count + rows.count)
    for length in lengths[rows.lowerBound...] {
      words.append(position << 32 | length)
      position += length
    }
    // Within the block: checked above.
    unsafe bytes.append(contentsOf: block.all[from..<from + taken])
    offset = from + taken
  }
}

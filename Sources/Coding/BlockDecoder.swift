/// Decodes blocks of any column. Holds only scratch memory; one for each thread that reads.
public struct BlockDecoder: Sendable {
  /// Lengths or codes of a block of strings.
  var words: [UInt64] = []

  /// A decoder without scratch memory yet.
  public init() {}

  /// Decodes `rows` of a block of `count` rows into `output`, which must have room for them.
  ///
  /// Only groups of 1,024 rows that `rows` touches are decoded. Throws where the bytes are not a block of
  /// `count` rows; what is in `output` is then undefined. Never traps on bytes.
  ///
  /// Precondition: `rows` lies in `0..<count`, `output` holds `rows.count` words.
  public mutating func decode(
    _ bytes: UnsafeRawBufferPointer, kind: ColumnKind, count: Int, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    precondition(rows.lowerBound >= 0 && rows.upperBound <= count, "rows \(rows) of \(count)")
    precondition(output.count >= rows.count, "\(rows.count) rows into room for \(output.count)")
    try unsafe decodeWords(bytes, count: count, rows: rows, into: output)
  }

  /// Appends `rows` of a block to `output`, as above; after a throw `output` is as it was.
  public mutating func decode(
    _ bytes: UnsafeRawBufferPointer, kind: ColumnKind, count: Int, rows: Range<Int>,
    into output: inout [UInt64]
  ) throws(CodingError) {
    try output.append(addingCapacity: rows.count) { span throws(CodingError) in
      // All of the span's rows are written, or it throws and counts none of them.
      try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(CodingError) in
        let room = unsafe UnsafeMutableBufferPointer(
          rebasing: buffer[initializedCount..<initializedCount + rows.count])
        try unsafe decode(bytes, kind: kind, count: count, rows: rows, into: room)
        initializedCount += rows.count
      }
    }
  }

  /// Appends `rows` of a block of timestamps (or integers) to `output`, as above.
  public mutating func decode(
    _ bytes: UnsafeRawBufferPointer, kind: ColumnKind, count: Int, rows: Range<Int>,
    into output: inout [Int64]
  ) throws(CodingError) {
    try output.append(addingCapacity: rows.count) { span throws(CodingError) in
      // As above; Int64 and UInt64 have one layout.
      try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(CodingError) in
        let room = unsafe UnsafeMutableRawBufferPointer(
          rebasing: UnsafeMutableRawBufferPointer(buffer)[
            (initializedCount * 8)..<(initializedCount + rows.count) * 8])
        try unsafe decode(
          bytes, kind: kind, count: count, rows: rows, into: room.assumingMemoryBound(to: UInt64.self))
        initializedCount += rows.count
      }
    }
  }

  /// Appends `rows` of a block to `output`, as above.
  public mutating func decode(
    _ bytes: Span<UInt8>, kind: ColumnKind, count: Int, rows: Range<Int>, into output: inout [UInt64]
  ) throws(CodingError) {
    // The pointer does not outlive the call.
    try unsafe bytes.withUnsafeBytes { bytes throws(CodingError) in
      try unsafe decode(bytes, kind: kind, count: count, rows: rows, into: &output)
    }
  }

  /// Appends `rows` of a block of timestamps (or integers) to `output`, as above.
  public mutating func decode(
    _ bytes: Span<UInt8>, kind: ColumnKind, count: Int, rows: Range<Int>, into output: inout [Int64]
  ) throws(CodingError) {
    // The pointer does not outlive the call.
    try unsafe bytes.withUnsafeBytes { bytes throws(CodingError) in
      try unsafe decode(bytes, kind: kind, count: count, rows: rows, into: &output)
    }
  }

  /// Decodes a block of any encoding of words; `output` has room for `rows`, which lie in `0..<count`.
  ///
  /// A dictionary's parts are blocks, but not of dictionaries: else bytes could ask for any depth of
  /// recursion.
  func decodeWords(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, isPart: Bool = false,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    guard let code = unsafe bytes.first else { throw .malformed(offset: 0, expected: "an encoding") }
    var offset = 1
    switch Encoding(rawValue: code) {
    case .packed:
      try unsafe decodePacked(bytes, as: PackedGroup.self, count: count, rows: rows, into: output)
    case .ranges:
      try unsafe decodePacked(bytes, as: RangeGroup.self, count: count, rows: rows, into: output)
    case .wordDictionary where !isPart:
      try unsafe decodeWordDictionary(bytes, count: count, rows: rows, into: output)
    case .bits, .positions: try unsafe decodeBits(bytes, count: count, rows: rows, into: output)
    case .constant:
      guard let word = unsafe readLittleEndian(UInt64.self, bytes, at: &offset), offset == bytes.count else {
        throw .malformed(offset: offset, expected: "a word of 8 bytes")
      }
      for index in 0..<rows.count { unsafe output[index] = word }
    case .progression:
      guard let first = unsafe readVarint(bytes, at: &offset),
        let next = unsafe readVarint(bytes, at: &offset),
        offset == bytes.count
      else { throw .malformed(offset: offset, expected: "a first word and a step") }
      let step = UInt64(bitPattern: unzigzag(next))
      var word = UInt64(bitPattern: unzigzag(first)) &+ step &* UInt64(rows.lowerBound)
      for index in 0..<rows.count {
        unsafe output[index] = word
        word &+= step
      }
    case .plain:
      guard bytes.count == count * 8 + 1 else {
        throw .malformed(offset: 1, expected: "\(count) words of 8 bytes, not \(bytes.count - 1) bytes")
      }
      for index in 0..<rows.count {
        // Within the length checked above.
        unsafe output[index] = UInt64(
          littleEndian: bytes.loadUnaligned(
            fromByteOffset: (rows.lowerBound + index) * 8 + 1, as: UInt64.self))
      }
    default:
      throw .unsupported(what: "encoding", value: code)
    }
  }

  /// Decodes bits into words of 0 and 1.
  private func decodeBits(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    try unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: (count + 63) / 64) {
      bits throws(CodingError) in
      try unsafe Bitmap.decode(bytes, count: count, into: bits)
      for (index, row) in rows.enumerated() { unsafe output[index] = bits[row >> 6] >> UInt64(row & 63) & 1 }
    }
  }

  /// Decodes ranks, and puts the words of these in their place.
  private func decodeWordDictionary(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var offset = 1
    guard let distinctCount = unsafe readVarint(bytes, at: &offset), distinctCount <= UInt64(count),
      let byteCount = unsafe readVarint(bytes, at: &offset), byteCount <= bytes.count - offset
    else {
      throw .malformed(offset: offset, expected: "a dictionary of at most \(count) words within the block")
    }
    let distinct = Int(distinctCount)
    // Both parts lie within `bytes`: checked above.
    let codes = offset + Int(byteCount)
    let dictionary = unsafe UnsafeRawBufferPointer(rebasing: bytes[offset..<codes])
    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[codes...])
    try unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: distinct) {
      words throws(CodingError) in
      try unsafe decodeWords(dictionary, count: distinct, rows: 0..<distinct, isPart: true, into: words)
      try unsafe decodeWords(rest, count: count, rows: rows, isPart: true, into: output)
      for index in 0..<rows.count {
        let code = unsafe output[index]
        guard code < distinctCount else {
          throw .malformed(offset: codes, expected: "a rank below \(distinctCount)")
        }
        unsafe output[index] = words[Int(code)]
      }
    }
  }
}

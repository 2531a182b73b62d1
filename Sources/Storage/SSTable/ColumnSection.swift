import Coding

/// Encoders for the columns of indexes and dictionaries: one a kind, each remembers what served.
struct SectionEncoder {
  private var unsigned = BlockEncoder(kind: .unsigned, hasRanges: false)
  private var timestamp = BlockEncoder(kind: .timestamp, hasRanges: false)

  /// Appends a column behind its varint length; a column of zeros has length 0.
  mutating func append(_ words: [UInt64], kind: ColumnKind = .unsigned, to output: inout [UInt8]) {
    guard words.contains(where: { $0 != 0 }) else {
      output.append(0)
      return
    }
    var encoded: [UInt8] = []
    encode(words, kind: kind, into: &encoded)
    putVarint(encoded.count, to: &output)
    output.append(contentsOf: encoded)
  }

  /// Appends the encoded words alone.
  mutating func encode(_ words: [UInt64], kind: ColumnKind, into output: inout [UInt8]) {
    switch kind {
    case .unsigned: unsigned.encode(words.span, into: &output)
    case .timestamp: timestamp.encode(words.span, into: &output)
    default:
      var encoder = BlockEncoder(kind: kind, hasRanges: false)
      encoder.encode(words.span, into: &output)
    }
  }
}

extension PayloadReader {
  /// Reads a column of `count` words that `SectionEncoder.append` wrote.
  mutating func column(
    _ count: Int, kind: ColumnKind = .unsigned, with decoder: inout BlockDecoder
  ) throws(StorageError) -> [UInt64] {
    let length = try self.count("bytes of a column")
    guard length > 0 else { return [UInt64](repeating: 0, count: count) }
    let range = try take(length)
    var words: [UInt64] = []
    do {
      try decoder.decode(
        payload.span.extracting(range), kind: kind, count: count, rows: 0..<count, into: &words)
    } catch {
      throw corrupt("column of \(count) words: \(error)")
    }
    return words
  }

  /// Goes past a column.
  mutating func skipColumn() throws(StorageError) {
    let length = try count("bytes of a column")
    _ = try take(length)
  }
}

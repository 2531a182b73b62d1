/// Encodes the blocks of one column, one after the other.
///
/// It remembers what served the column's last block, and tries that first. One for each writer and column; a value of a few words,
/// without scratch memory of its own.
public struct BlockEncoder: Sendable {
  /// What the words of this column mean.
  public let kind: ColumnKind

  /// An encoder that has seen nothing yet.
  public init(kind: ColumnKind) {
    self.kind = kind
  }

  /// Appends the encoded words to `output`, all rows present. The encoding is recorded inside; the count is not.
  ///
  /// At most 8 bytes a word and 32 more. Any words are encoded exactly, whatever the kind.
  public mutating func encode(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    guard let first = unsafe words.first else { return output.append(Encoding.plain.rawValue) }
    if unsafe words.allSatisfy({ $0 == first }) {
      output.append(Encoding.constant.rawValue)
      appendLittleEndian(first, to: &output)
    } else {
      output.append(Encoding.plain.rawValue)
      for unsafe word in unsafe words { appendLittleEndian(word, to: &output) }
    }
  }

  /// Appends the encoded words to `output`; see the function over a raw buffer.
  public mutating func encode(_ words: Span<UInt64>, into output: inout [UInt8]) {
    // The pointer does not outlive the call.
    unsafe words.withUnsafeBufferPointer { unsafe encode($0, into: &output) }
  }

  /// Appends encoded timestamps to `output`; see the function over a raw buffer.
  public mutating func encode(_ timestamps: Span<Int64>, into output: inout [UInt8]) {
    // Int64 and UInt64 have one layout; the pointer does not outlive the call.
    unsafe timestamps.withUnsafeBytes { unsafe encode($0.assumingMemoryBound(to: UInt64.self), into: &output) }
  }
}

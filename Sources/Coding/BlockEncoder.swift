/// Encodes the blocks of one column, one after the other.
///
/// It remembers what served the column's last block, and tries that first. One for each writer and column; a value of a few words,
/// without scratch memory of its own.
public struct BlockEncoder: Sendable {
  /// What the words of this column mean.
  public let kind: ColumnKind
  /// For the words; of strings, for their lengths.
  var words: WordEncoder
  /// For the numbers of strings in a dictionary.
  var codes = WordEncoder(kind: .unsigned)
  /// Blocks of strings that no dictionary is tried for: the last one did not repeat itself.
  var plainStringBlockCount = 0

  /// An encoder that has seen nothing yet.
  public init(kind: ColumnKind) {
    self.kind = kind
    words = WordEncoder(kind: kind == .string ? .unsigned : kind)
  }

  /// Appends the encoded words to `output`, all rows present. The encoding is recorded inside; the count is not.
  ///
  /// At most 8 bytes a word and 12 more. Any words are encoded exactly, whatever the kind. Costs 1–2 ns a word.
  public mutating func encode(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    unsafe self.words.encode(words, into: &output)
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

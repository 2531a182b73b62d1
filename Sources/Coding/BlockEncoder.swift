/// Encodes the blocks of one column, one after the other.
///
/// It remembers what served the column's last block, and tries that first. One for each writer and column; a
/// value of a few words, without scratch memory of its own.
public struct BlockEncoder: Sendable {
  /// What the words of this column mean.
  public let kind: ColumnKind
  /// For the words; of strings, for their lengths.
  var words: WordEncoder
  /// For the numbers of strings or words in a dictionary.
  var codes = WordEncoder(kind: .unsigned)
  /// For the words of a dictionary: bits of floats too, since decimals need none.
  private var entries = WordEncoder(kind: .integer)
  /// Blocks of words that no dictionary is tried for.
  private var plainWordBlockCount = 0
  /// Blocks of strings that no dictionary is tried for: the last one did not repeat itself.
  var plainStringBlockCount = 0
  /// Blocks after which a dictionary is tried again.
  static let plainBlockCountMax = 8

  /// An encoder that has seen nothing yet.
  ///
  /// - Parameter hasRanges: whether words may take ranges, which cost ten times as long to write and to read as packed ones.
  public init(kind: ColumnKind, hasRanges: Bool = true) {
    self.kind = kind
    words = WordEncoder(kind: kind == .string ? .unsigned : kind, hasRanges: hasRanges)
  }

  /// Appends the encoded words to `output`, all rows present. The encoding is recorded inside; the count is
  /// not.
  ///
  /// At most 8 bytes a word and 12 more. Any words are encoded exactly, whatever the kind. Costs 1–2 ns a
  /// word.
  public mutating func encode(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    let start = output.count
    unsafe self.words.encode(words, into: &output)
    // Three bytes a word: so much that repeating words are better kept once.
    guard output.count - start > 3 * words.count else { return }
    guard plainWordBlockCount == 0 else { return plainWordBlockCount -= 1 }
    if unsafe !replaceByDictionary(words, from: start, in: &output) {
      plainWordBlockCount = Self.plainBlockCountMax
    }
  }

  /// Puts a block with a dictionary in place of the block from `start`; changes nothing and returns false
  /// where it is not much shorter.
  private mutating func replaceByDictionary(
    _ words: UnsafeBufferPointer<UInt64>, from start: Int, in output: inout [UInt8]
  ) -> Bool {
    guard let found = unsafe WordDictionary(words, isFloat: kind == .float) else { return false }
    var block = [Encoding.wordDictionary.rawValue]
    var dictionary: [UInt8] = []
    // The pointers do not outlive the calls.
    unsafe found.distinct.withUnsafeBufferPointer { unsafe entries.encode($0, into: &dictionary) }
    appendVarint(UInt64(found.distinct.count), to: &block)
    appendVarint(UInt64(dictionary.count), to: &block)
    block += dictionary
    unsafe found.codes.withUnsafeBufferPointer { unsafe codes.encode($0, into: &block) }
    guard block.count < (output.count - start) * 3 / 4 else { return false }
    output.replaceSubrange(start..., with: block)
    return true
  }

  /// Appends the encoded words to `output`; see the function over a raw buffer.
  public mutating func encode(_ words: Span<UInt64>, into output: inout [UInt8]) {
    // The pointer does not outlive the call.
    unsafe words.withUnsafeBufferPointer { unsafe encode($0, into: &output) }
  }

  /// Appends encoded timestamps to `output`; see the function over a raw buffer.
  public mutating func encode(_ timestamps: Span<Int64>, into output: inout [UInt8]) {
    // Int64 and UInt64 have one layout; the pointer does not outlive the call.
    unsafe timestamps.withUnsafeBytes {
      unsafe encode($0.assumingMemoryBound(to: UInt64.self), into: &output)
    }
  }
}

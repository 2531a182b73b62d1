extension BlockEncoder {
  /// Appends encoded strings to `output`. A word is `offset << 32 | byteCount` of a string in `bytes`;
  /// strings may share bytes and lie in any order.
  ///
  /// Strings that repeat are kept once, with a packed number for each row; else lengths are packed and the
  /// bytes follow, for Snappy to look for what they have in common. At most 8 bytes a string and 32 more
  /// beside the bytes.
  ///
  /// Precondition: every string lies within `bytes`.
  public mutating func encodeStrings(
    _ words: UnsafeBufferPointer<UInt64>, bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
  ) {
    if plainStringBlockCount > 0 {
      plainStringBlockCount -= 1
    } else if unsafe encodeDictionary(words, bytes: bytes, into: &output) {
      return
    } else {
      plainStringBlockCount = Self.plainBlockCountMax
    }
    output.append(Encoding.strings.rawValue)
    unsafe encodeLengths(words, into: &output)
    for index in words.indices {
      unsafe output.append(contentsOf: StringDictionary.string(words[index], in: bytes))
    }
  }

  /// Appends encoded strings to `output`; see the function over raw buffers.
  public mutating func encodeStrings(_ words: Span<UInt64>, bytes: Span<UInt8>, into output: inout [UInt8]) {
    // The pointers do not outlive the call.
    unsafe words.withUnsafeBufferPointer { words in
      unsafe bytes.withUnsafeBytes { unsafe encodeStrings(words, bytes: $0, into: &output) }
    }
  }

  /// Appends a block with a dictionary; appends nothing and returns false where more than half of the strings
  /// are distinct.
  private mutating func encodeDictionary(
    _ words: UnsafeBufferPointer<UInt64>, bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
  ) -> Bool {
    guard let found = unsafe StringDictionary(words, bytes: bytes) else { return false }
    output.append(Encoding.dictionary.rawValue)
    appendVarint(UInt64(found.distinct.count), to: &output)
    // The pointers do not outlive the calls.
    unsafe found.distinct.withUnsafeBufferPointer { unsafe encodeLengths($0, into: &output) }
    for word in found.distinct { unsafe output.append(contentsOf: StringDictionary.string(word, in: bytes)) }
    unsafe found.codes.withUnsafeBufferPointer { unsafe codes.encode($0, into: &output) }
    return true
  }

  /// Appends the byte count of a block of lengths, and that block.
  private mutating func encodeLengths(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) {
    var block: [UInt8] = []
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words.count) { lengths in
      for index in words.indices { unsafe lengths[index] = words[index] & 0xffff_ffff }
      unsafe self.words.encode(UnsafeBufferPointer(lengths), into: &block)
    }
    appendVarint(UInt64(block.count), to: &output)
    output.append(contentsOf: block)
  }
}

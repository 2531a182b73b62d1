extension BlockEncoder {
  /// Appends encoded strings to `output`. A word is `offset << 32 | byteCount` of a string in `bytes`; strings may share bytes and lie
  /// in any order.
  ///
  /// Precondition: every string lies within `bytes`.
  public mutating func encodeStrings(
    _ words: UnsafeBufferPointer<UInt64>, bytes: UnsafeRawBufferPointer, into output: inout [UInt8]
  ) {
    output.append(Encoding.strings.rawValue)
    var lengths: [UInt8] = []
    var encoder = BlockEncoder(kind: .unsigned)
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: words.count) { scratch in
      for index in words.indices { unsafe scratch[index] = words[index] & 0xffff_ffff }
      unsafe encoder.encode(UnsafeBufferPointer(scratch), into: &lengths)
    }
    appendVarint(UInt64(lengths.count), to: &output)
    output.append(contentsOf: lengths)
    for unsafe word in unsafe words {
      let offset = Int(word >> 32)
      // A range outside of `bytes` traps in the subscript: the caller's error.
      unsafe output.append(contentsOf: bytes[offset..<offset + Int(word & 0xffff_ffff)])
    }
  }

  /// Appends encoded strings to `output`; see the function over raw buffers.
  public mutating func encodeStrings(_ words: Span<UInt64>, bytes: Span<UInt8>, into output: inout [UInt8]) {
    // The pointers do not outlive the call.
    unsafe words.withUnsafeBufferPointer { words in
      unsafe bytes.withUnsafeBytes { unsafe encodeStrings(words, bytes: $0, into: &output) }
    }
  }
}

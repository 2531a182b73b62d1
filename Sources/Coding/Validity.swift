/// Appends the first `count` bits of `bits` (bit `i & 63` of word `i >> 6`) to `output`: as bits, or as
/// positions where that is shorter.
///
/// At most `(count + 7) / 8 + 1` bytes. Precondition: `bits` holds `count` bits.
public func encodeValidity(_ bits: [UInt64], count: Int, into output: inout [UInt8]) {
  precondition(count >= 0 && bits.count * 64 >= count, "\(count) bits in \(bits.count) words")
  let wordCount = (count + 63) / 64
  unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: wordCount) { words in
    for index in words.indices { unsafe words[index] = bits[index] }
    if count & 63 != 0 { unsafe words[wordCount - 1] &= (1 << UInt64(count & 63)) - 1 }
    unsafe Bitmap.encode(UnsafeBufferPointer(words), count: count, into: &output)
  }
}

/// Appends the words of a bitmap of `count` bits to `bits`; bits past `count` are 0. After a throw `bits` is
/// as it was.
public func decodeValidity(
  _ bytes: UnsafeRawBufferPointer, count: Int, into bits: inout [UInt64]
) throws(CodingError) {
  precondition(count >= 0, "\(count) bits")
  let wordCount = (count + 63) / 64
  try bits.append(addingCapacity: wordCount) { span throws(CodingError) in
    // All words are written, or it throws and counts none of them.
    try unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount throws(CodingError) in
      let room = unsafe UnsafeMutableBufferPointer(
        rebasing: buffer[initializedCount..<initializedCount + wordCount])
      try unsafe Bitmap.decode(bytes, count: count, into: room)
      initializedCount += wordCount
    }
  }
}

/// Appends the words of a bitmap; see the function over a raw buffer.
public func decodeValidity(_ bytes: Span<UInt8>, count: Int, into bits: inout [UInt64]) throws(CodingError) {
  // The pointer does not outlive the call.
  try unsafe bytes.withUnsafeBytes { bytes throws(CodingError) in
    try unsafe decodeValidity(bytes, count: count, into: &bits)
  }
}

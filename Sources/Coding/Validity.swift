/// Appends the first `count` bits of `bits` (bit `i & 63` of word `i >> 6`) to `output`.
///
/// At most `(count + 7) / 8 + 1` bytes. Precondition: `bits` holds `count` bits.
public func encodeValidity(_ bits: [UInt64], count: Int, into output: inout [UInt8]) {
  precondition(bits.count * 64 >= count, "\(count) bits in \(bits.count) words")
  output.append(Encoding.bits.rawValue)
  for index in 0..<(count + 7) / 8 {
    var byte = UInt8(truncatingIfNeeded: bits[index >> 3] >> UInt64((index & 7) * 8))
    if index == count / 8 { byte &= (1 << UInt8(count & 7)) - 1 }
    output.append(byte)
  }
}

/// Appends the words of a bitmap of `count` bits to `bits`; bits past `count` are 0.
public func decodeValidity(
  _ bytes: UnsafeRawBufferPointer, count: Int, into bits: inout [UInt64]
) throws(CodingError) {
  guard let code = unsafe bytes.first else { throw .malformed(offset: 0, expected: "an encoding") }
  switch Encoding(rawValue: code) {
  case .bits:
    guard bytes.count == (count + 7) / 8 + 1 else {
      throw .malformed(offset: 1, expected: "\(count) bits, not \(bytes.count - 1) bytes")
    }
    for word in 0..<(count + 63) / 64 {
      var value: UInt64 = 0
      for index in 0..<min(8, (count - word * 64 + 7) / 8) {
        value |= UInt64(unsafe bytes[1 + word * 8 + index]) << UInt64(index * 8)
      }
      let rest = count - word * 64
      bits.append(rest < 64 ? value & ((1 << UInt64(rest)) - 1) : value)
    }
  default:
    throw .unsupported(what: "encoding of validity", value: code)
  }
}

/// Appends the words of a bitmap; see the function over a raw buffer.
public func decodeValidity(_ bytes: Span<UInt8>, count: Int, into bits: inout [UInt64]) throws(CodingError) {
  // The pointer does not outlive the call.
  try unsafe bytes.withUnsafeBytes { bytes throws(CodingError) in
    try unsafe decodeValidity(bytes, count: count, into: &bits)
  }
}

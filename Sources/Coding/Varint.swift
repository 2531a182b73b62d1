/// Appends `value` as unsigned LEB128: 7 bits a byte, low bits first, 1 to 10 bytes.
@inlinable
public func appendVarint(_ value: UInt64, to output: inout [UInt8]) {
  var rest = value
  while rest >= 0x80 {
    output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
    rest >>= 7
  }
  output.append(UInt8(truncatingIfNeeded: rest))
}

/// The bytes that `appendVarint` takes for `value`: 1 to 10.
@inlinable
public func varintByteCount(_ value: UInt64) -> Int {
  (70 &- (value | 1).leadingZeroBitCount) / 7
}

/// Reads an unsigned LEB128 integer of at most 10 bytes and moves `offset` past it.
///
/// Returns `nil` if the bytes end early, the value needs more than 64 bits, or its last byte is a
/// needless zero; `offset` is then where it was.
@inlinable
public func readVarint(_ bytes: UnsafeRawBufferPointer, at offset: inout Int) -> UInt64? {
  guard offset >= 0, offset < bytes.count else { return nil }
  // Each index is below `bytes.count`: `end` is clamped to it.
  var next = unsafe bytes[offset]
  if next < 0x80 {
    offset &+= 1
    return UInt64(next)
  }
  let end = min(bytes.count, offset &+ 10)
  var value = UInt64(next & 0x7f)
  var index = offset &+ 1
  var shift: UInt64 = 7
  while index < end {
    next = unsafe bytes[index]
    index &+= 1
    value |= UInt64(next & 0x7f) &<< shift
    if next < 0x80 {
      if next == 0 || (shift == 63 && next > 1) { return nil }
      offset = index
      return value
    }
    shift &+= 7
  }
  return nil
}

/// Reads an unsigned LEB128 integer as the function over a raw buffer does.
@inlinable
public func readVarint(_ bytes: Span<UInt8>, at offset: inout Int) -> UInt64? {
  // The pointer does not outlive the call.
  unsafe bytes.withUnsafeBytes { unsafe readVarint($0, at: &offset) }
}

/// Maps 0, −1, 1, −2 … to 0, 1, 2, 3 …, so that small magnitudes make short varints.
@inlinable
public func zigzag(_ value: Int64) -> UInt64 {
  UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
}

/// The inverse of `zigzag`.
@inlinable
public func unzigzag(_ value: UInt64) -> Int64 {
  Int64(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
}

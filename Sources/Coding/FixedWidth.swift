/// Appends `value` in its full width, little-endian.
@inlinable
public func appendLittleEndian<T: FixedWidthInteger>(_ value: T, to output: inout [UInt8]) {
  // A view of the value's own bytes, for the length of the call.
  unsafe withUnsafeBytes(of: value.littleEndian) { unsafe output.append(contentsOf: $0) }
}

/// Reads a little-endian integer of full width and moves `offset` past it; `nil`, and `offset` as it was, if
/// the bytes end early.
@inlinable
public func readLittleEndian<T: FixedWidthInteger>(
  _ type: T.Type, _ bytes: UnsafeRawBufferPointer, at offset: inout Int
) -> T? {
  let size = MemoryLayout<T>.size
  guard offset >= 0, offset <= bytes.count - size else { return nil }
  // Bounds checked above; fields follow varints and so are not aligned. T is a plain integer.
  let value = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: T.self)
  offset &+= size
  return T(littleEndian: value)
}

/// Reads a little-endian integer as the function over a raw buffer does.
@inlinable
public func readLittleEndian<T: FixedWidthInteger>(
  _ type: T.Type, _ bytes: Span<UInt8>, at offset: inout Int
) -> T? {
  // The pointer does not outlive the call.
  unsafe bytes.withUnsafeBytes { unsafe readLittleEndian(type, $0, at: &offset) }
}

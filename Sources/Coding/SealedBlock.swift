/// How a stored block's payload is compressed. The numbers are those written to disk; 0 is never valid.
public enum Compression: UInt8, Sendable {
  case none = 1
  case snappy = 2
}

/// The bytes that `sealBlock` adds to a payload: compression byte and CRC32C.
public let blockTrailerByteCount = 5

/// Appends `payload` as it is stored: Snappy where that saves an eighth or more, else as it is; then the
/// trailer of 5 bytes, the compression and the little-endian CRC32C over the stored bytes and the compression
/// byte.
public func sealBlock(_ payload: UnsafeRawBufferPointer, into output: inout [UInt8]) {
  let start = output.count
  let compression: Compression
  if unsafe payload.count > 16 && Snappy.compress(payload, into: &output) {
    compression = .snappy
  } else {
    compression = .none
    unsafe output.append(contentsOf: payload)
  }
  output.append(compression.rawValue)
  let checksum = crc32c(output.span.extracting(start..<output.count))
  appendLittleEndian(checksum, to: &output)
}

/// Appends `payload` as it is stored; see the function over a raw buffer.
public func sealBlock(_ payload: [UInt8], into output: inout [UInt8]) {
  // The pointer does not outlive the call.
  unsafe payload.withUnsafeBytes { unsafe sealBlock($0, into: &output) }
}

/// Appends the payload of a stored block to `payload`, after its checksum was found right.
///
/// Costs the checksum (10 GB/s and more) and a copy or Snappy. Throws `checksumMismatch` where a bit is
/// wrong, `malformed` where the block is too short or Snappy refuses, `unsupported` for an unknown
/// compression; `payload` is then as it was.
public func openBlock(_ stored: UnsafeRawBufferPointer, into payload: inout [UInt8]) throws(CodingError) {
  unsafe try checkBlock(stored)
  // Both lie within `stored`, which has a trailer.
  let byteCount = stored.count - blockTrailerByteCount
  let body = unsafe UnsafeRawBufferPointer(rebasing: stored[..<byteCount])
  let code = unsafe stored[byteCount]
  switch Compression(rawValue: code) {
  case .none?: unsafe payload.append(contentsOf: body)
  case .snappy?: unsafe try Snappy.uncompress(body, into: &payload)
  case nil: throw .unsupported(what: "compression", value: code)
  }
}

/// Whether a stored block is as it was written: throws `checksumMismatch` where a bit is wrong, `malformed` where it is too short.
public func checkBlock(_ stored: UnsafeRawBufferPointer) throws(CodingError) {
  let byteCount = stored.count - blockTrailerByteCount
  guard byteCount >= 0 else { throw .malformed(offset: stored.count, expected: "a trailer of 5 bytes") }
  // The range lies within `stored`, whose length is checked above.
  let found = unsafe crc32c(UnsafeRawBufferPointer(rebasing: stored[...byteCount]))
  var offset = byteCount + 1
  guard let expected = unsafe readLittleEndian(UInt32.self, stored, at: &offset) else {
    throw .malformed(offset: offset, expected: "a checksum")
  }
  guard expected == found else { throw .checksumMismatch(expected: expected, found: found) }
}

/// Whether a stored block is as it was written; see the function over a raw buffer.
public func checkBlock(_ stored: Span<UInt8>) throws(CodingError) {
  // The pointer does not outlive the call.
  unsafe try stored.withUnsafeBytes { bytes throws(CodingError) in unsafe try checkBlock(bytes) }
}

/// Appends the payload of a stored block to `payload`; see the function over a raw buffer.
public func openBlock(_ stored: Span<UInt8>, into payload: inout [UInt8]) throws(CodingError) {
  // The pointer does not outlive the call.
  unsafe try stored.withUnsafeBytes { bytes throws(CodingError) in unsafe try openBlock(bytes, into: &payload)
  }
}

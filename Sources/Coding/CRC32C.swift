import CShims

/// The CRC32C (Castagnoli polynomial, reflected, as in iSCSI: RFC 3720 appendix B.4) of `bytes`, continuing
/// from `previous`: the checksum of a concatenation is that of its parts one after the other. 0 at the start.
public func crc32c(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
  // The C function reads exactly `count` bytes; a null base comes only with a count of 0.
  unsafe CShims_crc32c(previous, bytes.baseAddress, bytes.count)
}

/// The CRC32C of `bytes`, continuing from `previous`.
public func crc32c(_ bytes: Span<UInt8>, continuing previous: UInt32 = 0) -> UInt32 {
  unsafe bytes.withUnsafeBytes { unsafe crc32c($0, continuing: previous) }
}

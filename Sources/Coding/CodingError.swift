/// Why bytes could not be decoded. Decoding never traps, whatever the bytes.
public enum CodingError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What stands at `offset` of the block's payload (or of the stored block) is not what the format asks for.
  case malformed(offset: Int, expected: String)
  /// The bytes name something that this build does not know: an encoding, a compression.
  case unsupported(what: String, value: UInt8)
  /// A stored block's checksum is not that of its bytes.
  case checksumMismatch(expected: UInt32, found: UInt32)

  /// What is wrong and where, for a message that names the file.
  public var description: String {
    switch self {
    case .malformed(let offset, let expected): "byte \(offset): expected \(expected)"
    case .unsupported(let what, let value): "\(what) \(value) is not known to this version"
    case .checksumMismatch(let expected, let found):
      "checksum says \(String(expected, radix: 16)), the bytes have \(String(found, radix: 16))"
    }
  }
}

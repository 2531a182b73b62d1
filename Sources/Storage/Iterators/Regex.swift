import CRE2

/// A compiled regular expression of libre2 (Go's syntax, linear time). Matches anywhere in a text unless anchored.
///
/// Safe from several threads: RE2 objects are, once made.
@safe package final class Regex: @unchecked Sendable {
  /// Why a pattern does not compile.
  package struct Failure: Error { package var message: String }

  package let pattern: String
  /// Freed in `deinit`, never changed.
  private let compiled: OpaquePointer

  package init(_ pattern: String) throws(Failure) {
    var message = [CChar](repeating: 0, count: 256)
    let bytes = Array(pattern.utf8)
    // Both arrays outlive the call; the shim ends the message within its capacity.
    let made = unsafe bytes.withUnsafeBytes { text in
      unsafe message.withUnsafeMutableBufferPointer { error in
        unsafe CRE2_compile(
          text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count, error.baseAddress, error.count)
      }
    }
    guard let made = unsafe made else {
      let end = message.firstIndex(of: 0) ?? message.count
      throw Failure(message: String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    self.pattern = pattern
    unsafe compiled = made
  }

  /// From its pattern.
  package convenience init(from decoder: any Decoder) throws {
    try self.init(try decoder.singleValueContainer().decode(String.self))
  }

  deinit { unsafe CRE2_free(compiled) }

  /// Whether it matches anywhere in the text.
  package func matches(_ text: ArraySlice<UInt8>) -> Bool {
    // The slice outlives the call; an empty one may have no address, and RE2 takes that with count 0.
    unsafe text.withUnsafeBytes { bytes in
      unsafe CRE2_matches(compiled, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
  }

  /// Whether it matches anywhere in the text.
  package func matches(_ text: [UInt8]) -> Bool { matches(text[...]) }
}

extension Regex: Codable, Equatable {
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(pattern)
  }

  package static func == (a: Regex, b: Regex) -> Bool { a.pattern == b.pattern }
}

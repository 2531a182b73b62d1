import LineProtocol

/// What stands in front of each file of a tar (ustar, as POSIX has it): 512 bytes. The file follows, filled up with zeros to the next 512,
/// and behind the last one lie two blocks of zeros.
package struct TarHeader: Equatable {
  package static let byteCount = 512
  package var name: String
  /// Bytes of the file, without what fills it up.
  package var fileByteCount: Int
  /// A file, not a folder or a link, or words about the next one.
  package private(set) var isFile = true

  /// - Parameter name: at most 100 bytes.
  package init(name: String, fileByteCount: Int) { (self.name, self.fileByteCount) = (name, fileByteCount) }

  /// Zeros behind a file.
  package static func paddingByteCount(of fileByteCount: Int) -> Int { -fileByteCount & (byteCount - 1) }

  /// What ends a tar.
  package static let end = [UInt8](repeating: 0, count: 2 * byteCount)

  /// Whether a file's first `lookByteCount` bytes are a tar's. One without files is nothing but its end: more zeros may be what is left of
  /// any file.
  package static func begins(_ bytes: [UInt8]) -> Bool { bytes.dropFirst(257).starts(with: magic) || bytes == end }

  package static let lookByteCount = end.count + 1

  // MARK: Bytes

  private static let magic = Array("ustar".utf8)
  private static let checksumRange = 148..<156

  package func encode() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    func put(_ text: String, at offset: Int, countMax: Int) {
      for (index, byte) in text.utf8.prefix(countMax).enumerated() { bytes[offset + index] = byte }
    }
    func put(_ number: Int, digits: Int, at offset: Int) {
      let text = String(number, radix: 8)
      put(String(repeating: "0", count: max(0, digits - text.count)) + text, at: offset, countMax: digits)
    }
    put(name, at: 0, countMax: 100)
    put(0o644, digits: 7, at: 100)
    // Owner and group: of nobody in particular, and 1970, so that the same points are the same bytes.
    put(0, digits: 7, at: 108)
    put(0, digits: 7, at: 116)
    put(fileByteCount, digits: 11, at: 124)
    put(0, digits: 11, at: 136)
    put("0", at: 156, countMax: 1)
    put("ustar\0" + "00", at: 257, countMax: 8)
    put(Self.checksum(bytes[...]), digits: 6, at: Self.checksumRange.lowerBound)
    put("\0 ", at: Self.checksumRange.lowerBound + 6, countMax: 2)
    return bytes
  }

  /// Why 512 bytes are no header.
  package struct Failure: Error, Equatable { package var reason: String }

  package init(decoding bytes: ArraySlice<UInt8>) throws(Failure) {
    let bytes = bytes[bytes.startIndex...]
    func text(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
      bytes.dropFirst(offset).prefix(count).prefix { $0 != 0 }
    }
    func number(_ offset: Int, _ count: Int) -> Int? {
      Int(String(decoding: text(offset, count), as: UTF8.self).trimmed, radix: 8)
    }
    guard bytes.count == Self.byteCount, text(257, 5).elementsEqual(Self.magic) else {
      throw Failure(reason: "expected the header of a file in a tar")
    }
    guard let sum = number(Self.checksumRange.lowerBound, 8), sum == Self.checksum(bytes) else {
      throw Failure(reason: "the checksum of the header of a file in a tar does not hold")
    }
    guard let count = number(124, 12), count >= 0 else {
      throw Failure(reason: "the header of a file in a tar states no length")
    }
    let prefix = text(257 + 5, 1).isEmpty ? text(345, 155) : []
    name = String(decoding: prefix + (prefix.isEmpty ? [] : [UInt8(ascii: "/")]) + text(0, 100), as: UTF8.self)
    fileByteCount = count
    isFile = text(156, 1).isEmpty || text(156, 1).first == UInt8(ascii: "0")
  }

  /// The sum of the bytes, those of the sum itself taken for blanks.
  private static func checksum(_ bytes: ArraySlice<UInt8>) -> Int {
    bytes.enumerated().reduce(0) { $0 + (checksumRange.contains($1.offset) ? 32 : Int($1.element)) }
  }
}

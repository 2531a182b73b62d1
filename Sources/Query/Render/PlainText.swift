/// Copies text that stands for itself in some format, eight bytes at a time.
enum PlainText {
  /// Copies a text of less than eight bytes.
  @inline(__always)
  private static func copyShort(
    _ text: UnsafeRawBufferPointer, to target: UnsafeMutableRawPointer, whereAll marks: (UInt64) -> UInt64
  ) -> Bool {
    // As below.
    if text.count >= 4 {
      let first = unsafe text.loadUnaligned(fromByteOffset: 0, as: UInt32.self)
      let last = unsafe text.loadUnaligned(fromByteOffset: text.count &- 4, as: UInt32.self)
      unsafe target.storeBytes(of: first, as: UInt32.self)
      unsafe target.storeBytes(of: last, toByteOffset: text.count &- 4, as: UInt32.self)
      return marks(UInt64(first) | UInt64(last) &<< 32) == 0
    }
    // The bytes past the end count as letters.
    var word: UInt64 = 0x6161_6161_6161_6161
    for index in 0..<text.count {
      let byte = unsafe text[index]
      word = word &<< 8 | UInt64(byte)
      unsafe target.storeBytes(of: byte, toByteOffset: index, as: UInt8.self)
    }
    return marks(word) == 0
  }

  /// Copies all of a text to where there is room for eight bytes more than it has; `false`, nothing copied to keep, where a byte is marked.
  ///
  /// - Parameter marks: for eight bytes in one word a bit set, of any, where one of them does not stand for itself.
  @inline(__always)
  static func copy(
    _ text: Span<UInt8>, to target: UnsafeMutablePointer<UInt8>, whereAll marks: (UInt64) -> UInt64
  ) -> Bool {
    let target = UnsafeMutableRawPointer(target)
    // Reads lie within the text, writes within the room that the caller made.
    return unsafe text.withUnsafeBytes { text in
      guard text.count >= 8 else { return unsafe copyShort(text, to: target, whereAll: marks) }
      var (at, found) = (0, UInt64(0))
      while at &+ 8 <= text.count {
        let word = unsafe text.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        found |= marks(word)
        unsafe target.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
        at &+= 8
      }
      if at < text.count {
        // The last eight bytes, of which some were seen already.
        let word = unsafe text.loadUnaligned(fromByteOffset: text.count &- 8, as: UInt64.self)
        found |= marks(word)
        unsafe target.storeBytes(of: word, toByteOffset: text.count &- 8, as: UInt64.self)
      }
      return found == 0
    }
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101
  private static let highs: UInt64 = 0x8080_8080_8080_8080

  /// Marks bytes that JSON escapes, and all beyond ASCII.
  @inline(__always)
  static func marks(notPlainInJSON word: UInt64) -> UInt64 {
    equal(word, UInt8(ascii: "\"")) | equal(word, UInt8(ascii: "\\")) | equal(word, UInt8(ascii: "<"))
      | equal(word, UInt8(ascii: ">")) | equal(word, UInt8(ascii: "&")) | (word &- 0x20 &* ones) & ~word & highs
      | word & highs
  }

  /// Marks bytes for which a field of CSV is quoted.
  @inline(__always)
  static func marks(notPlainInCSV word: UInt64) -> UInt64 {
    equal(word, UInt8(ascii: ",")) | equal(word, UInt8(ascii: "\"")) | equal(word, UInt8(ascii: "\n"))
      | equal(word, UInt8(ascii: "\r"))
  }

  /// Marks bytes that are `byte`, and perhaps some behind one that is. Source: H. S. Warren, "Hacker's Delight", 6-1.
  @inline(__always)
  private static func equal(_ word: UInt64, _ byte: UInt8) -> UInt64 {
    let difference = word ^ UInt64(byte) &* ones
    return (difference &- ones) & ~difference & highs
  }
}

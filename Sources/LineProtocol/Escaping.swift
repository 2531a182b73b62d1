internal import CShims

/// How names and strings are written in lines. A backslash counts only before the bytes named; elsewhere it is itself.
enum Escaping {
  static let backslash = UInt8(ascii: "\\")
  static let comma = UInt8(ascii: ",")
  static let equals = UInt8(ascii: "=")
  static let newline = UInt8(ascii: "\n")
  static let quote = UInt8(ascii: "\"")
  static let space = UInt8(ascii: " ")

  /// Blanks that are skipped before a line's parts, as InfluxDB does.
  @inline(__always) static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == 9 || byte == 0 }

  /// A measurement's or a field's name: before `,` `=` space and `"` the backslash goes.
  static func unescapedName(_ bytes: some Collection<UInt8>) -> [UInt8] {
    unescaped(bytes) { $0 == comma || $0 == space || $0 == equals || $0 == quote }
  }

  /// A tag's key or value: before `,` `=` and space the backslash goes.
  static func unescapedTag(_ bytes: some Collection<UInt8>) -> [UInt8] {
    unescaped(bytes) { $0 == comma || $0 == space || $0 == equals }
  }

  @inline(__always) private static func unescaped(
    _ bytes: some Collection<UInt8>, _ isEscapable: (UInt8) -> Bool
  ) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var isPending = false
    for byte in bytes {
      if isPending && !isEscapable(byte) { out.append(backslash) }
      isPending = byte == backslash
      if !isPending { out.append(byte) }
    }
    if isPending { out.append(backslash) }
    return out
  }

  /// Appends a string value's content (what stands between the quotes): before `"` and `\` the backslash goes.
  static func appendUnescapedString(_ bytes: UnsafeBufferPointer<UInt8>, to output: inout Buffer<UInt8>) {
    guard var position = bytes.baseAddress else { return }
    let end = unsafe position + bytes.count
    // Runs without a backslash are copied whole; one that escapes is left out and what follows it begins the next run.
    while true {
      var place = unsafe CShims_findByte(position, end, backslash)
      let isEscape = unsafe end - place > 1 && (place[1] == backslash || place[1] == quote)
      if unsafe !isEscape && place < end { unsafe place += 1 }
      unsafe output.append(contentsOf: UnsafeBufferPointer(start: position, count: place - position))
      if unsafe place == end { return }
      if isEscape {
        output.append(unsafe place[1])
        unsafe place += 2
      }
      unsafe position = place
    }
  }

  /// Whether the bytes are well-formed UTF-8 (RFC 3629).
  @inline(__always) static func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let base = bytes.baseAddress else { return true }
    return unsafe CShims_isASCII(base, base + bytes.count) != 0 || isUTF8Slow(bytes)
  }

  @inline(never) private static func isUTF8Slow(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = 0
    while index < bytes.count {
      let lead = unsafe bytes[index]
      if lead < 0x80 {
        index += 1
        continue
      }
      // Table 3-7 of the Unicode standard: the second byte's range depends on the first.
      let (count, low, high): (Int, UInt8, UInt8)
      switch lead {
      case 0xc2...0xdf: (count, low, high) = (2, 0x80, 0xbf)
      case 0xe0: (count, low, high) = (3, 0xa0, 0xbf)
      case 0xed: (count, low, high) = (3, 0x80, 0x9f)
      case 0xe1...0xef: (count, low, high) = (3, 0x80, 0xbf)
      case 0xf0: (count, low, high) = (4, 0x90, 0xbf)
      case 0xf4: (count, low, high) = (4, 0x80, 0x8f)
      case 0xf1...0xf3: (count, low, high) = (4, 0x80, 0xbf)
      default: return false
      }
      if index + count > bytes.count { return false }
      let second = unsafe bytes[index + 1]
      if second < low || second > high { return false }
      for offset in 2..<max(count, 2) where unsafe bytes[index + offset] & 0xc0 != 0x80 { return false }
      index += count
    }
    return true
  }
}

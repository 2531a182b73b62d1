extension [UInt8] {
  /// Appends a JSON string as Go's encoder writes it: `<`, `>`, `&` and U+2028, U+2029 as `\u….`; bytes that are not UTF-8
  /// become U+FFFD.
  package mutating func appendJSONString(_ text: some Collection<UInt8>) {
    let plain: Void? = text.withContiguousStorageIfAvailable { bytes in
      append(UInt8(ascii: "\""))
      if unsafe bytes.allSatisfy({ isPlainInJSON($0) }) {
        unsafe append(contentsOf: bytes)
      } else {
        unsafe appendJSONEscaped(String(decoding: bytes, as: UTF8.self))
      }
      append(UInt8(ascii: "\""))
    }
    if plain == nil { appendJSONString(Array(text)) }
  }

  /// Appends a JSON string.
  package mutating func appendJSONString(_ text: String) {
    append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ isPlainInJSON($0) }) {
      append(contentsOf: text.utf8)
    } else {
      appendJSONEscaped(text)
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendJSONEscaped(_ text: String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": append(contentsOf: "\\\"".utf8)
      case "\\": append(contentsOf: "\\\\".utf8)
      case "\n": append(contentsOf: "\\n".utf8)
      case "\r": append(contentsOf: "\\r".utf8)
      case "\t": append(contentsOf: "\\t".utf8)
      case "\u{0}"..<"\u{20}", "<", ">", "&", "\u{2028}", "\u{2029}":
        append(contentsOf: "\\u".utf8)
        for shift in [12, 8, 4, 0] {
          let digit = UInt8(truncatingIfNeeded: scalar.value >> UInt32(shift)) & 15
          append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
      default: append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }
}

/// Whether a byte stands for itself in a JSON string. Bytes above ASCII go the slow way, which checks UTF-8.
@inline(__always) private func isPlainInJSON(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): false
  default: byte >= 0x20 && byte < 0x80
  }
}

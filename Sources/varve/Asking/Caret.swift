package import Query

/// The line of the text that a parse error is in, with a caret under its column.
package func caret(under error: QueryParseError, in text: String) -> String {
  let bytes = Array(text.utf8)
  let offset = min(max(error.offset, 0), bytes.count)
  let start = bytes[..<offset].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
  let end = bytes[offset...].firstIndex(of: 0x0a) ?? bytes.count
  let before = String(decoding: bytes[start..<offset], as: UTF8.self).unicodeScalars
  // A tab moves the caret as it moves the text.
  let blanks = String(String.UnicodeScalarView(before.map { $0 == "\t" ? "\t" : " " }))
  return "  \(String(decoding: bytes[start..<end], as: UTF8.self))\n  \(blanks)^"
}

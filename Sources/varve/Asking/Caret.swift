package import Query

/// The line of the text that a parse error is in, with a caret under its column.
package func caret(under error: QueryParseError, in text: String) -> String { caret(at: error.offset, in: text) }

/// The line of the text that a byte is in, with a caret under its column.
private func caret(at offset: Int, in text: String) -> String {
  let bytes = Array(text.utf8)
  let offset = min(max(offset, 0), bytes.count)
  let start = bytes[..<offset].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
  let end = bytes[offset...].firstIndex(of: 0x0a) ?? bytes.count
  let before = String(decoding: bytes[start..<offset], as: UTF8.self).unicodeScalars
  // A tab moves the caret as it moves the text.
  let blanks = String(String.UnicodeScalarView(before.map { $0 == "\t" ? "\t" : " " }))
  return "  \(String(decoding: bytes[start..<end], as: UTF8.self))\n  \(blanks)^"
}

/// Why a statement failed, with the place, its line and a caret where that is known.
package func described(_ error: String, at place: String?, in text: String) -> String {
  guard let place, let offset = offset(named: place, in: text) else { return error }
  return "\(error) at \(place)\n\(caret(at: offset, in: text))"
}

/// The byte that "line 1, char 8" at a message's end names.
func offset(named message: String, in text: String) -> Int? {
  let words = message.split { !($0.isLetter || $0.isNumber) }
  guard words.count >= 4, words[words.count - 4] == "line", words[words.count - 2] == "char",
    let line = Int(words[words.count - 3]), let column = Int(words[words.count - 1])
  else { return nil }
  let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  guard line >= 1, line <= lines.count, column >= 1 else { return nil }
  let before = lines[..<(line - 1)].reduce(0) { $0 + $1.utf8.count + 1 }
  return before + lines[line - 1].unicodeScalars.prefix(column - 1).reduce(0) { $0 + $1.utf8.count }
}

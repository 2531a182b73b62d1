/// Cuts the text of a query into tokens, one at a time, as InfluxQL's specification says.
///
/// The text is bytes; what is not UTF-8 passes as replacement characters.
struct Lexer: Sendable {
  /// A place in the text to come back to: small, and without a hold on the text.
  struct Place: Equatable {
    fileprivate(set) var position = TextPosition()
    /// InfluxDB's reader counts its first look past the end as a character, and its messages show it.
    fileprivate var hasSeenEnd = false
  }

  let text: [UInt8]
  var place = Place()

  private(set) var position: TextPosition {
    get { place.position }
    set { place.position = newValue }
  }

  init(text: [UInt8]) { self.text = text }

  /// The next byte; `nil` at the end.
  var peek: UInt8? { position.offset < text.count ? text[position.offset] : nil }

  private func peek(after count: Int) -> UInt8? {
    position.offset + count < text.count ? text[position.offset + count] : nil
  }

  /// Passes one byte; counts lines and characters.
  private mutating func advance() {
    let byte = text[position.offset]
    position.offset += 1
    if byte == UInt8(ascii: "\n") || (byte == UInt8(ascii: "\r") && peek != UInt8(ascii: "\n")) {
      position.line += 1
      position.character = 1
    } else if byte & 0xc0 != 0x80, byte != UInt8(ascii: "\r") {
      position.character += 1
    }
  }

  /// Passes bytes while they satisfy a condition and returns them.
  private mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = position.offset
    while let byte = peek, condition(byte) { advance() }
    return text[start..<position.offset]
  }

  /// The same for bytes that are each a character of one line.
  private mutating func takeCharacters(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    let start = position.offset
    var end = start
    while end < text.count, condition(text[end]) { end += 1 }
    position.offset = end
    position.character += end - start
    return text[start..<end]
  }

  /// Counts a look past the end, if this is there.
  mutating func noteEnd() {
    if peek == nil, !place.hasSeenEnd {
      place.hasSeenEnd = true
      position.character += 1
    }
  }

  /// The next token, white space and comments among them; `.end` again and again once the text is out.
  mutating func next() -> Token {
    let start = position
    guard let byte = peek else { return Token(kind: .end, text: "", position: start) }
    if Self.isSpace(byte) {
      _ = take(while: Self.isSpace)
      noteEnd()
      return Token(kind: .whitespace, text: " ", position: start)
    }
    if Self.isLetter(byte) || byte == UInt8(ascii: "_") { return word(from: start) }
    if Self.isDigit(byte) { return number(from: start) }
    switch byte {
    case UInt8(ascii: "\""): return quoted(.identifier)
    case UInt8(ascii: "'"): return quoted(.string)
    case UInt8(ascii: "$"): return boundParameter(from: start)
    case UInt8(ascii: "."):
      if let digit = peek(after: 1), Self.isDigit(digit) { return number(from: start) }
      return sign(.dot, length: 1)
    case UInt8(ascii: "-") where peek(after: 1) == UInt8(ascii: "-"):
      _ = take { $0 != UInt8(ascii: "\n") }
      return Token(kind: .comment, text: "", position: start)
    case UInt8(ascii: "/") where peek(after: 1) == UInt8(ascii: "*"): return blockComment(from: start)
    default: return signOrIllegal(byte, from: start)
    }
  }

  private mutating func sign(_ kind: Token.Kind, length: Int) -> Token {
    let start = position
    for _ in 0..<length { advance() }
    return Token(kind: kind, text: "", position: start)
  }

  private mutating func signOrIllegal(_ byte: UInt8, from start: TextPosition) -> Token {
    let following = peek(after: 1)
    switch (byte, following) {
    case (UInt8(ascii: "="), UInt8(ascii: "~")): return sign(.operation(.matches), length: 2)
    case (UInt8(ascii: "!"), UInt8(ascii: "~")): return sign(.operation(.matchesNot), length: 2)
    case (UInt8(ascii: "!"), UInt8(ascii: "=")): return sign(.operation(.notEqual), length: 2)
    case (UInt8(ascii: "<"), UInt8(ascii: ">")): return sign(.operation(.notEqual), length: 2)
    case (UInt8(ascii: "<"), UInt8(ascii: "=")): return sign(.operation(.lessOrEqual), length: 2)
    case (UInt8(ascii: ">"), UInt8(ascii: "=")): return sign(.operation(.greaterOrEqual), length: 2)
    case (UInt8(ascii: ":"), UInt8(ascii: ":")): return sign(.doubleColon, length: 2)
    case (UInt8(ascii: "("), _): return sign(.openParenthesis, length: 1)
    case (UInt8(ascii: ")"), _): return sign(.closeParenthesis, length: 1)
    case (UInt8(ascii: ","), _): return sign(.comma, length: 1)
    case (UInt8(ascii: ";"), _): return sign(.semicolon, length: 1)
    case (UInt8(ascii: ":"), _): return sign(.colon, length: 1)
    default:
      if let single = Operator(sign: byte) {
        return sign(.operation(single), length: 1)
      }
      advance()
      while let more = peek, more & 0xc0 == 0x80 { advance() }
      let shown = String(decoding: text[start.offset..<position.offset], as: UTF8.self)
      return Token(kind: .illegal, text: shown, position: start)
    }
  }

  private mutating func blockComment(from start: TextPosition) -> Token {
    advance()
    advance()
    while let byte = peek {
      if byte == UInt8(ascii: "*"), peek(after: 1) == UInt8(ascii: "/") {
        advance()
        advance()
        return Token(kind: .comment, text: "", position: start)
      }
      advance()
    }
    return Token(kind: .illegal, text: "", position: start)
  }

  private mutating func word(from start: TextPosition) -> Token {
    let bytes = takeCharacters(while: Self.isWordByte)
    noteEnd()
    if let keyword = Keyword(bytes: bytes) {
      return Token(kind: .keyword(keyword), text: "", position: start)
    }
    return Token(kind: .identifier, text: String(decoding: bytes, as: UTF8.self), position: start)
  }

  private mutating func boundParameter(from start: TextPosition) -> Token {
    advance()
    let name: String
    if peek == UInt8(ascii: "\"") {
      let token = quoted(.identifier)
      guard token.kind == .identifier else { return token }
      name = token.text
    } else {
      name = String(decoding: takeCharacters(while: Self.isWordByte), as: UTF8.self)
      noteEnd()
    }
    return Token(kind: .boundParameter, text: "$" + name, position: start)
  }

  /// A quoted name or string; a backslash goes before `n`, a backslash and quotes.
  ///
  /// InfluxDB says one character too few for the place of a string, but not of a name, and so do we.
  private mutating func quoted(_ kind: Token.Kind) -> Token {
    let start = position
    var shifted = start
    shifted.character = max(1, start.character - 1)
    let quote = text[start.offset]
    advance()
    // Most are these alone.
    let plain = takeCharacters { (0x20..<0x80).contains($0) && $0 != quote && $0 != UInt8(ascii: "\\") }
    if peek == quote {
      advance()
      return Token(kind: kind, text: String(decoding: plain, as: UTF8.self), position: kind == .string ? shifted : start)
    }
    var bytes = Array(plain)
    while let byte = peek, byte != UInt8(ascii: "\n") {
      advance()
      if byte == quote {
        let place = kind == .string ? shifted : start
        return Token(kind: kind, text: String(decoding: bytes, as: UTF8.self), position: place)
      }
      guard byte == UInt8(ascii: "\\") else {
        bytes.append(byte)
        continue
      }
      switch peek {
      case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
      case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "'"): bytes.append(text[position.offset])
      default:
        let shown = "\\" + (peek.map { String(UnicodeScalar($0)) } ?? "")
        return Token(kind: .badEscape, text: shown, position: position)
      }
      advance()
    }
    return Token(kind: .badString, text: String(decoding: bytes, as: UTF8.self), position: shifted)
  }

  /// An integer, a number with a point, or a duration.
  private mutating func number(from start: TextPosition) -> Token {
    _ = takeCharacters(while: Self.isDigit)
    var kind = Token.Kind.integer
    var end = position.offset
    if peek == UInt8(ascii: ".") {
      kind = .number
      advance()
      if let digit = peek, Self.isDigit(digit) {
        _ = takeCharacters(while: Self.isDigit)
        end = position.offset
      }
    } else if isUnitByte(peek) {
      kind = .duration
      while isUnitByte(peek) || peek.map(Self.isDigit) == true { advance() }
      end = position.offset
    }
    return Token(kind: kind, text: String(decoding: text[start.offset..<end], as: UTF8.self), position: start)
  }

  /// A letter, or a byte of `µ`.
  private func isUnitByte(_ byte: UInt8?) -> Bool {
    guard let byte else { return false }
    return Self.isLetter(byte) || (byte == 0xc2 && peek(after: 1) == 0xb5) || byte == 0xb5
  }

  /// The regular expression that begins at this `/`, up to the `/` that ends it on the same line; `\/` is a slash,
  /// every other backslash belongs to the expression.
  mutating func regex() -> Token {
    var start = position
    start.character -= 1  // as for strings
    advance()
    var bytes: [UInt8] = []
    while let byte = peek, byte != UInt8(ascii: "\n") {
      advance()
      if byte == UInt8(ascii: "/") {
        return Token(kind: .regex, text: String(decoding: bytes, as: UTF8.self), position: start)
      }
      guard byte == UInt8(ascii: "\\"), let escaped = peek, escaped != UInt8(ascii: "\n") else {
        bytes.append(byte)
        continue
      }
      if escaped != UInt8(ascii: "/") { bytes.append(byte) }
      bytes.append(escaped)
      advance()
    }
    return Token(kind: .illegal, text: "", position: start)
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }
  static func isLetter(_ byte: UInt8) -> Bool { (65...90).contains(byte) || (97...122).contains(byte) }
  static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  static func isWordByte(_ byte: UInt8) -> Bool {
    isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
  }
}

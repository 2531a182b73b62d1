/// The smallest piece of a query's text that means something.
struct Token: Sendable, Equatable {
  enum Kind: Sendable, Equatable {
    case end, whitespace, comment, illegal
    case badString, badEscape
    case identifier, string, number, integer, duration, regex, boundParameter
    case keyword(Keyword)
    case operation(Operator)
    case openParenthesis, closeParenthesis, comma, semicolon, dot, colon, doubleColon
  }
  var kind: Kind
  /// What was read: names and strings unescaped, numbers as written; empty for words and signs.
  var text: String
  var position: TextPosition

  /// Characters of a text that a message shows.
  private static let shownCountMax = 256

  /// As a message names it: "found SELECT".
  var shown: String {
    if !text.isEmpty {
      return text.utf8.count <= Self.shownCountMax ? text : text.prefix(Self.shownCountMax) + "…"
    }
    return switch kind {
    case .end: "EOF"
    case .whitespace: "WS"
    case .comment: "COMMENT"
    case .illegal: "ILLEGAL"
    case .badString: "BADSTRING"
    case .badEscape: "BADESCAPE"
    case .identifier: "IDENT"
    case .string: "STRING"
    case .number: "NUMBER"
    case .integer: "INTEGER"
    case .duration: "DURATIONVAL"
    case .regex: "REGEX"
    case .boundParameter: "BOUNDPARAM"
    case .keyword(let word): word.text
    case .operation(let sign): sign.rawValue
    case .openParenthesis: "("
    case .closeParenthesis: ")"
    case .comma: ","
    case .semicolon: ";"
    case .dot: "."
    case .colon: ":"
    case .doubleColon: "::"
    }
  }
}

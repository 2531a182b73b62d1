extension Parser {
  /// Where a part of a statement stands in a text that parses: where it is met first, or where the statement begins if it is not found
  /// as such, as a name that a wildcard stands for.
  ///
  /// - Parameter index: of the statement, from 0.
  static func place(
    of part: StatementPart, statement index: Int, in text: String, parameters: [String: String]
  ) -> TextPosition? {
    guard let starts = try? starts(of: text, parameters: parameters), index < starts.count else { return nil }
    var lexer = starts[index]
    var begin: TextPosition?
    // Of each parenthesis that is open: whether it is that of an aggregate.
    var open: [Bool] = []
    while true {
      let token = lexer.next()
      if token.kind == .whitespace || token.kind == .comment { continue }
      if token.kind == .end || token.kind == .semicolon { return begin }
      if begin == nil { begin = token.position }
      let isCalled = token.kind == .identifier && lexer.peek == UInt8(ascii: "(")
      if part.is(token, isCalled: isCalled, isInAggregate: open.contains(true)) { return token.position }
      if isCalled {
        open.append(MathFunction(rawValue: token.text.lowercased()) == nil)
        _ = lexer.next()
      } else if token.kind == .openParenthesis {
        open.append(false)
      } else if token.kind == .closeParenthesis {
        _ = open.popLast()
      }
    }
  }
}

extension StatementPart {
  /// Whether it begins with a token.
  fileprivate func `is`(_ token: Token, isCalled: Bool, isInAggregate: Bool) -> Bool {
    switch self {
    case .call("distinct") where token.kind == .keyword(.distinct): true
    case .call(let name): isCalled && token.text.lowercased() == name
    case .name(let name): token.kind == .identifier && !isCalled && token.text == name
    case .looseName(let name): token.kind == .identifier && !isCalled && !isInAggregate && token.text == name
    case .clause(let word): token.kind == .keyword(word)
    }
  }
}

extension Parser {
  /// Where a part of a statement stands in a text that parses: where it is met first on its level, or where that level begins if it is not
  /// found as such, as a name that a wildcard stands for.
  ///
  /// - Parameters:
  ///   - index: of the statement, from 0.
  ///   - levels: of the subquery that it is a part of, the number among its neighbours on each level, outermost first; empty: the statement.
  static func place(
    of part: StatementPart, levels: [Int], statement index: Int, in text: String, parameters: [String: String]
  ) -> TextPosition? {
    guard var lexer = try? lexer(of: text, parameters: parameters, atStatement: index) else { return nil }
    var begin: TextPosition?
    var nesting = StatementNesting()
    while true {
      let token = lexer.next()
      if token.kind == .whitespace || token.kind == .comment { continue }
      if token.kind == .end || token.kind == .semicolon { return begin }
      let isCalled = token.kind == .identifier && lexer.peek == UInt8(ascii: "(")
      if nesting.levels == levels {
        if begin == nil { begin = token.position }
        if part.is(token, isCalled: isCalled, nesting) { return token.position }
      }
      nesting.take(token, isCalled: isCalled, isBeforeSelect: lexer.isBeforeSelect)
      if isCalled { _ = lexer.next() }
    }
  }
}

extension Lexer {
  /// Whether what comes next begins a `SELECT`.
  fileprivate var isBeforeSelect: Bool {
    var lexer = self
    while true {
      let kind = lexer.next().kind
      if kind != .whitespace, kind != .comment { return kind == .keyword(.select) }
    }
  }
}

/// The parentheses that are open at a token of a statement, and the subqueries around it.
private struct StatementNesting {
  private enum Parenthesis { case aggregate, subquery, other }

  private var open: [Parenthesis] = []
  /// See `Parser.place`.
  private(set) var levels: [Int] = []
  /// Subqueries so far, and whether `FROM` or `ON` was seen, of the statement and each subquery around the token.
  private var around: [(subqueryCount: Int, isBehindFrom: Bool)] = [(0, false)]

  /// Whether an aggregate's parenthesis is open in the innermost `SELECT`.
  var isInAggregate: Bool {
    for parenthesis in open.reversed() {
      if parenthesis == .aggregate { return true }
      if parenthesis == .subquery { return false }
    }
    return false
  }

  /// Whether names are those of databases, policies and measurements.
  var isBehindFrom: Bool { around[around.count - 1].isBehindFrom }

  mutating func take(_ token: Token, isCalled: Bool, isBeforeSelect: @autoclosure () -> Bool) {
    switch token.kind {
    case .keyword(.from), .keyword(.on): around[around.count - 1].isBehindFrom = true
    case .keyword(.where), .keyword(.group): around[around.count - 1].isBehindFrom = false
    case .identifier where isCalled:
      open.append(MathFunction(rawValue: token.text.lowercased()) == nil ? .aggregate : .other)
    case .openParenthesis where isBeforeSelect():
      open.append(.subquery)
      levels.append(around[around.count - 1].subqueryCount)
      around[around.count - 1].subqueryCount += 1
      around.append((0, false))
    case .openParenthesis: open.append(.other)
    case .closeParenthesis:
      guard open.popLast() == .subquery else { return }
      levels.removeLast()
      around.removeLast()
    default: break
    }
  }
}

extension StatementPart {
  /// Whether it begins with a token.
  fileprivate func `is`(_ token: Token, isCalled: Bool, _ nesting: StatementNesting) -> Bool {
    switch self {
    case .call("distinct") where token.kind == .keyword(.distinct): return true
    case .call(let name): return isCalled && token.text.lowercased() == name
    case .clause(let word): return token.kind == .keyword(word)
    case .name(let name), .looseName(let name), .place(let name):
      guard token.kind == .identifier, !isCalled, token.text == name else { return false }
      if case .looseName = self { return !nesting.isInAggregate }
      if case .place = self { return nesting.isBehindFrom }
      return true
    }
  }
}

import Storage

extension Parser {
  /// An expression of any operators.
  mutating func expression() throws(QueryParseError) -> Expression { try expression(above: 0) }

  /// An expression of operators that bind tighter than `precedence`, by precedence climbing.
  private mutating func expression(above precedence: Int) throws(QueryParseError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    try checkDepth()
    var left = try operand()
    // Terms of one chain are gathered here: taken out of a node and put back they would be copied each time.
    var chain: (sign: Operator, terms: [Expression])?
    var operatorCount = 0
    while true {
      let start = lexer.place
      let token = next()
      guard case .operation(let sign) = Self.asOperator(token), sign.precedence > precedence else {
        lexer.place = start
        return chain.map { .chain($0.sign, $0.terms) } ?? left
      }
      let right = sign.takesRegex ? try requiredRegex() : try expression(above: sign.precedence)
      if sign == .and || sign == .or {
        if chain?.sign == sign {
          chain?.terms.append(right)
        } else {
          chain = (sign, [chain.map { .chain($0.sign, $0.terms) } ?? left, right])
        }
      } else {
        operatorCount += 1
        guard operatorCount < Self.depthMax else { throw tooDeep(token) }
        left = .binary(sign, chain.map { .chain($0.sign, $0.terms) } ?? left, right)
        chain = nil
      }
    }
  }

  private static func asOperator(_ token: Token) -> Token.Kind {
    switch token.kind {
    case .keyword(.and): .operation(.and)
    case .keyword(.or): .operation(.or)
    default: token.kind
    }
  }

  private func checkDepth() throws(QueryParseError) {
    guard depth <= Self.depthMax else {
      throw failure("expression nested more than \(Self.depthMax) levels deep", at: lexer.position)
    }
  }

  private func tooDeep(_ token: Token) -> QueryParseError {
    failure("more than \(Self.depthMax) operators in a row", at: token.position)
  }

  /// An expression without an operator around it.
  private mutating func operand() throws(QueryParseError) -> Expression {
    let start = lexer.place
    let token = next()
    try countOperand(token)
    switch token.kind {
    case .openParenthesis:
      let inner = try expression()
      try expect(.closeParenthesis, ")")
      return .parenthesis(inner)
    case .identifier:
      if lexer.peek == UInt8(ascii: "(") {
        _ = scan()
        return try call(token.text.lowercased())
      }
      lexer.place = start
      return try reference()
    case .keyword(.distinct): return try distinct()
    case .string: return .string(token.text)
    case .number:
      guard let value = Double(token.text) else {
        throw failure("unable to parse number", at: token.position)
      }
      return .number(value)
    case .integer:
      if let value = Int64(token.text) { return .integer(value) }
      if let value = UInt64(token.text) { return .unsigned(value) }
      throw failure("unable to parse integer", at: token.position)
    case .keyword(.true): return .boolean(true)
    case .keyword(.false): return .boolean(false)
    case .duration:
      if takesMonths, let count = DurationLiteral.parseMonths(token.text) { return .months(count) }
      return .duration(try nanoseconds(of: token))
    case .regex: return .regex(try checkedRegex(token))
    case .operation(.multiply): return .wildcard(try wildcardCast())
    case .boundParameter: throw missingParameter(token)
    case .operation(.add): return try signed(1)
    case .operation(.subtract): return try signed(-1)
    default: throw failure(token, expected: ["identifier", "string", "number", "bool"])
    }
  }

  private func missingParameter(_ token: Token) -> QueryParseError {
    let name = String(token.text.dropFirst())
    if name.isEmpty { return plainFailure("empty bound parameter", token) }
    guard let value = parameters[name] else { return plainFailure("missing parameter: \(name)", token) }
    return plainFailure("parameter \(name) is no literal: \(value)", token)
  }

  /// What follows a sign: a literal takes it in, anything else is multiplied.
  private mutating func signed(_ factor: Int64) throws(QueryParseError) -> Expression {
    let start = lexer.place
    let token = next()
    switch token.kind {
    case .number, .integer, .duration, .openParenthesis, .identifier: break
    default: throw failure(token, expected: ["identifier", "number", "duration", "("])
    }
    lexer.place = start
    depth += 1
    defer { depth -= 1 }
    try checkDepth()
    switch try operand() {
    case .number(let value): return .number(value * Double(factor))
    case .integer(let value): return .integer(value &* factor)
    case .duration(let value): return .duration(value &* factor)
    case .unsigned(let value):
      if factor > 0 { return .unsigned(value) }
      if value == 1 << 63 { return .integer(.min) }
      throw plainFailure("constant -\(value) underflows int64", token)
    case let other: return .binary(.multiply, .integer(factor), other)
    }
  }

  private mutating func wildcardCast() throws(QueryParseError) -> Cast? {
    guard takeDirect(.doubleColon) else { return nil }
    let token = scan()
    switch token.kind {
    case .keyword(.field): return .field
    case .keyword(.tag): return .tag
    default: throw failure(token, expected: ["field", "tag"])
    }
  }

  /// Takes the very next token, without white space before it, if it is of this kind.
  private mutating func takeDirect(_ kind: Token.Kind) -> Bool {
    let start = lexer.place
    if scan().kind == kind { return true }
    lexer.place = start
    return false
  }

  private mutating func distinct() throws(QueryParseError) -> Expression {
    let token = scan()
    if token.kind == .openParenthesis { return try call("distinct") }
    guard token.kind == .whitespace else { throw failure(token, expected: ["(", "identifier"]) }
    return .distinct(try name())
  }

  /// A name of up to three segments, with its cast.
  private mutating func reference() throws(QueryParseError) -> Expression {
    let name = try segments().joined(separator: ".")
    guard takeDirect(.doubleColon) else { return .reference(name, nil) }
    let token = scan()
    var names = ["float", "integer", "string", "boolean", "field", "tag"]
    switch token.kind {
    case .keyword(.field): return .reference(name, .field)
    case .keyword(.tag): return .reference(name, .tag)
    case .identifier:
      if let cast = Cast(rawValue: token.text.lowercased()), cast != .field, cast != .tag {
        return .reference(name, cast)
      }
      names.insert("unsigned", at: 2)
    default: break
    }
    throw failure(token, expected: names)
  }

  /// Names joined by dots; one may be left out in the middle: `"db".."m"`. Stops before a regular expression.
  mutating func segments() throws(QueryParseError) -> [String] {
    let start = lexer.position
    var names = [try name()]
    while takeDirect(.dot) {
      if lexer.peek == UInt8(ascii: "/") || lexer.peek == UInt8(ascii: ":") { break }
      if lexer.peek == UInt8(ascii: ".") {
        names.append("")
        continue
      }
      names.append(try name())
    }
    guard names.count <= 3 else {
      let shown = names.enumerated().map { index, name in
        index + 1 < names.count ? "\"\(name)\"" : Expression.quoteName(name)
      }
      throw plainFailure("too many segments in \(shown.joined(separator: ".")) at line 1, char 1", start)
    }
    return names
  }

  /// The arguments of a call, after its `(`.
  private mutating func call(_ name: String) throws(QueryParseError) -> Expression {
    depth += 1
    defer { depth -= 1 }
    try checkDepth()
    if take(.closeParenthesis) { return .call(name, []) }
    var arguments: [Expression] = []
    repeat {
      try checkRoom(arguments.count, "arguments")
      if let pattern = try optionalRegex() {
        arguments.append(.regex(pattern))
      } else {
        arguments.append(try expression())
      }
    } while take(.comma)
    try expect(.closeParenthesis, ")")
    return .call(name, arguments)
  }

  // MARK: Regular expressions

  /// The pattern of a regular expression if one comes next.
  mutating func optionalRegex() throws(QueryParseError) -> String? {
    let start = lexer.place
    skipBlanks()
    if lexer.peek == UInt8(ascii: "$") {
      let token = scan()
      if token.kind == .regex { return try checkedRegex(token) }
    } else if lexer.peek == UInt8(ascii: "/") {
      let token = lexer.regex()
      guard token.kind == .regex else { throw failure("bad regex: ", at: token.position) }
      return try checkedRegex(token)
    }
    lexer.place = start
    lexer.noteEnd()
    return nil
  }

  /// Passes white space and comments, so that the slash of a comment is none of a regular expression.
  private mutating func skipBlanks() {
    // Nothing else begins one.
    while let byte = lexer.peek, Lexer.isSpace(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "/") {
      let start = lexer.place
      let kind = lexer.next().kind
      if kind != .whitespace, kind != .comment {
        lexer.place = start
        return
      }
    }
  }

  private mutating func requiredRegex() throws(QueryParseError) -> Expression {
    if let pattern = try optionalRegex() { return .regex(pattern) }
    throw failure(next(), expected: ["regex"])
  }

  private mutating func checkedRegex(_ token: Token) throws(QueryParseError) -> String {
    let cost = RegexCost(of: token.text)
    regexCost += cost.value
    guard regexCost <= RegexCost.max else { throw failure(cost.refusal(of: regexCost), at: token.position) }
    do throws(Regex.Failure) { _ = try Regex(token.text) } catch {
      throw failure("error parsing regexp: \(error.goMessage)", at: token.position)
    }
    return token.text
  }
}

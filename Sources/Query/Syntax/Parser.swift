/// Makes statements of the text of a query: recursive descent over the lexer's tokens, by the grammar and with the
/// messages of InfluxDB.
///
/// Bounds: the length of the text, of its lists and of regular expressions in it, so that none costs more than milliseconds before it is refused;
/// and the nesting of expressions, so that none overflows the stack.
struct Parser {
  /// Bytes that a text may have.
  static let byteCountMax = 4 << 20
  /// Levels of parentheses, calls, operators and subqueries.
  static let depthMax = 1_000
  static let subqueryDepthMax = 50
  /// Statements of a text; columns, sources, dimensions and arguments, in each list of them.
  static let listCountMax = 10_000
  /// Names, values and calls of one statement: comparisons with 60,000 values, less the columns.
  static let operandCountMax = 120_000
  /// Those among the columns of one `SELECT`: each is read.
  static let columnOperandCountMax = 20_000

  /// Where the next token begins.
  var lexer: Lexer
  /// What `next` gave last, with the places before and behind it: a token is looked at for each thing that it might begin.
  private var known: (before: Lexer.Place, token: Token, behind: Lexer.Place)?
  /// Bind parameters, each the text of one literal.
  let parameters: [String: String]
  var depth = 0
  var subqueryDepth = 0
  /// Names, values and calls of the statement so far, and how many there may be where it is.
  var operandCount = 0
  var operandCountMax = operandCountMax
  /// Of the regular expressions so far: each is compiled, which takes far longer than to read it.
  var regexCost = 0
  /// Before each statement so far.
  private var starts: [Lexer.Place] = []
  /// Whether `1mo` and `1y` are durations where it is: in `GROUP BY` alone.
  var takesMonths = false

  private init(text: String, parameters: [String: String]) {
    lexer = Lexer(text: Array(text.utf8))
    self.parameters = parameters
  }

  /// The statements of a text; none if it is blank.
  static func parse(_ text: String, parameters: [String: String] = [:]) throws(QueryParseError) -> [Statement]
  {
    var parser = try Parser(checking: text, parameters: parameters)
    return try parser.statements()
  }

  /// A lexer before a statement of a text; `nil` if it has not so many.
  static func lexer(
    of text: String, parameters: [String: String], atStatement index: Int
  ) throws(QueryParseError) -> Lexer? {
    var parser = try Parser(checking: text, parameters: parameters)
    _ = try parser.statements()
    guard index < parser.starts.count else { return nil }
    parser.lexer.place = parser.starts[index]
    return parser.lexer
  }

  /// A condition alone: what may stand behind `WHERE`.
  static func parseCondition(_ text: String) throws(QueryParseError) -> Expression {
    var parser = try Parser(checking: text, parameters: [:])
    let condition = try parser.expression()
    let token = parser.next()
    guard token.kind == .end else { throw parser.failure(token, expected: ["EOF"]) }
    return condition
  }

  private init(checking text: String, parameters: [String: String]) throws(QueryParseError) {
    guard text.utf8.count <= Self.byteCountMax else {
      throw QueryParseError(
        message: "error parsing query: text of \(text.utf8.count) bytes, at most \(Self.byteCountMax) are taken",
        offset: 0, place: TextPosition().description)
    }
    self.init(text: text, parameters: parameters)
  }

  private mutating func statements() throws(QueryParseError) -> [Statement] {
    var found: [Statement] = []
    var isSeparated = true
    var separatorCount = 0
    while true {
      let start = lexer.place
      let token = next()
      switch token.kind {
      case .end: return found
      case .semicolon:
        isSeparated = true
        try checkRoom(separatorCount, "statements")
        separatorCount += 1
      default:
        guard isSeparated else { throw failure(token, expected: [";"]) }
        lexer.place = start
        starts.append(start)
        operandCount = 0
        found.append(try statement())
        isSeparated = false
      }
    }
  }

  // MARK: Tokens

  /// The next token as it stands, white space too; a bind parameter is replaced by its value.
  mutating func scan() -> Token {
    let token = lexer.next()
    guard token.kind == .boundParameter, let value = parameters[String(token.text.dropFirst())] else {
      return token
    }
    var inner = Lexer(text: Array(value.utf8))
    var replacement = value.hasPrefix("/") ? inner.regex() : inner.next()
    if replacement.kind == .operation(.subtract) {
      replacement = inner.next()
      replacement.text = "-" + replacement.text
    }
    guard inner.next().kind == .end else { return token }
    replacement.position = token.position
    return replacement
  }

  /// The next token that is neither white space nor a comment.
  mutating func next() -> Token {
    if let known, known.before == lexer.place {
      lexer.place = known.behind
      return known.token
    }
    let before = lexer.place
    while true {
      let token = scan()
      if token.kind == .whitespace || token.kind == .comment { continue }
      known = (before, token, lexer.place)
      return token
    }
  }

  /// Takes the next token if it is of this kind.
  mutating func take(_ kind: Token.Kind) -> Bool {
    let start = lexer.place
    if next().kind == kind { return true }
    lexer.place = start
    return false
  }

  mutating func take(_ word: Keyword) -> Bool { take(.keyword(word)) }

  /// Takes a token of this kind or fails.
  mutating func expect(_ kind: Token.Kind, _ name: String) throws(QueryParseError) {
    let token = next()
    guard token.kind == kind else { throw failure(token, expected: [name]) }
  }

  mutating func expect(_ words: Keyword...) throws(QueryParseError) {
    for word in words { try expect(.keyword(word), word.text) }
  }

  mutating func name() throws(QueryParseError) -> String {
    let token = next()
    guard token.kind == .identifier else { throw failure(token, expected: ["identifier"]) }
    return token.text
  }

  mutating func string() throws(QueryParseError) -> String {
    let token = next()
    guard token.kind == .string else { throw failure(token, expected: ["string"]) }
    return token.text
  }

  /// A duration in nanoseconds; `INF` is 0.
  mutating func duration() throws(QueryParseError) -> Int64 {
    let token = next()
    if token.kind == .keyword(.inf) { return 0 }
    guard token.kind == .duration else { throw failure(token, expected: ["duration"]) }
    return try nanoseconds(of: token)
  }

  /// The value of a duration token.
  func nanoseconds(of token: Token) throws(QueryParseError) -> Int64 {
    do throws(DurationLiteral.Failure) { return try DurationLiteral.parse(token.text) } catch {
      switch error {
      case .invalid: throw plainFailure("invalid duration", token)
      case .overflow(let part):
        throw plainFailure("overflowed duration \(part): choose a smaller duration or INF", token)
      }
    }
  }

  /// A number without a sign, of a query or a shard.
  mutating func number() throws(QueryParseError) -> Int64 {
    let token = next()
    guard token.kind == .integer else { throw failure(token, expected: ["integer"]) }
    guard let value = Int64(token.text) else { throw failure("unable to parse integer", at: token.position) }
    return value
  }

  /// The number after a word such as `LIMIT`; 0 if the word is not there.
  mutating func count(after word: Keyword) throws(QueryParseError) -> Int {
    guard take(word) else { return 0 }
    let token = next()
    guard token.kind == .integer else { throw failure(token, expected: ["integer"]) }
    return Int(token.text) ?? Int.max
  }

  // MARK: Bounds

  /// Refuses one more of a list that has as many as are taken.
  func checkRoom(_ count: Int, _ what: String) throws(QueryParseError) {
    guard count < Self.listCountMax else {
      throw failure("more than \(Self.listCountMax) \(what)", at: lexer.position)
    }
  }

  /// Counts a name, a value or a call.
  mutating func countOperand(_ token: Token) throws(QueryParseError) {
    operandCount += 1
    guard operandCount <= operandCountMax else {
      throw failure("more than \(operandCountMax) names and values", at: token.position)
    }
  }

  // MARK: Errors

  /// "found X, expected A, B at line 1, char 5".
  func failure(_ token: Token, expected: [String]) -> QueryParseError {
    failure("found \(token.shown), expected \(expected.joined(separator: ", "))", at: token.position)
  }

  /// A message with the place.
  func failure(_ message: String, at position: TextPosition) -> QueryParseError {
    plainFailure("\(message) at \(position)", position)
  }

  /// A message without the place, as InfluxDB has some.
  func plainFailure(_ message: String, _ token: Token) -> QueryParseError {
    plainFailure(message, token.position)
  }

  func plainFailure(_ message: String, _ position: TextPosition) -> QueryParseError {
    QueryParseError(
      message: "error parsing query: \(message)", offset: min(position.offset, lexer.text.count),
      place: position.description)
  }
}

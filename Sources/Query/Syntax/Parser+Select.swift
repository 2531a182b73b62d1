extension Parser {
  /// A `SELECT`, after that word.
  mutating func select(isSubquery: Bool = false) throws(QueryParseError) -> SelectStatement {
    var statement = SelectStatement()
    statement.fields = try fields()
    if !isSubquery, take(.into) { statement.target = try target() }
    try expect(.from)
    statement.sources = try sources()
    statement.condition = try condition()
    statement.dimensions = try dimensions()
    statement.fill = try fill()
    statement.isDescending = try order()
    statement.limit = try count(after: .limit)
    statement.offset = try count(after: .offset)
    statement.seriesLimit = try count(after: .slimit)
    statement.seriesOffset = try count(after: .soffset)
    statement.timeZone = try timeZone()
    return statement
  }

  private mutating func fields() throws(QueryParseError) -> [SelectedField] {
    var fields: [SelectedField] = []
    let others = operandCountMax
    operandCountMax = min(others, operandCount + Self.columnOperandCountMax)
    defer { operandCountMax = others }
    repeat {
      try checkRoom(fields.count, "columns")
      var field: SelectedField
      if let pattern = try optionalRegex() {
        field = SelectedField(expression: .regex(pattern))
      } else {
        let start = lexer.place
        let place = next().position
        lexer.place = start
        field = SelectedField(expression: try expression())
        if let sign = field.expression.firstConditionOperator {
          throw plainFailure(
            "invalid operator \(sign.rawValue) in SELECT clause at line \(place.line), char \(place.character); "
              + "operator is intended for WHERE clause", place)
        }
      }
      if take(.as) { field.alias = try name() }
      fields.append(field)
    } while take(.comma)
    return fields
  }

  // MARK: Sources

  private mutating func sources() throws(QueryParseError) -> [Source] {
    var found: [Source] = []
    repeat {
      try checkRoom(found.count, "sources")
      found.append(try source())
    } while take(.comma)
    return found
  }

  /// Measurements, without subqueries.
  mutating func measurements() throws(QueryParseError) -> [MeasurementSource] {
    var found: [MeasurementSource] = []
    repeat {
      try checkRoom(found.count, "sources")
      found.append(try measurement())
    } while take(.comma)
    return found
  }

  private mutating func source() throws(QueryParseError) -> Source {
    guard take(.openParenthesis) else { return .measurement(try measurement()) }
    subqueryDepth += 1
    defer { subqueryDepth -= 1 }
    guard subqueryDepth <= Self.subqueryDepthMax else {
      throw failure("subqueries nested more than \(Self.subqueryDepthMax) levels deep", at: lexer.position)
    }
    try expect(.select)
    let inner = try select(isSubquery: true)
    try expect(.closeParenthesis, ")")
    return .subquery(inner)
  }

  mutating func measurement() throws(QueryParseError) -> MeasurementSource {
    if let pattern = try optionalRegex() { return MeasurementSource(regex: pattern) }
    let names = try segments()
    if names.count == 3 { return MeasurementSource(database: names[0], policy: names[1], name: names[2]) }
    try refuseRegexApart()
    // After `"db"."rp".` comes a name or a regular expression.
    if lexer.position.offset > 0, lexer.text[lexer.position.offset - 1] == UInt8(ascii: "."),
      let pattern = try optionalRegex()
    {
      return names.count == 1
        ? MeasurementSource(policy: names[0], regex: pattern)
        : MeasurementSource(database: names[0], policy: names[1], regex: pattern)
    }
    return names.count == 1
      ? MeasurementSource(name: names[0]) : MeasurementSource(policy: names[0], name: names[1])
  }

  /// A `/` behind a name and a blank begins nothing. InfluxDB then asks for a regular expression and finds the blank.
  private mutating func refuseRegexApart() throws(QueryParseError) {
    let start = lexer.place
    let token = scan()
    if token.kind == .whitespace, lexer.peek == UInt8(ascii: "/"), scan().kind == .operation(.divide) {
      throw failure("found  , expected regex", at: token.position)
    }
    lexer.place = start
  }

  // MARK: Clauses

  mutating func condition() throws(QueryParseError) -> Expression? {
    take(.where) ? try expression() : nil
  }

  mutating func dimensions() throws(QueryParseError) -> [Expression] {
    guard take(.group) else { return [] }
    try expect(.by)
    takesMonths = true
    defer { takesMonths = false }
    var found: [Expression] = []
    repeat {
      try checkRoom(found.count, "dimensions")
      if let pattern = try optionalRegex() {
        found.append(.regex(pattern))
      } else {
        found.append(try expression())
      }
    } while take(.comma)
    return found
  }

  /// The single argument of `fill(…)` or `tz(…)` if that call comes next.
  private mutating func clause(_ name: String) throws(QueryParseError) -> (arguments: [Expression], Token)? {
    let start = lexer.place
    let token = next()
    lexer.place = start
    guard token.kind == .identifier, token.text.lowercased() == name else { return nil }
    guard case .call(_, let arguments) = try expression() else {
      throw plainFailure("\(name) must be a function call", token)
    }
    return (arguments, token)
  }

  private mutating func fill() throws(QueryParseError) -> Fill {
    guard let (arguments, token) = try clause("fill") else { return .null }
    guard arguments.count == 1 else {
      throw plainFailure("fill requires an argument, e.g.: 0, null, none, previous, linear", token)
    }
    switch arguments[0] {
    case .reference("null", nil): return .null
    case .reference("none", nil): return .none
    case .reference("previous", nil): return .previous
    case .reference("linear", nil): return .linear
    case .integer, .number: return .value(arguments[0])
    default: throw plainFailure("expected number argument in fill()", token)
    }
  }

  private mutating func timeZone() throws(QueryParseError) -> String {
    guard let (arguments, token) = try clause("tz") else { return "" }
    guard arguments.count == 1 else { throw plainFailure("tz requires exactly one argument", token) }
    guard case .string(let name) = arguments[0] else {
      throw plainFailure("expected string argument in tz()", token)
    }
    guard TimeZoneRules.load(name) != nil else {
      throw plainFailure("unable to find time zone \(name)", token)
    }
    return name
  }

  /// `ORDER BY time [ASC | DESC]`: whether it is descending.
  mutating func order() throws(QueryParseError) -> Bool {
    guard take(.order) else { return false }
    try expect(.by)
    let token = next()
    var isDescending = token.kind == .keyword(.desc)
    switch token.kind {
    case .keyword(.asc), .keyword(.desc): break
    case .identifier:
      guard token.text == "time" else { throw onlyTime(token) }
      if take(.desc) { isDescending = true } else { _ = take(.asc) }
    default: throw failure(token, expected: ["identifier", "ASC", "DESC"])
    }
    if take(.comma) {
      let second = next()
      guard second.kind == .identifier else { throw failure(second, expected: ["identifier"]) }
      throw onlyTime(token)
    }
    return isDescending
  }

  private func onlyTime(_ token: Token) -> QueryParseError {
    plainFailure("only ORDER BY time supported at this time", token)
  }
}

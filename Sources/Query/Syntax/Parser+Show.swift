extension Parser {
  private static let showWords = [
    "CONTINUOUS", "DATABASES", "DIAGNOSTICS", "FIELD", "GRANTS", "MEASUREMENT", "MEASUREMENTS", "QUERIES",
    "RETENTION", "SERIES", "SHARD", "SHARDS", "STATS", "SUBSCRIPTIONS", "TAG", "USERS",
  ]

  /// A `SHOW`, after that word.
  mutating func show() throws(QueryParseError) -> ShowStatement {
    var statement = ShowStatement(.databases)
    (statement.kind, statement.isExact) = try showKind()
    switch statement.kind {
    case .databases, .users, .queries, .continuousQueries, .subscriptions, .shards, .shardGroups:
      return statement
    case .stats, .diagnostics:
      if take(.for) { statement.subject = try string() }
      return statement
    case .grants:
      try expect(.for)
      statement.subject = try name()
      return statement
    default: break
    }
    if take(.on) { statement.database = try name() }
    if statement.kind == .retentionPolicies { return statement }
    if statement.kind == .measurements {
      if take(.with) { statement.measurement = try withMeasurement() }
    } else if take(.from) {
      statement.sources = try measurements()
    }
    try showClauses(of: &statement)
    return statement
  }

  private mutating func showClauses(of statement: inout ShowStatement) throws(QueryParseError) {
    switch statement.kind {
    case .tagValues, .tagValuesCardinality: statement.key = try keyCondition()
    case .tagKeys:
      let start = lexer.place
      if take(.with) {
        lexer.place = start
        statement.key = try keyCondition()
      }
    default: break
    }
    if statement.kind != .fieldKeys { statement.condition = try condition() }
    switch statement.kind {
    case .seriesCardinality, .measurementCardinality, .tagKeyCardinality, .tagValuesCardinality,
      .fieldKeyCardinality:
      statement.dimensions = try dimensions()
    default: _ = try order()
    }
    statement.limit = try count(after: .limit)
    statement.offset = try count(after: .offset)
    if statement.kind == .tagKeys {
      statement.seriesLimit = try count(after: .slimit)
      statement.seriesOffset = try count(after: .soffset)
    }
  }

  private mutating func showKind() throws(QueryParseError) -> (ShowStatement.Kind, isExact: Bool) {
    let token = next()
    switch token.kind {
    case .keyword(.databases): return (.databases, false)
    case .keyword(.diagnostics): return (.diagnostics, false)
    case .keyword(.measurements): return (.measurements, false)
    case .keyword(.queries): return (.queries, false)
    case .keyword(.shards): return (.shards, false)
    case .keyword(.stats): return (.stats, false)
    case .keyword(.subscriptions): return (.subscriptions, false)
    case .keyword(.users): return (.users, false)
    case .keyword(.grants): return (.grants, false)
    case .keyword(.continuous):
      try expect(.queries)
      return (.continuousQueries, false)
    case .keyword(.retention):
      try expect(.policies)
      return (.retentionPolicies, false)
    case .keyword(.shard):
      try expect(.groups)
      return (.shardGroups, false)
    case .keyword(.measurement): return (.measurementCardinality, try exactCardinality())
    case .keyword(.series): return try seriesKind()
    case .keyword(.field): return try fieldKind()
    case .keyword(.tag): return try tagKind()
    default: throw failure(token, expected: Self.showWords)
    }
  }

  /// `[EXACT] CARDINALITY`: whether exact.
  private mutating func exactCardinality() throws(QueryParseError) -> Bool {
    let token = next()
    switch token.kind {
    case .keyword(.cardinality): return false
    case .keyword(.exact):
      try expect(.cardinality)
      return true
    default: throw failure(token, expected: ["EXACT", "CARDINALITY"])
    }
  }

  private mutating func seriesKind() throws(QueryParseError) -> (ShowStatement.Kind, isExact: Bool) {
    if take(.cardinality) { return (.seriesCardinality, false) }
    guard take(.exact) else { return (.series, false) }
    try expect(.cardinality)
    return (.seriesCardinality, true)
  }

  private mutating func fieldKind() throws(QueryParseError) -> (ShowStatement.Kind, isExact: Bool) {
    let token = next()
    switch token.kind {
    case .keyword(.keys): return (.fieldKeys, false)
    case .keyword(.key): return (.fieldKeyCardinality, try exactCardinality())
    default: throw failure(token, expected: ["KEY", "KEYS"])
    }
  }

  private mutating func tagKind() throws(QueryParseError) -> (ShowStatement.Kind, isExact: Bool) {
    let token = next()
    switch token.kind {
    case .keyword(.keys): return (.tagKeys, false)
    case .keyword(.key): return (.tagKeyCardinality, try exactCardinality())
    case .keyword(.values):
      if take(.cardinality) { return (.tagValuesCardinality, false) }
      guard take(.exact) else { return (.tagValues, false) }
      try expect(.cardinality)
      return (.tagValuesCardinality, true)
    default: throw failure(token, expected: ["KEY", "KEYS", "VALUES"])
    }
  }

  private mutating func withMeasurement() throws(QueryParseError) -> MeasurementSource {
    try expect(.measurement)
    let token = next()
    guard token.kind == .operation(.equal) || token.kind == .operation(.matches) else {
      throw failure(token, expected: ["=", "=~"])
    }
    return try measurement()
  }

  private mutating func keyCondition() throws(QueryParseError) -> ShowStatement.KeyCondition {
    try expect(.with, .key)
    let token = next()
    switch token.kind {
    case .keyword(.in):
      try expect(.openParenthesis, "(")
      var names: [String] = []
      repeat {
        try checkRoom(names.count, "keys")
        names.append(try name())
      } while take(.comma)
      try expect(.closeParenthesis, ")")
      return .oneOf(names)
    case .operation(.equal): return .equal(try name())
    case .operation(.notEqual): return .notEqual(try name())
    case .operation(.matches), .operation(.matchesNot):
      guard let pattern = try optionalRegex() else { throw failure(next(), expected: ["regex"]) }
      return token.kind == .operation(.matches) ? .matches(pattern) : .matchesNot(pattern)
    default: throw failure(token, expected: ["IN", "=", "=~"])
    }
  }
}

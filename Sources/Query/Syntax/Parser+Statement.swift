extension Parser {
  private static let words = [
    "SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE", "ALTER", "SET", "KILL",
  ]

  /// One statement of any kind.
  mutating func statement() throws(QueryParseError) -> Statement {
    let token = next()
    switch token.kind {
    case .keyword(.select): return .select(try select())
    case .keyword(.show): return .show(try show())
    case .keyword(.create): return try create()
    case .keyword(.drop): return try drop()
    case .keyword(.alter):
      try expect(.retention, .policy)
      return .alterPolicy(try alteredPolicy())
    case .keyword(.delete): return .deletion(try deletion(.delete))
    case .keyword(.explain): return try explained()
    case .keyword(.grant), .keyword(.revoke):
      return try unsupported(token, ["READ", "WRITE", "ALL [PRIVILEGES]"])
    case .keyword(.set):
      try expect(.password)
      return try unsupported(token, ["FOR"])
    case .keyword(.kill):
      try expect(.query)
      let id = try number()
      return .killQuery(id, host: take(.on) ? try name() : "")
    default: throw failure(token, expected: Self.words)
    }
  }

  /// Passes over the rest of a statement that is known but not done here.
  private mutating func unsupported(_ first: Token, _ expected: [String]) throws(QueryParseError) -> Statement
  {
    var words = [first.shown]
    var end = lexer.place
    var token = next()
    guard token.kind != .end, token.kind != .semicolon else { throw failure(token, expected: expected) }
    while token.kind != .end, token.kind != .semicolon {
      words.append(token.shown)
      end = lexer.place
      token = next()
    }
    lexer.place = end
    return .unsupported(words.prefix(2).joined(separator: " "))
  }

  // MARK: CREATE

  private mutating func create() throws(QueryParseError) -> Statement {
    let token = next()
    switch token.kind {
    case .keyword(.database): return try createDatabase()
    case .keyword(.retention):
      try expect(.policy)
      return .createPolicy(try createdPolicy())
    case .keyword(.continuous), .keyword(.user), .keyword(.subscription):
      let rest = try unsupported(token, ["identifier"])
      return .unsupported("CREATE \(rest)")
    default:
      throw failure(token, expected: ["CONTINUOUS", "DATABASE", "USER", "RETENTION", "SUBSCRIPTION"])
    }
  }

  private mutating func createDatabase() throws(QueryParseError) -> Statement {
    let database = try name()
    guard take(.with) else { return .createDatabase(database, nil) }
    let start = lexer.place
    let token = next()
    switch token.kind {
    case .keyword(.duration), .keyword(.name), .keyword(.replication), .keyword(.shard): lexer.place = start
    default: throw failure(token, expected: ["DURATION", "NAME", "REPLICATION", "SHARD"])
    }
    var policy = PolicyStatement(database: database)
    if take(.keyword(.duration)) { policy.duration = try duration() }
    if take(.replication) { policy.replication = try replication() }
    if take(.shard) { policy.shardDuration = try shardDuration() }
    if take(.name) { policy.name = try name() }
    return .createDatabase(database, policy)
  }

  private mutating func createdPolicy() throws(QueryParseError) -> PolicyStatement {
    var policy = PolicyStatement(name: try name())
    try expect(.on)
    policy.database = try name()
    try expect(.duration)
    policy.duration = try duration()
    try expect(.replication)
    policy.replication = try replication()
    if take(.shard) { policy.shardDuration = try shardDuration() }
    policy.isDefault = take(.default)
    return policy
  }

  private mutating func alteredPolicy() throws(QueryParseError) -> PolicyStatement {
    let named = next()
    var policy = PolicyStatement()
    switch named.kind {
    case .identifier: policy.name = named.text
    case .keyword(.default): policy.name = "default"
    default: throw failure(named, expected: ["identifier"])
    }
    try expect(.on)
    policy.database = try name()
    var seen: [Keyword] = []
    while true {
      let start = lexer.place
      let token = next()
      guard case .keyword(let word) = token.kind, [.duration, .replication, .shard, .default].contains(word)
      else {
        guard !seen.isEmpty else {
          throw failure(token, expected: ["DURATION", "REPLICATION", "SHARD", "DEFAULT"])
        }
        lexer.place = start
        return policy
      }
      if seen.contains(word) { throw failure("found duplicate \(word.text) option", at: token.position) }
      seen.append(word)
      switch word {
      case .duration: policy.duration = try duration()
      case .replication: policy.replication = try replication()
      case .shard: policy.shardDuration = try shardDuration()
      default: policy.isDefault = true
      }
    }
  }

  private mutating func shardDuration() throws(QueryParseError) -> Int64 {
    try expect(.duration)
    let start = lexer.place
    let token = next()
    if token.kind == .keyword(.inf) {
      throw failure("invalid duration INF for shard duration", at: token.position)
    }
    lexer.place = start
    return try duration()
  }

  private mutating func replication() throws(QueryParseError) -> Int {
    let token = next()
    guard token.kind == .integer else { throw failure(token, expected: ["integer"]) }
    guard let count = Int(token.text), (1...Int(Int32.max)).contains(count) else {
      throw failure("invalid value \(token.text): must be 1 <= n <= \(Int32.max)", at: token.position)
    }
    return count
  }

  // MARK: DROP

  private mutating func drop() throws(QueryParseError) -> Statement {
    let token = next()
    switch token.kind {
    case .keyword(.database): return .dropDatabase(try name())
    case .keyword(.measurement): return .deletion(try droppedMeasurement())
    case .keyword(.retention):
      try expect(.policy)
      let policy = try name()
      try expect(.on)
      return .dropPolicy(policy, database: try name())
    case .keyword(.series): return .deletion(try deletion(.dropSeries))
    case .keyword(.shard): return .dropShard(try number())
    case .keyword(.continuous), .keyword(.subscription), .keyword(.user):
      let rest = try unsupported(token, ["identifier"])
      return .unsupported("DROP \(rest)")
    default:
      throw failure(
        token,
        expected: [
          "CONTINUOUS", "DATABASE", "MEASUREMENT", "RETENTION", "SERIES", "SHARD", "SUBSCRIPTION", "USER",
        ])
    }
  }
}

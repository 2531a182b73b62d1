extension Parser {
  /// What follows `DELETE` or `DROP SERIES`: `[FROM …] [WHERE …]`, one of them at least.
  mutating func deletion(_ kind: DeletionStatement.Kind) throws(QueryParseError) -> DeletionStatement {
    let start = lexer.place
    let token = next()
    lexer.place = start
    var statement = DeletionStatement(kind: kind)
    if take(.from) { statement.sources = try measurements() }
    for source in statement.sources {
      if !source.database.isEmpty { throw plainFailure("database not supported at line 1, char 1", token) }
      if !source.policy.isEmpty {
        throw plainFailure("retention policy not supported at line 1, char 1", token)
      }
    }
    statement.condition = try condition()
    guard statement.condition != nil || !statement.sources.isEmpty else {
      throw failure(token, expected: ["FROM", "WHERE"])
    }
    return statement
  }

  /// What follows `DROP MEASUREMENT`.
  mutating func droppedMeasurement() throws(QueryParseError) -> DeletionStatement {
    DeletionStatement(kind: .dropMeasurement, sources: [MeasurementSource(name: try name())])
  }

  /// What follows `EXPLAIN`: a `SELECT`, or a deletion of which it is asked what it would take away.
  mutating func explained() throws(QueryParseError) -> Statement {
    let isAnalyze = take(.analyze)
    _ = take(.verbose)
    if !isAnalyze {
      if take(.delete) { return .explainDeletion(try deletion(.delete)) }
      if take(.drop) {
        if take(.series) { return .explainDeletion(try deletion(.dropSeries)) }
        try expect(.measurement)
        return .explainDeletion(try droppedMeasurement())
      }
    }
    try expect(.select)
    return .explain(try select(), isAnalyze: isAnalyze)
  }
}

extension StatementGrammar {
  // MARK: Listings

  mutating func show() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    let kind = one(of: [
      "MEASUREMENTS", "TAG KEYS", "TAG VALUES", "FIELD KEYS", "SERIES", "RETENTION POLICIES", "DATABASES",
      "TAG KEYS", "TAG VALUES", "SERIES", "MEASUREMENTS", "SERIES CARDINALITY", "SERIES EXACT CARDINALITY",
      "MEASUREMENT CARDINALITY", "MEASUREMENT EXACT CARDINALITY", "TAG KEY CARDINALITY",
      "TAG VALUES CARDINALITY",
      "FIELD KEY CARDINALITY", "TAG KEY EXACT CARDINALITY", "TAG VALUES EXACT CARDINALITY",
    ])
    var statement = GeneratedStatement("SHOW \(kind)")
    if kind == "DATABASES" { return statement }
    if chance(15) { statement.head += " ON \(one(of: ["metrics", "other", "nosuch"]))" }
    if kind == "RETENTION POLICIES" { return statement }
    if kind.hasPrefix("MEASUREMENT") {
      if chance(40), kind == "MEASUREMENTS" {
        statement.with =
          "WITH MEASUREMENT \(one(of: ["= cpu", "=~ /c|m/", "= \"air temp\"", "=~ /^d/", "= nosuch"]))"
      }
    } else if chance(50) {
      let name = one(of: ["cpu", "disk", "mem", "\"air temp\"", "nosuch"])
      statement.source = .names([one(of: [name, name, "/d|m/", "\(name), cpu"])])
    }
    if kind.hasPrefix("TAG VALUES") {
      statement.with =
        "WITH KEY \(one(of: ["= host", "IN (host, region)", "=~ /o/", "!= host", "!~ /host/", "= nosuch", "IN (path)"]))"
    }
    if kind != "FIELD KEYS", !kind.hasPrefix("FIELD"), chance(40) {
      statement.terms = [tagCondition(measurement)]
    }
    if kind == "SERIES" || kind.hasPrefix("TAG") || kind.hasSuffix("CARDINALITY") || kind == "FIELD KEYS" || kind == "MEASUREMENTS" {
      if chance(25) { statement.tail.append("LIMIT \(number(1...4))") }
      if chance(15) { statement.tail.append("OFFSET \(number(1...3))") }
      if kind == "TAG KEYS", chance(15) { statement.tail.append("SLIMIT \(number(1...3))") }
    }
    return statement
  }

  private mutating func tagCondition(_ measurement: Measurement) -> String {
    func test(_ grammar: inout StatementGrammar) -> String {
      let tag = grammar.one(of: measurement.tags + ["host"])
      if grammar.chance(25) {
        return "\(tag) \(grammar.one(of: ["=~", "!~"])) /\(grammar.one(of: ["a", "^w", "t$"]))/"
      }
      return "\(tag) \(grammar.one(of: ["=", "!="])) '\(grammar.one(of: measurement.tagValues))'"
    }
    let first = test(&self)
    return chance(30) ? "(\(first) \(one(of: ["AND", "OR"])) \(test(&self)))" : first
  }

  // MARK: Wrong statements

  /// Statements that are refused: by the parser, or when they are run.
  mutating func wrong() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    let field = one(of: measurement.numbers)
    if chance(35) {
      var list = show()
      list.terms = []
      return GeneratedStatement(broken(one(of: [raw(), list]).description))
    }
    return GeneratedStatement(one(of: wrongTexts(field, measurement)))
  }

  /// A statement with one of its words taken away, doubled or put in place of another.
  private mutating func broken(_ text: String) -> String {
    var words = text.replacing("\"air temp\"", with: "mem").split(separator: " ").map(String.init)
    let index = number(0...words.count - 1)
    switch number(0...3) {
    case 0: words.remove(at: index)
    case 1: words.insert(words[index], at: index)
    case 2:
      words.insert(one(of: [",", "(", ")", "FROM", "'", "=", "5", "::", ";", "GROUP BY", "/"]), at: index)
    default: words[index] = one(of: ["SELECT", "WHERE", "5s", "'x'", "1.5", "x", "AND"])
    }
    return words.joined(separator: " ")
  }

  private mutating func wrongTexts(_ field: String, _ measurement: Measurement) -> [String] {
    let name = measurement.name
    let bounds = "time >= \(DifferentialData.start) AND time < \(DifferentialData.end)"
    return [
      "SELECT mean(\(field)), \(field) FROM \(name)", "SELECT nosuch(\(field)) FROM \(name)",
      "SELECT mean() FROM \(name)",
      "SELECT mean(\(field), 2) FROM \(name)", "SELECT percentile(\(field)) FROM \(name)",
      "SELECT percentile(\(field), 'a') FROM \(name)", "SELECT top(\(field)) FROM \(name)",
      "SELECT top(\(field), 0) FROM \(name)", "SELECT top(\(field), 1.5) FROM \(name)",
      "SELECT top(\(field), 2), bottom(\(field), 2) FROM \(name)",
      "SELECT top(\(field), 2), max(\(field)) FROM \(name)",
      "SELECT derivative(mean(\(field))) FROM \(name)", "SELECT derivative(\(field), 0s) FROM \(name)",
      "SELECT derivative(\(field), -1s) FROM \(name)", "SELECT derivative(\(field), 5) FROM \(name)",
      "SELECT derivative() FROM \(name)", "SELECT moving_average(\(field)) FROM \(name)",
      "SELECT moving_average(\(field), 1) FROM \(name)", "SELECT moving_average(\(field), 'a') FROM \(name)",
      "SELECT difference(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time(1h)",
      "SELECT cumulative_sum(top(\(field), 2)) FROM \(name) WHERE \(bounds) GROUP BY time(1h)",
      "SELECT \(field) FROM \(name) WHERE \(bounds) GROUP BY time(1h)",
      "SELECT \(field) FROM \(name) fill(previous)", "SELECT mean(\(field)) FROM \(name) fill(previous)",
      "SELECT mean(\(field)) FROM \(name) fill(linear)",
      "SELECT mean(\(field)) FROM \(name) GROUP BY host fill(none)",
      "SELECT mean(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time(1h), time(2h)",
      "SELECT mean(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time()",
      "SELECT mean(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time(0s)",
      "SELECT mean(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time(1h, 5)",
      "SELECT mean(\(field)) FROM \(name) WHERE \(bounds) GROUP BY time(5)",
      "SELECT mean(\(field)) FROM \(name) GROUP BY \(field) + 1",
      "SELECT mean(\(field)) FROM \(name) GROUP BY foo(1m)",
      "SELECT 5 FROM \(name)", "SELECT * * 2 FROM \(name)",
      "SELECT distinct(\(field)), \(field) FROM \(name)",
      "SELECT distinct(\(field)), max(\(field)) FROM \(name)", "SELECT time FROM \(name)",
      "SELECT \(field) FROM \(name) WHERE \(field)", "SELECT \(field) FROM \(name) WHERE time > 'abc'",
      "SELECT \(field) FROM \(name) WHERE time != 5", "SELECT \(field) FROM nosuch..cpu",
      "SELECT \(field) FROM nosuch.cpu",
      "SELECT max(\(field)), min(\(field)), \(field) FROM \(name)", "SELECT mean('a') FROM \(name)",
      "SELECT mean(state) FROM cpu", "SELECT sum(up) FROM cpu", "SELECT min(state) FROM cpu",
      "SELECT spread(up) FROM cpu", "SELECT derivative(state) FROM cpu",
      "SELECT percentile(state, 50) FROM cpu",
      "SELECT top(state, 2) FROM cpu", "SELECT median(up) FROM cpu", "SELECT stddev(state) FROM cpu",
      "SELECT integral(state) FROM cpu", "SELECT integral(\(field), 0s) FROM \(name)",
      "SELECT integral(\(field), 5) FROM \(name)", "SELECT elapsed(\(field), 5) FROM \(name)",
      "SELECT elapsed(state) FROM cpu WHERE host = 'a'", "SELECT cumulative_sum(up) FROM cpu",
      "SELECT state + 1 FROM cpu", "SELECT up + 1 FROM cpu", "SELECT host + 1 FROM cpu",
      "SELECT up & up FROM cpu",
      "SELECT \(field) FROM \(name) LIMIT 0", "SELECT \(field) FROM \(name) LIMIT -1",
      "SELECT \(field) FROM \(name) LIMIT a",
      "SELECT \(field) FROM \(name) ORDER BY \(field)",
      "SELECT \(field) FROM \(name) ORDER BY time, \(field)",
      "SELECT \(field) FROM \(name) tz('Nowhere/Else')", "SELECT \(field) FROM \(name) tz(5)",
      "SELECT count(distinct(\(field), 1)) FROM \(name)", "SELECT count(mean(\(field))) FROM \(name)",
      "SELECT mean(mean(\(field))) FROM \(name)", "SELECT mean(*), max(\(field)) FROM \(name)",
      "SELECT \(field) FROM \(name) WHERE host =~ 'a'", "SELECT \(field) FROM \(name) WHERE host = /a/",
      "SELECT \(field) FROM \(name) WHERE host =~ /(/", "SELECT /(/ FROM \(name)", "SELECT \(field) FROM /(/",
      "SHOW TAG VALUES", "SHOW TAG VALUES FROM cpu", "SHOW TAG VALUES WITH KEY", "SHOW", "SHOW TAG",
      "SHOW FIELD",
      "SHOW MEASUREMENTS WITH KEY = a", "SHOW RETENTION POLICIES ON", "SELECT", "SELECT FROM cpu", "DROP",
      "CREATE DATABASE",
      "DROP DATABASE", "CREATE RETENTION POLICY x ON", "SHOW FIELD KEYS FROM", "DROP MEASUREMENT", "DELETE",
      "EXPLAIN",
      "CREATE RETENTION POLICY x ON metrics DURATION 5 REPLICATION 1",
      "DROP RETENTION POLICY nosuch ON nosuch",
      "CREATE RETENTION POLICY x ON metrics DURATION 1m REPLICATION 1",
      "ALTER RETENTION POLICY nosuch ON metrics DURATION 1h",
      "ALTER RETENTION POLICY x ON nosuch DURATION 1h",
      "CREATE RETENTION POLICY x ON nosuch DURATION 1h REPLICATION 1",
      "DELETE FROM nosuch..cpu", "DROP SERIES", "DROP SERIES FROM cpu WHERE usage > 5",
      "SHOW SERIES WHERE usage > 5",
      "SHOW TAG VALUES WITH KEY = host WHERE usage > 5", "SHOW MEASUREMENTS WHERE usage > 5",
      "SELECT sum(x) FROM (SELECT \(field) FROM \(name)", "SELECT x FROM (SHOW DATABASES)",
      "SELECT sum(x) FROM (SELECT mean(\(field)), \(field) AS x FROM \(name))",
      "SELECT \(field) FROM \(name); SELEC", "SELECT \"\(field) FROM \(name)",
      "SELECT '\(field) FROM \(name)",
    ]
  }
}

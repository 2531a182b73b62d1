/// `SHOW …` of what is in databases: one shape for all, of which each kind uses a part.
struct ShowStatement: Sendable, Equatable {
  enum Kind: String, Sendable {
    case databases = "DATABASES"
    case measurements = "MEASUREMENTS"
    case tagKeys = "TAG KEYS"
    case tagValues = "TAG VALUES"
    case fieldKeys = "FIELD KEYS"
    case series = "SERIES"
    case retentionPolicies = "RETENTION POLICIES"
    case shards = "SHARDS"
    case shardGroups = "SHARD GROUPS"
    case users = "USERS"
    case queries = "QUERIES"
    case stats = "STATS"
    case diagnostics = "DIAGNOSTICS"
    case continuousQueries = "CONTINUOUS QUERIES"
    case subscriptions = "SUBSCRIPTIONS"
    case grants = "GRANTS FOR"
    case measurementCardinality = "MEASUREMENT CARDINALITY"
    case seriesCardinality = "SERIES CARDINALITY"
    case tagKeyCardinality = "TAG KEY CARDINALITY"
    case tagValuesCardinality = "TAG VALUES CARDINALITY"
    case fieldKeyCardinality = "FIELD KEY CARDINALITY"

    var isCardinality: Bool { rawValue.hasSuffix("CARDINALITY") }
  }

  /// `WITH KEY …`.
  enum KeyCondition: Sendable, Equatable {
    case equal(String), notEqual(String), matches(String), matchesNot(String)
    case oneOf([String])
  }

  var kind: Kind
  /// `EXACT`, of cardinalities.
  var isExact = false
  /// `ON`; empty: the request's.
  var database = ""
  var sources: [MeasurementSource] = []
  /// `WITH MEASUREMENT`.
  var measurement: MeasurementSource?
  var key: KeyCondition?
  var condition: Expression?
  var dimensions: [Expression] = []
  var limit = 0
  var offset = 0
  var seriesLimit = 0
  var seriesOffset = 0
  /// `FOR`: a module, or a user.
  var subject = ""

  init(_ kind: Kind) { self.kind = kind }
}

extension ShowStatement {
  /// Whether only numbers are asked for that a server keeps of a whole database.
  var isEstimate: Bool {
    switch kind {
    case .measurementCardinality, .seriesCardinality:
      !isExact && sources.isEmpty && condition == nil && limit == 0 && offset == 0
    default: false
    }
  }

  /// Whether a statement without policies speaks of the default one alone; other lists are of all.
  var isOfDefaultPolicy: Bool { kind == .fieldKeys || kind.isCardinality && !isEstimate }

  /// How InfluxDB 1.6.7 cuts the answer into chunks (observed).
  var chunking: StatementResult.Chunking {
    switch kind {
    case .tagKeys, .tagValues: .series
    case .fieldKeys, .series, .tagKeyCardinality, .tagValuesCardinality, .fieldKeyCardinality: .rows
    case .measurementCardinality, .seriesCardinality: isEstimate ? .whole : .rows
    case .databases, .measurements, .retentionPolicies, .shards, .shardGroups, .users, .queries, .stats,
      .diagnostics,
      .continuousQueries, .subscriptions, .grants:
      .whole
    }
  }
}

extension ShowStatement: CustomStringConvertible {
  /// As InfluxQL; parses to an equal statement.
  var description: String {
    var out = "SHOW \(kind.rawValue)"
    if isExact { out = out.replacingSuffix("CARDINALITY", with: "EXACT CARDINALITY") }
    if kind == .grants { return out + " \(Expression.quoteName(subject))" }
    if !subject.isEmpty { out += " FOR \(Expression.quoteString(subject))" }
    if !database.isEmpty { out += " ON \(Expression.quoteName(database))" }
    if !sources.isEmpty { out += " FROM \(sources.map(\.description).joined(separator: ", "))" }
    if let measurement { out += " WITH MEASUREMENT \(measurement.regex == nil ? "=" : "=~") \(measurement)" }
    switch key {
    case nil: break
    case .equal(let name): out += " WITH KEY = \(Expression.quoteName(name))"
    case .notEqual(let name): out += " WITH KEY != \(Expression.quoteName(name))"
    case .matches(let pattern): out += " WITH KEY =~ \(Expression.quoteRegex(pattern))"
    case .matchesNot(let pattern): out += " WITH KEY !~ \(Expression.quoteRegex(pattern))"
    case .oneOf(let names): out += " WITH KEY IN (\(names.map(Expression.quoteName).joined(separator: ", ")))"
    }
    if let condition { out += " WHERE \(condition)" }
    if !dimensions.isEmpty { out += " GROUP BY \(dimensions.map(\.description).joined(separator: ", "))" }
    for (word, count) in [
      ("LIMIT", limit), ("OFFSET", offset), ("SLIMIT", seriesLimit), ("SOFFSET", seriesOffset),
    ] where count > 0 {
      out += " \(word) \(count)"
    }
    return out
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? dropLast(suffix.count) + other : self
  }
}

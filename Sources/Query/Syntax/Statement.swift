/// One statement of a query.
enum Statement: Sendable, Equatable {
  case select(SelectStatement)
  case explain(SelectStatement, isAnalyze: Bool)
  case show(ShowStatement)
  /// The policy is `nil` without `WITH`.
  case createDatabase(String, PolicyStatement?)
  case dropDatabase(String)
  case createPolicy(PolicyStatement)
  case alterPolicy(PolicyStatement)
  case dropPolicy(String, database: String)
  case deletion(DeletionStatement)
  /// What it would take away.
  case explainDeletion(DeletionStatement)
  /// The host is that of a cluster; empty: this one.
  case killQuery(Int64, host: String)
  case dropShard(Int64)
  /// Understood by InfluxDB, not done here: what it begins with.
  case unsupported(String)
}

extension Statement {
  /// The zone that a `SELECT` is meant in; empty: UTC, and for all else.
  var timeZone: String {
    if case .select(let select) = self { return select.timeZone }
    return ""
  }

  /// Whether databases, policies or points are not the same afterwards.
  var changesSomething: Bool {
    switch self {
    case .explain, .show, .explainDeletion, .killQuery, .unsupported: false
    case .select: writesPoints
    default: true
    }
  }

  /// Whether it writes what it reads.
  var writesPoints: Bool {
    if case .select(let select) = self { return select.target != nil }
    return false
  }
}

extension Statement: CustomStringConvertible {
  /// As InfluxQL; parses to an equal statement.
  var description: String {
    switch self {
    case .select(let statement): return statement.description
    case .explain(let statement, let isAnalyze): return "EXPLAIN \(isAnalyze ? "ANALYZE " : "")\(statement)"
    case .show(let statement): return statement.description
    case .createDatabase(let name, let policy):
      guard let policy else { return "CREATE DATABASE \(Expression.quoteName(name))" }
      let policyName = policy.name.isEmpty ? "" : " NAME \(Expression.quoteName(policy.name))"
      return "CREATE DATABASE \(Expression.quoteName(name)) WITH\(policy.settings)\(policyName)"
    case .dropDatabase(let name): return "DROP DATABASE \(Expression.quoteName(name))"
    case .createPolicy(let policy): return Self.print("CREATE", policy)
    case .alterPolicy(let policy): return Self.print("ALTER", policy)
    case .dropPolicy(let name, let database):
      return "DROP RETENTION POLICY \(Expression.quoteName(name)) ON \(Expression.quoteName(database))"
    case .deletion(let statement): return statement.description
    case .explainDeletion(let statement): return "EXPLAIN \(statement)"
    case .killQuery(let id, let host):
      return "KILL QUERY \(id)" + (host.isEmpty ? "" : " ON \(Expression.quoteName(host))")
    case .dropShard(let id): return "DROP SHARD \(id)"
    case .unsupported(let words): return words
    }
  }

  private static func print(_ verb: String, _ policy: PolicyStatement) -> String {
    "\(verb) RETENTION POLICY \(Expression.quoteName(policy.name)) ON \(Expression.quoteName(policy.database))"
      + policy.settings
  }
}

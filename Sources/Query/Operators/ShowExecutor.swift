import LineProtocol
import Storage

/// Answers `SHOW` statements.
struct ShowExecutor {
  let catalog: any Catalog
  let registry: QueryRegistry
  let request: QueryRequest

  func run(_ statement: ShowStatement) throws -> [ResultSeries] {
    switch statement.kind {
    case .databases:
      return [ListBuilder.names("databases", "name", catalog.databases().map { Array($0.utf8) })]
    case .retentionPolicies: return [try policies(statement)]
    case .measurements: return try measurements(statement)
    case .tagKeys: return try tagKeys(statement)
    case .tagValues: return try tagValues(statement)
    case .fieldKeys: return try fieldKeys(statement)
    case .series: return try series(statement)
    case .measurementCardinality, .seriesCardinality, .tagKeyCardinality, .tagValuesCardinality,
      .fieldKeyCardinality:
      return try cardinality(statement)
    case .shards: return try shards()
    case .shardGroups: return [try shardGroups()]
    case .users: return [ListBuilder(.string, .boolean).series("", ["user", "admin"])]
    case .queries: return [queries()]
    case .continuousQueries:
      return catalog.databases().map { ListBuilder(.string, .string).series($0, ["name", "query"]) }
    case .subscriptions: return []
    case .grants: throw QueryFailure("user not found")
    case .stats: return []
    case .diagnostics: return [diagnostics()]
    }
  }

  private func policies(_ statement: ShowStatement) throws -> ResultSeries {
    let database = try SourceResolver(catalog: catalog, request: request).database(statement.database)
    guard let policies = catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)")
    }
    var list = ListBuilder(.string, .string, .string, .integer, .boolean)
    for policy in policies {
      list.append(
        .text(policy.name), .text(DurationLiteral.printGo(policy.ttl)),
        .text(DurationLiteral.printGo(policy.windowLength)), .integer(1), .boolean(policy.isDefault))
    }
    return list.series("", ["name", "duration", "shardGroupDuration", "replicaN", "default"])
  }

  // MARK: What the server is

  private func queries() -> ResultSeries {
    var list = ListBuilder(.integer, .string, .string, .string, .string)
    let now = ContinuousClock.now
    for query in registry.entries {
      list.append(
        .integer(query.id), .text(query.text), .text(query.database),
        .text(DurationLiteral.printRounded(query.startedAt.duration(to: now))),
        .text(query.isKilled ? "killed" : "running"))
    }
    return list.series("", ["qid", "query", "database", "duration", "status"])
  }

  private func diagnostics() -> ResultSeries {
    var list = ListBuilder(.string, .string)
    list.append(.text("Varve"), .text("influxql"))
    return list.series("build", ["Version", "Branch"])
  }

  /// Windows, as InfluxDB shows its shards: one alone in its group, which has its number.
  private func shards() throws -> [ResultSeries] {
    try catalog.databases().map { database in
      var list = ListBuilder(.integer, .string, .string, .integer, .string, .string, .string, .string)
      for shard in try WindowShard.all(of: database, in: catalog) {
        list.append(
          .integer(shard.id), .text(database), .text(shard.policy.name), .integer(shard.id),
          .text(TimeLiteral.print(shard.window.lowerBound)), .text(TimeLiteral.print(shard.window.upperBound)),
          .text(TimeLiteral.print(shard.expiry)), .text(""))
      }
      return list.series(
        database,
        [
          "id", "database", "retention_policy", "shard_group", "start_time", "end_time", "expiry_time",
          "owners",
        ])
    }
  }

  private func shardGroups() throws -> ResultSeries {
    var list = ListBuilder(.integer, .string, .string, .string, .string, .string)
    for database in catalog.databases() {
      for shard in try WindowShard.all(of: database, in: catalog) {
        list.append(
          .integer(shard.id), .text(database), .text(shard.policy.name),
          .text(TimeLiteral.print(shard.window.lowerBound)), .text(TimeLiteral.print(shard.window.upperBound)),
          .text(TimeLiteral.print(shard.expiry)))
      }
    }
    return list.series(
      "shard groups", ["id", "database", "retention_policy", "start_time", "end_time", "expiry_time"])
  }
}

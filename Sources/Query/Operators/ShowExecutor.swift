import LineProtocol
import Storage

/// Answers `SHOW` statements.
struct ShowExecutor {
  let catalog: any Catalog
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
    case .grants: return [ListBuilder(.string, .string).series("", ["database", "privilege"])]
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
    list.append(.integer(1), .text(request.text), .text(request.database), .text("0s"), .text("running"))
    return list.series("", ["qid", "query", "database", "duration", "status"])
  }

  private func diagnostics() -> ResultSeries {
    var list = ListBuilder(.string, .string)
    list.append(.text("Varve"), .text("influxql"))
    return list.series("build", ["Version", "Branch"])
  }

  /// Windows, as InfluxDB shows its shards.
  private func shards() throws -> [ResultSeries] {
    var number: Int64 = 0
    return try catalog.databases().map { database in
      var list = ListBuilder(.integer, .string, .string, .integer, .string, .string, .string, .string)
      for (policy, window) in try windows(of: database) {
        number += 1
        let end = TimeLiteral.print(window.upperBound)
        let expiry = policy.ttl == 0 ? end : TimeLiteral.print(window.upperBound &+ policy.ttl)
        list.append(
          .integer(number), .text(database), .text(policy.name), .integer(number),
          .text(TimeLiteral.print(window.lowerBound)), .text(end), .text(expiry), .text(""))
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
    var number: Int64 = 0
    for database in catalog.databases() {
      for (policy, window) in try windows(of: database) {
        number += 1
        let end = TimeLiteral.print(window.upperBound)
        list.append(
          .integer(number), .text(database), .text(policy.name), .text(TimeLiteral.print(window.lowerBound)),
          .text(end), .text(policy.ttl == 0 ? end : TimeLiteral.print(window.upperBound &+ policy.ttl)))
      }
    }
    return list.series(
      "shard groups", ["id", "database", "retention_policy", "start_time", "end_time", "expiry_time"])
  }

  private func windows(of database: String) throws -> [(PolicyDescription, Range<Int64>)] {
    try (catalog.policies(of: database) ?? []).flatMap { policy in
      try catalog.snapshot(of: policy.keyspace).windows.map { (policy, $0.range) }
    }
  }
}

import Storage

/// Runs `CREATE`, `ALTER` and `DROP` of databases and policies.
struct DefinitionExecutor {
  /// Shortest life of a policy, but for ever; nanoseconds.
  private static let durationMin: Int64 = 3_600_000_000_000
  private static let minute: Int64 = 60_000_000_000
  private static let century: Int64 = 36_525 * 86_400_000_000_000

  let catalog: any Catalog

  /// Takes a window away; a number that no window has is no error, as in InfluxDB.
  func dropShard(_ id: Int64) throws {
    for database in catalog.databases() {
      guard let shard = try WindowShard.all(of: database, in: catalog).first(where: { $0.id == id }) else { continue }
      return try catalog.dropWindow(shard.window.lowerBound, of: shard.policy.keyspace)
    }
  }

  func createDatabase(_ name: String, _ policy: PolicyStatement?) throws {
    guard !name.isEmpty else { throw QueryFailure("invalid name") }
    if let policy { try check(policy) }
    do throws(StorageError) {
      try catalog.createDatabase(
        name, policy: policy.flatMap { $0.name.isEmpty ? nil : $0.name }, ttl: policy?.duration,
        windowLength: policy?.shardDuration.flatMap { $0 == 0 ? nil : $0 })
    } catch {
      throw error.code == .exists
        ? QueryFailure("retention policy conflicts with an existing policy") : QueryFailure(error.detail)
    }
  }

  func createPolicy(_ policy: PolicyStatement) throws {
    try check(policy)
    try requireDatabase(policy.database)
    do throws(StorageError) {
      try catalog.createPolicy(
        policy.name, on: policy.database, ttl: policy.duration ?? 0,
        windowLength: policy.shardDuration.flatMap { $0 == 0 ? nil : $0 }, isDefault: policy.isDefault)
    } catch {
      throw error.code == .exists
        ? QueryFailure("retention policy already exists") : QueryFailure(error.detail)
    }
  }

  func alterPolicy(_ policy: PolicyStatement) throws {
    try check(policy)
    let policies = try requireDatabase(policy.database)
    guard policies.contains(where: { $0.name == policy.name }) else {
      throw QueryFailure("retention policy not found: \(policy.name)")
    }
    do throws(StorageError) {
      try catalog.alterPolicy(
        policy.name, on: policy.database, ttl: policy.duration,
        windowLength: policy.shardDuration.flatMap { $0 == 0 ? nil : $0 },
        isDefault: policy.isDefault ? true : nil)
    } catch { throw QueryFailure(error.detail) }
  }

  func dropPolicy(_ name: String, _ database: String) throws {
    guard catalog.policies(of: database) != nil else { return }
    do throws(StorageError) { try catalog.dropPolicy(name, on: database) } catch {
      throw QueryFailure(error.detail)
    }
  }

  func dropDatabase(_ name: String) throws {
    do throws(StorageError) { try catalog.dropDatabase(name) } catch { throw QueryFailure(error.detail) }
  }

  @discardableResult
  private func requireDatabase(_ name: String) throws(QueryFailure) -> [PolicyDescription] {
    guard let policies = catalog.policies(of: name) else { throw QueryFailure("database not found: \(name)") }
    return policies
  }

  private func check(_ policy: PolicyStatement) throws(QueryFailure) {
    if let duration = policy.duration, duration != 0, duration < Self.durationMin {
      throw QueryFailure("retention policy duration must be at least 1h0m0s")
    }
    guard let length = policy.shardDuration, length != 0 else { return }
    guard length >= Self.minute, length <= Self.century, length % 1_000_000_000 == 0 else {
      throw QueryFailure("shard duration must be whole seconds, at least 1m and at most 100 years")
    }
    if let duration = policy.duration, duration != 0, length > duration {
      throw QueryFailure("retention policy duration must be greater than the shard duration")
    }
  }
}

import LineProtocol
import Storage

/// A measurement that a statement reads, in one keyspace.
struct ResolvedSource {
  var name: [UInt8]
  var snapshot: Snapshot
  /// Whether it is the answer of a subquery.
  var isDerived = false
}

/// Finds what the names after `FROM` and `ON` stand for.
struct SourceResolver {
  let catalog: any Catalog
  let request: QueryRequest

  /// The database a statement means; an empty name is the request's.
  func database(_ name: String) throws(QueryFailure) -> String {
    let database = name.isEmpty ? request.database : name
    guard !database.isEmpty else { throw QueryFailure("database name required") }
    return database
  }

  /// The snapshot of a policy; empty names are the request's database and its policy, then the default one together with those that
  /// rules send points to.
  func snapshot(database name: String, policy: String) throws -> Snapshot {
    let database = try database(name)
    guard let policies = catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)")
    }
    let wanted = policy.isEmpty && (name.isEmpty || name == request.database) ? request.policy : policy
    guard wanted.isEmpty else {
      guard let found = policies.first(where: { $0.name == wanted }) else {
        throw QueryFailure("retention policy not found: \(wanted)")
      }
      return try catalog.snapshot(of: [found.keyspace], leavingOut: request.leftOut)
    }
    guard policies.contains(where: \.isDefault) else {
      throw QueryFailure("database \(database) has no default retention policy")
    }
    return try catalog.snapshot(of: catalog.ruledKeyspaces(of: database), leavingOut: request.leftOut)
  }

  /// Snapshots of every policy of a database, the default one first.
  func snapshots(database name: String) throws -> [Snapshot] {
    let database = try database(name)
    guard let policies = catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)")
    }
    let ordered = policies.filter(\.isDefault) + policies.filter { !$0.isDefault }
    return try ordered.map { try catalog.snapshot(of: [$0.keyspace], leavingOut: request.leftOut) }
  }

  /// The measurements of sources, sorted by name, each once.
  func resolve(_ sources: [MeasurementSource]) throws -> [ResolvedSource] {
    var found: [ResolvedSource] = []
    var seen = Set<[UInt8]>()
    for source in sources {
      let snapshot = try snapshot(database: source.database, policy: source.policy)
      for name in try names(source, snapshot) where seen.insert(name).inserted {
        found.append(ResolvedSource(name: name, snapshot: snapshot))
      }
    }
    return found.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  private func names(_ source: MeasurementSource, _ snapshot: Snapshot) throws -> [[UInt8]] {
    guard let pattern = source.regex else { return [Array(source.name.utf8)] }
    let regex: Regex
    do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
    return try snapshot.measurements().filter { regex.matches($0) }
  }
}

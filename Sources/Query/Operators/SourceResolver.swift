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
    try catalog.snapshot(of: keyspaces(database: name, policy: policy), leavingOut: request.leftOut)
  }

  /// The keyspaces that are read for a policy, not none.
  private func keyspaces(database name: String, policy: String) throws(QueryFailure) -> [KeyspaceID] {
    let database = try database(name)
    guard let policies = catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)", part: name.isEmpty ? nil : .place(name))
    }
    let wanted = policy.isEmpty && (name.isEmpty || name == request.database) ? request.policy : policy
    guard wanted.isEmpty else {
      guard let found = policies.first(where: { $0.name == wanted }) else {
        throw QueryFailure("retention policy not found: \(wanted)", part: policy.isEmpty ? nil : .place(policy))
      }
      return [found.keyspace]
    }
    guard policies.contains(where: \.isDefault) else {
      throw QueryFailure("database \(database) has no default retention policy")
    }
    return catalog.ruledKeyspaces(of: database)
  }

  /// Snapshots of every policy of a database, the default one first.
  func snapshots(database name: String) throws -> [Snapshot] {
    let database = try database(name)
    guard let policies = catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)", part: name.isEmpty ? nil : .place(name))
    }
    let ordered = policies.filter(\.isDefault) + policies.filter { !$0.isDefault }
    return try ordered.map { try catalog.snapshot(of: [$0.keyspace], leavingOut: request.leftOut) }
  }

  /// The measurements of sources, sorted by name. Those of one name in several policies are one, with the points of all; a policy
  /// named twice is read once.
  func resolve(_ sources: [MeasurementSource]) throws -> [ResolvedSource] {
    if sources.count == 1, sources[0].regex == nil {
      let (_, snapshot) = try place(sources[0])
      return [ResolvedSource(name: Array(sources[0].name.utf8), snapshot: snapshot)]
    }
    var found: [[UInt8]: [Snapshot]] = [:]
    var taken: [[UInt8]: Set<KeyspaceID>] = [:]
    // A list may name thousands of one place.
    var known: [MeasurementSource: (keyspaces: [KeyspaceID], snapshot: Snapshot)] = [:]
    for source in sources {
      let key = MeasurementSource(database: source.database, policy: source.policy)
      let (keyspaces, snapshot) = try known[key] ?? place(key)
      known[key] = (keyspaces, snapshot)
      for name in try names(source, snapshot) {
        let fresh = keyspaces.filter { taken[name, default: []].insert($0).inserted }
        if fresh.isEmpty { continue }
        let isWhole = fresh.count == keyspaces.count
        found[name, default: []].append(
          isWhole ? snapshot : try catalog.snapshot(of: fresh, leavingOut: request.leftOut))
      }
    }
    return found.map { name, snapshots in
      ResolvedSource(name: name, snapshot: snapshots.count == 1 ? snapshots[0] : Snapshot.joiningApart(snapshots))
    }.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }

  /// What is read of a database and a policy.
  private func place(_ source: MeasurementSource) throws -> (keyspaces: [KeyspaceID], snapshot: Snapshot) {
    let keyspaces = try keyspaces(database: source.database, policy: source.policy)
    return (keyspaces, try catalog.snapshot(of: keyspaces, leavingOut: request.leftOut))
  }

  private func names(_ source: MeasurementSource, _ snapshot: Snapshot) throws -> [[UInt8]] {
    guard let pattern = source.regex else { return [Array(source.name.utf8)] }
    let regex: Regex
    do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
    return try snapshot.measurements().filter { regex.matches($0) }
  }
}

/// Where points go that name no policy.
public struct WriteTarget: Sendable, Equatable {
  public var keyspace: KeyspaceID
  /// Whether no policy was named, so that the database's rules decide.
  public var followsRules: Bool

  public init(_ keyspace: KeyspaceID, followsRules: Bool = false) {
    self.keyspace = keyspace
    self.followsRules = followsRules
  }
}

extension Store {
  /// Rules of a database; a look-up among few.
  public static let ruleCountMax = 256

  /// Where to write what is meant for a database and a policy, `nil` or empty where none is named; `.notFound`.
  public func target(database: String, policy: String?) throws(StorageError) -> WriteTarget {
    WriteTarget(try keyspace(database: database, policy: policy), followsRules: policy?.isEmpty ?? true)
  }

  /// The rules of a database in the order in which they are tried.
  public func rules(of database: String) -> [PolicyRule] { publisher.version.rules[database] ?? [] }

  /// Gives a database other rules. What was written before stays where it is and is read as before.
  ///
  /// - Throws: `.notFound` for a database or a policy that is not there, `.limit` for too many.
  public func setRules(_ rules: [PolicyRule], of database: String) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      let version = publisher.version
      guard version.databases.contains(database) else {
        throw StorageError(.notFound, "database not found: \(database)")
      }
      guard rules.count <= Self.ruleCountMax else {
        throw StorageError(
          .limit, "\(rules.count) rules of one database, at most \(Self.ruleCountMax) are taken")
      }
      for rule in rules where version.keyspace(database: database, policy: rule.policy) == nil {
        throw StorageError(.notFound, "retention policy not found: \(rule.policy)")
      }
      if rules == version.rules[database] ?? [] { return }
      try publisher.publish([.setRules(database: database, rules: rules)])
    }
  }

  /// The default policy of a database, and every policy that a rule of it has ever sent points to: what a source without a policy reads.
  package func ruledKeyspaces(of database: String) -> [KeyspaceID] {
    publisher.version.keyspaces.filter {
      $0.state.database == database && ($0.state.isDefault || $0.state.isRuled)
    }.sorted { $0.state.isDefault && !$1.state.isDefault }.map(\.id)
  }

  /// Several keyspaces as if they were one: each with its own floor, later numbers over earlier ones.
  package func snapshot(of keyspaces: [KeyspaceID]) throws(StorageError) -> Snapshot {
    try snapshot(of: keyspaces, leavingOut: nil)
  }

  /// The same; see `snapshot(of:leavingOut:)` of one keyspace.
  package func snapshot(of keyspaces: [KeyspaceID], leavingOut leftOut: LeftOut?) throws(StorageError) -> Snapshot {
    guard keyspaces.count != 1 else { return try snapshot(of: keyspaces[0], leavingOut: leftOut) }
    var snapshots: [Snapshot] = []
    for keyspace in keyspaces { snapshots.append(try snapshot(of: keyspace, leavingOut: leftOut)) }
    return Snapshot.joining(snapshots)
  }
}

/// Databases and policies: one edit each.
extension Store {
  /// Names, sorted.
  public func databases() -> [String] { publisher.version.databases.sorted() }

  /// The policies of a database, in order of creation; `nil` if there is no such database.
  public func policies(of database: String) -> [PolicyDescription]? {
    let version = publisher.version
    guard version.databases.contains(database) else { return nil }
    return version.keyspaces.filter { $0.state.database == database }.map { PolicyDescription($0.state) }
  }

  /// Makes a database with policy `autogen` (or the one given); one that exists is fine. Lengths in nanoseconds; `nil`: defaults.
  public func createDatabase(
    _ name: String, policy: String? = nil, ttl: Int64? = nil, windowLength: Int64? = nil
  ) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      if publisher.version.databases.contains(name) { return }
      try checkName(name, of: "database")
      let ttl = ttl ?? options.defaultTTL
      let asked = windowLength ?? options.defaultWindowLength
      let state = KeyspaceState(
        id: KeyspaceID(publisher.manifest.state.nextKeyspace), database: name, policy: policy ?? "autogen",
        isDefault: true, ttl: ttl, windowLength: try windowLengthChecked(asked, ttl: ttl))
      try publisher.publish([.createDatabase(name: name), .createKeyspace(state)])
    }
  }

  /// One that does not exist is fine.
  public func dropDatabase(_ name: String) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      let version = publisher.version
      guard version.databases.contains(name) else { return }
      let ids = version.keyspaces.filter { $0.state.database == name }.map(\.id)
      try drop(ids, by: .dropDatabase(name: name))
    }
  }

  /// `.exists` if there is one of that name with other settings.
  public func createPolicy(
    _ name: String, on database: String, ttl: Int64, windowLength: Int64?, isDefault: Bool
  ) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      let version = publisher.version
      guard version.databases.contains(database) else {
        throw StorageError(.notFound, "database not found: \(database)")
      }
      try checkName(name, of: "retention policy")
      let length = try windowLengthChecked(windowLength ?? 0, ttl: ttl)
      if let there = version.keyspace(database: database, policy: name)?.state {
        if there.ttl == ttl, there.windowLength == length, there.isDefault || !isDefault { return }
        throw StorageError(.exists, "retention policy already exists")
      }
      let state = KeyspaceState(
        id: KeyspaceID(publisher.manifest.state.nextKeyspace), database: database, policy: name,
        isDefault: isDefault, ttl: ttl, windowLength: length)
      try publisher.publish([.createKeyspace(state)])
    }
  }

  /// `nil` leaves a setting as it is; `.notFound`.
  public func alterPolicy(
    _ name: String, on database: String, ttl: Int64?, windowLength: Int64?, isDefault: Bool?
  ) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      let version = publisher.version
      guard let there = version.keyspace(database: database, policy: name)?.state, !name.isEmpty else {
        throw StorageError(.notFound, "retention policy not found: \(name)")
      }
      let length: Int64? =
        if let windowLength { try windowLengthChecked(windowLength, ttl: ttl ?? there.ttl) } else { nil }
      var edits: [Edit] = []
      if let ttl, ttl != there.ttl {
        let horizon = retainer.alter(there, ttl: ttl)
        if horizon > there.horizon { edits.append(.setHorizon(keyspace: there.id, horizon: horizon)) }
      }
      edits.append(.alterKeyspace(id: there.id, ttl: ttl, windowLength: length, isDefault: isDefault))
      try publisher.publish(edits)
    }
  }

  /// One that does not exist is fine.
  public func dropPolicy(_ name: String, on database: String) throws(StorageError) {
    try catalogLock.withLock { (_) throws(StorageError) in
      guard !name.isEmpty, let there = publisher.version.keyspace(database: database, policy: name) else { return }
      try drop([there.id], by: .dropKeyspace(id: there.id))
    }
  }

  /// The keyspace of a database's policy (`nil` or empty: the default one); `.notFound` says which name is not there.
  public func keyspace(database: String, policy: String? = nil) throws(StorageError) -> KeyspaceID {
    let version = publisher.version
    guard version.databases.contains(database) else {
      throw StorageError(.notFound, "database not found: \(database)")
    }
    guard let keyspace = version.keyspace(database: database, policy: policy) else {
      throw StorageError(.notFound, "retention policy not found: \(policy ?? "")")
    }
    return keyspace.id
  }

  /// Publishes a drop, then forgets what the memtable holds of it; its records in the log are skipped in replay.
  private func drop(_ ids: [KeyspaceID], by edit: Edit) throws(StorageError) {
    try publisher.publish([edit])
    for id in ids { memtable.drop(id) }
    writing?.upkeep.wake()
  }

  private func windowLengthChecked(_ length: Int64, ttl: Int64) throws(StorageError) -> Int64 {
    if length == 0 { return WindowGrid.length(forTTL: ttl) }
    guard WindowGrid.isValid(length: length) else {
      throw StorageError(
        .invalid, "a window is whole seconds, from one minute to 100 years, not \(length) ns")
    }
    return length
  }

  func checkName(_ name: String, of kind: String) throws(StorageError) {
    guard !name.isEmpty, name.utf8.count <= 255, !name.contains("/"), !name.utf8.contains(0) else {
      throw StorageError(.invalid, "invalid \(kind) name: one to 255 bytes without / and NUL")
    }
  }
}

extension PolicyDescription {
  init(_ state: KeyspaceState) {
    self.init(
      keyspace: state.id, database: state.database, name: state.policy, ttl: state.ttl,
      windowLength: state.windowLength, isDefault: state.isDefault)
  }
}

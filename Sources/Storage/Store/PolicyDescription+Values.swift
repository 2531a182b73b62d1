extension PolicyDescription {
  /// A policy of these settings, for catalogs that are no store.
  package init(
    _ keyspace: KeyspaceID, database: String, name: String, ttl: Int64 = 0, windowLength: Int64, isDefault: Bool
  ) {
    self.init(
      keyspace: keyspace, database: database, name: name, ttl: ttl, windowLength: windowLength, isDefault: isDefault)
  }
}

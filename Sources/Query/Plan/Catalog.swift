package import Storage

/// What the engine needs of a store: its databases and policies, and what they hold.
package protocol Catalog: Sendable {
  /// Names, sorted.
  func databases() -> [String]
  /// In order of creation; `nil` if there is no such database.
  func policies(of database: String) -> [PolicyDescription]?
  func createDatabase(_ name: String, policy: String?, ttl: Int64?, windowLength: Int64?) throws(StorageError)
  func dropDatabase(_ name: String) throws(StorageError)
  func createPolicy(
    _ name: String, on database: String, ttl: Int64, windowLength: Int64?, isDefault: Bool
  ) throws(StorageError)
  func alterPolicy(
    _ name: String, on database: String, ttl: Int64?, windowLength: Int64?, isDefault: Bool?
  ) throws(StorageError)
  func dropPolicy(_ name: String, on database: String) throws(StorageError)
  func delete(_ deletion: Deletion, from database: String) throws(StorageError)
  func preview(_ deletion: Deletion, from database: String) throws(StorageError) -> DeletionPreview
  /// What is read of a database where no policy is named: the default one first; empty where there is none.
  func ruledKeyspaces(of database: String) -> [KeyspaceID]
  func snapshot(of keyspace: KeyspaceID) throws(StorageError) -> Snapshot
  /// Several keyspaces, not none, as one.
  func snapshot(of keyspaces: [KeyspaceID]) throws(StorageError) -> Snapshot
  /// Counts an error that a statement ended with, if it is damage.
  func noteDamage(_ error: StorageError)
}

extension Catalog {
  package func noteDamage(_ error: StorageError) {}
}

extension Store: Catalog {}

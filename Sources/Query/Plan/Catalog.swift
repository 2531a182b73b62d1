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
  /// Takes away a window that begins at a time, with all that it holds; nothing where there is none.
  func dropWindow(_ start: Int64, of keyspace: KeyspaceID) throws(StorageError)
  /// What is read of a database where no policy is named: the default one first; empty where there is none.
  func ruledKeyspaces(of database: String) -> [KeyspaceID]
  func snapshot(of keyspace: KeyspaceID) throws(StorageError) -> Snapshot
  /// Several keyspaces, not none, as one.
  func snapshot(of keyspaces: [KeyspaceID]) throws(StorageError) -> Snapshot
  /// The same, with what is known as damaged left out and told to `leftOut`.
  func snapshot(of keyspaces: [KeyspaceID], leavingOut leftOut: LeftOut?) throws(StorageError) -> Snapshot
  /// The same, without what is damaged; fails once `isCancelled`.
  func preview(
    _ deletion: Deletion, from database: String, leavingOut leftOut: LeftOut?, isCancelled: () -> Bool
  ) throws(StorageError) -> DeletionPreview
  /// Takes note of an error that a statement met, if it is damage; `true` where that is left out from now on and the statement
  /// may be run again.
  func contain(_ error: StorageError) -> Bool
}

extension Catalog {
  package func snapshot(of keyspaces: [KeyspaceID], leavingOut leftOut: LeftOut?) throws(StorageError) -> Snapshot {
    try snapshot(of: keyspaces)
  }

  package func preview(
    _ deletion: Deletion, from database: String, leavingOut leftOut: LeftOut?, isCancelled: () -> Bool
  ) throws(StorageError) -> DeletionPreview {
    try preview(deletion, from: database)
  }

  package func contain(_ error: StorageError) -> Bool { false }
}

extension Store: Catalog {}

import Query
import Storage
import TestSupport

/// Databases in a dictionary, each policy with a snapshot made of points.
final class FakeCatalog: Catalog {
  private struct State {
    var policies: [String: [PolicyDescription]] = [:]
    var snapshots: [KeyspaceID: Snapshot] = [:]
    var next: UInt32 = 1
  }
  private let state = Lock(State())

  init() {}

  /// One database with policy `autogen`.
  convenience init(_ database: String, _ snapshot: Snapshot) { self.init(database, ["autogen": snapshot]) }

  /// One database with policies, `autogen` the default one.
  convenience init(_ database: String, _ snapshots: [String: Snapshot]) {
    self.init()
    state.withLock { state in
      for (name, snapshot) in snapshots.sorted(by: { $0.key < $1.key }) {
        let id = KeyspaceID(state.next)
        state.next += 1
        state.policies[database, default: []].append(
          PolicyDescription(
            id, database: database, name: name, windowLength: 604_800_000_000_000, isDefault: name == "autogen"))
        state.snapshots[id] = snapshot
      }
    }
  }

  func databases() -> [String] { state.withLock { $0.policies.keys.sorted() } }

  func policies(of database: String) -> [PolicyDescription]? { state.withLock { $0.policies[database] } }

  func createDatabase(_ name: String, policy: String?, ttl: Int64?, windowLength: Int64?) throws(StorageError)
  {
    if policies(of: name) != nil { return }
    state.withLock { $0.policies[name] = [] }
    try createPolicy(
      policy ?? "autogen", on: name, ttl: ttl ?? 0, windowLength: windowLength, isDefault: true)
  }

  func dropDatabase(_ name: String) throws(StorageError) {
    state.withLock { _ = $0.policies.removeValue(forKey: name) }
  }

  func createPolicy(
    _ name: String, on database: String, ttl: Int64, windowLength: Int64?, isDefault: Bool
  ) throws(StorageError) {
    state.withLock { state in
      let id = KeyspaceID(state.next)
      state.next += 1
      if isDefault {
        for index in (state.policies[database] ?? []).indices {
          state.policies[database]?[index].isDefault = false
        }
      }
      state.policies[database, default: []].append(
        PolicyDescription(
          id, database: database, name: name, ttl: ttl, windowLength: windowLength ?? 604_800_000_000_000,
          isDefault: isDefault))
      state.snapshots[id] = Snapshot(windows: [], floor: .min, pin: nil)
    }
  }

  func alterPolicy(
    _ name: String, on database: String, ttl: Int64?, windowLength: Int64?, isDefault: Bool?
  ) throws(StorageError) {
    state.withLock { state in
      for index in (state.policies[database] ?? []).indices {
        if isDefault == true { state.policies[database]?[index].isDefault = false }
        guard state.policies[database]?[index].name == name else { continue }
        if let ttl { state.policies[database]?[index].ttl = ttl }
        if let windowLength { state.policies[database]?[index].windowLength = windowLength }
        if isDefault == true { state.policies[database]?[index].isDefault = true }
      }
    }
  }

  func dropPolicy(_ name: String, on database: String) throws(StorageError) {
    state.withLock { $0.policies[database]?.removeAll { $0.name == name } }
  }

  func delete(_ deletion: Deletion, from database: String) throws(StorageError) {
    throw StorageError(.invalid, "points of a fake catalog are not deleted")
  }

  func dropWindow(_ start: Int64, of keyspace: KeyspaceID) throws(StorageError) {
    state.withLock { state in
      guard let old = state.snapshots[keyspace] else { return }
      state.snapshots[keyspace] = Snapshot(
        windows: old.windows.filter { $0.range.lowerBound != start }, floor: old.floor, pin: nil)
    }
  }

  func preview(_ deletion: Deletion, from database: String) throws(StorageError) -> DeletionPreview {
    throw StorageError(.invalid, "points of a fake catalog are not deleted")
  }

  func ruledKeyspaces(of database: String) -> [KeyspaceID] {
    (policies(of: database) ?? []).filter(\.isDefault).map(\.keyspace)
  }

  func snapshot(of keyspaces: [KeyspaceID]) throws(StorageError) -> Snapshot { try snapshot(of: keyspaces[0]) }

  func snapshot(of keyspace: KeyspaceID) throws(StorageError) -> Snapshot {
    guard let snapshot = state.withLock({ $0.snapshots[keyspace] }) else {
      throw StorageError(.notFound, "no keyspace \(keyspace.number)")
    }
    return snapshot
  }
}

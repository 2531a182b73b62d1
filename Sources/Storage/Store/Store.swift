/// A retention policy as its users see it.
public struct PolicyDescription: Sendable, Equatable {
  public var keyspace: KeyspaceID
  public var database: String
  public var name: String
  /// Nanoseconds; 0 is for ever.
  public var ttl: Int64
  /// Nanoseconds.
  public var windowLength: Int64
  public var isDefault: Bool
}

/// One data directory: one log, one manifest, many keyspaces.
public final class Store: Sendable {
  /// Opens or makes a store in a folder of the disk. The log is replayed before this returns unless `replay` is `.background`.
  public static func open(directory: String, options: StoreOptions = StoreOptions()) throws(StorageError) -> Store {
    throw StorageError(.invalid, "not yet")
  }

  /// Opens a store over any file system; in memory, for files without a server.
  package static func open(
    fileSystem: any FileSystem, options: StoreOptions = StoreOptions(),
    wallClock: @escaping @Sendable () -> Int64
  ) throws(StorageError) -> Store {
    throw StorageError(.invalid, "not yet")
  }

  /// A store without a disk, for `--from FILE.lp`.
  public static func inMemory(options: StoreOptions = StoreOptions()) throws(StorageError) -> Store {
    throw StorageError(.invalid, "not yet")
  }

  // MARK: Databases and policies

  /// Names, sorted.
  public func databases() -> [String] { [] }
  /// The policies of a database, in order of creation; `nil` if there is no such database.
  public func policies(of database: String) -> [PolicyDescription]? { nil }
  /// Makes a database with policy `autogen` (or the one given); one that exists is fine. Lengths in nanoseconds; `nil`: defaults.
  public func createDatabase(
    _ name: String, policy: String? = nil, ttl: Int64? = nil, windowLength: Int64? = nil
  ) throws(StorageError) {}
  /// One that does not exist is fine.
  public func dropDatabase(_ name: String) throws(StorageError) {}
  /// `.exists` if there is one of that name with other settings.
  public func createPolicy(
    _ name: String, on database: String, ttl: Int64, windowLength: Int64?, isDefault: Bool
  ) throws(StorageError) {}
  /// `nil` leaves a setting as it is; `.notFound`.
  public func alterPolicy(
    _ name: String, on database: String, ttl: Int64?, windowLength: Int64?, isDefault: Bool?
  ) throws(StorageError) {}
  /// One that does not exist is fine.
  public func dropPolicy(_ name: String, on database: String) throws(StorageError) {}
  /// The keyspace of a database's policy (`nil` or empty: the default one); `.notFound` says which name is not there.
  public func keyspace(database: String, policy: String? = nil) throws(StorageError) -> KeyspaceID {
    throw StorageError(.notFound, "database not found: \(database)")
  }

  // MARK: Writing

  /// A writer for one thread.
  public func makeReceiver() -> Receiver { Receiver() }
  /// Where a ticket stands.
  public func state(of ticket: Ticket) -> TicketState { .durable }
  /// Calls `handler` on the log writer's thread each time a group of tickets is decided. It must not block.
  public func onTicketsDecided(_ handler: @escaping @Sendable () -> Void) {}
  /// Blocks until the ticket is decided. Not for receivers.
  public func wait(for ticket: Ticket) throws(StorageError) {}

  // MARK: Reading

  /// Everything of a keyspace that is acknowledged, as of now.
  public func snapshot(of keyspace: KeyspaceID) throws(StorageError) -> Snapshot {
    throw StorageError(.notFound, "no keyspace \(keyspace.number)")
  }

  // MARK: Upkeep

  /// Writes every part of the memtable to tables; returns when they are published.
  public func flush() throws(StorageError) {}
  /// Flushes, then gives every window of more than one run its final merge; returns when replaced tables are unlinked.
  public func compact(keyspace: KeyspaceID? = nil) throws(StorageError) {}
  /// Seals, flushes, ends the log, stops the threads. Idempotent.
  public func close() throws(StorageError) {}
  /// Counters and gauges for `/metrics` and `stats`.
  public func statistics() -> StoreStatistics { StoreStatistics() }
}

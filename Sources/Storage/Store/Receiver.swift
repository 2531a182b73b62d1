public import LineProtocol

/// What a batch was given when it was logged. Tickets of one store are decided in order.
public struct Ticket: Sendable, Hashable {
  /// The batch's sequence number; 0: nothing was logged, decided at once.
  public var sequence: UInt64

  public init(sequence: UInt64) { self.sequence = sequence }
}

public enum TicketState: Sendable, Equatable {
  case pending
  /// As durable as `SyncMode` asks, and readable.
  case durable
  /// Could not be made durable: send again.
  case failed(StorageError)
}

/// What became of a batch.
public struct CommitResult: Sendable {
  public var ticket: Ticket
  /// Rows taken in.
  public var acceptedCount: Int
  /// Rows refused at this door: expired, or too far in the future. Column 1, text empty.
  public var rejects: [Reject]
}

/// A writer for one thread: its vocabulary's answers, its scratch.
public final class Receiver {
  /// The receiver's names; give it to the parser that fills the batches.
  public let vocabulary = Vocabulary()

  init() {}

  /// Logs and inserts a batch that was parsed with `vocabulary`. Blocks only while the bound on bytes in flight is reached.
  ///
  /// - Throws: `.full` where the disk has no room, `.overloaded` under stall past its limit, `.io` once writes are refused;
  ///   nothing of the batch is then stored.
  public func commit(_ batch: LineBatch, to keyspace: KeyspaceID) throws(StorageError) -> CommitResult {
    throw StorageError(.invalid, "not yet")
  }
}

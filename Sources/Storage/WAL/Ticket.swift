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

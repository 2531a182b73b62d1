/// What a restore did: the document of `POST /restore`.
public struct RestoreReport: Codable, Sendable, Equatable {
  /// The databases that are there now.
  public internal(set) var databases: [String] = []
  /// Tables that were linked or copied.
  public internal(set) var tableCount = 0
  /// Rows, those that deletes or the TTL hide too.
  public internal(set) var rowCount = 0
  /// Bytes of the tables.
  public internal(set) var byteCount: UInt64 = 0
  /// Every batch up to this number was in the backup.
  public internal(set) var lastSequence: UInt64 = 0
  /// How long it took.
  public internal(set) var milliseconds: Double = 0
}

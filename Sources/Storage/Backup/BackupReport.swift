/// What a backup did: the document of `POST /backup`.
public struct BackupReport: Codable, Sendable, Equatable {
  /// Files that got a second name, in the backup: the bytes lie on the disk once.
  public internal(set) var linkedCount = 0
  /// Files whose bytes were copied, to another device or where no link can be made.
  public internal(set) var copiedCount = 0
  /// Files that an earlier backup in the directory had already.
  public internal(set) var keptCount = 0
  /// Files of an earlier backup that this one does not have any more.
  public internal(set) var removedCount = 0
  /// Bytes of all tables and log segments of the backup.
  public internal(set) var byteCount: UInt64 = 0
  /// Bytes of those that were copied.
  public internal(set) var copiedByteCount: UInt64 = 0
  /// Every batch up to this number is in it, none above it.
  public internal(set) var lastSequence: UInt64 = 0
  /// How long it took, with what was verified.
  public internal(set) var milliseconds: Double = 0
  /// Tables and segments whose every checksum was looked at.
  public internal(set) var verifiedCount = 0
}

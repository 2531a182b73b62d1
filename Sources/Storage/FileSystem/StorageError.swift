/// What went wrong between the store and its files, with the place.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What the caller can do about it.
  public enum Code: String, Sendable {
    /// Bytes are not what their checksum or format says.
    case corrupt
    /// A system call failed.
    case io
    /// No space is left.
    case full
    /// A bound is reached: try again later.
    case overloaded
    /// A limit of size or number refuses this for good.
    case limit
    /// Written by a newer Varve.
    case unsupportedVersion
    /// Another process holds the directory.
    case locked
    /// A database, policy, file or window that does not exist.
    case notFound
    /// It exists already, with other settings.
    case exists
    /// The call does not make sense.
    case invalid
    /// Stopped by the caller.
    case cancelled
  }
  public var code: Code
  /// Relative to the store's directory; empty where no file is to blame.
  public var file: String
  /// Byte in `file`, if one byte is to blame.
  public var offset: UInt64?
  /// Expected and found, in words: "block ends at 8192, past 8100".
  public var detail: String

  public init(_ code: Code, file: String = "", offset: UInt64? = nil, _ detail: String) {
    self.code = code
    self.file = file
    self.offset = offset
    self.detail = detail
  }

  public var description: String {
    file.isEmpty ? detail : "\(place): \(detail)"
  }

  /// "wal/0000000017.wal:4096", as far as it is known.
  public var place: String {
    offset.map { "\(file):\($0)" } ?? file
  }
}

/// What is wrong with a line: becomes a `Reject` when line number and text are added.
struct LineFault: Error {
  var reason: RejectReason
  /// Bytes from the line's first byte to where parsing stopped.
  var offset: Int
  var message: String

  init(_ reason: RejectReason, at offset: Int, _ message: String) {
    self.reason = reason
    self.offset = offset
    self.message = message
  }
}

/// Bounds on one line.
public enum LineLimits {
  /// Escaped key, 4 bytes and field name together, as in InfluxDB (`MaxKeyLength`).
  public static let keyByteCountMax = 65_535
  /// Tags a point.
  public static let tagCountMax = 4_096
  /// Fields a point.
  public static let fieldCountMax = 16_384
  /// The longest line that is taken unless a caller says otherwise.
  public static let lineByteCountDefault = 1 << 20
}

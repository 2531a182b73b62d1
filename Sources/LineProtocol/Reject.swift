/// Why a line was refused, as counted in `varve_ingest_rejects_total{reason=…}`.
public enum RejectReason: UInt8, Sendable, CaseIterable {
  case syntax, number, timestamp, utf8, tooLong, limit, expired, future, unterminated, overload

  /// The metric's label value.
  public var label: String {
    switch self {
    case .syntax: "syntax"
    case .number: "number"
    case .timestamp: "timestamp"
    case .utf8: "utf8"
    case .tooLong: "too_long"
    case .limit: "limit"
    case .expired: "expired"
    case .future: "future"
    case .unterminated: "unterminated"
    case .overload: "overload"
    }
  }
}

/// One refused line.
public struct Reject: Sendable, Equatable {
  /// Bytes of `text` that are kept.
  public static let textByteCountMax = 256

  public var reason: RejectReason
  /// The physical line on which the point begins, from 1, counted as the caller of the parser does.
  public var line: Int
  /// The byte in that line, from 1, where parsing stopped.
  public var column: Int
  /// InfluxDB's reason without the line ("missing fields"), ours where InfluxDB has none.
  public var message: String
  /// The line as sent, cut at `textByteCountMax` bytes.
  public var text: [UInt8]

  public init(reason: RejectReason, line: Int, column: Int, message: String, text: [UInt8]) {
    self.reason = reason
    self.line = line
    self.column = column
    self.message = message
    self.text = text
  }
}

/// The unit of timestamps in lines.
public enum Precision: UInt8, Sendable, CaseIterable {
  case nanoseconds, microseconds, milliseconds, seconds, minutes, hours
  /// By magnitude, each number for itself: below 5·10⁹ seconds, below 5·10¹² milliseconds, below 5·10¹⁵ microseconds, else
  /// nanoseconds.
  case auto

  /// Nanoseconds a unit; 1 for `auto`.
  public var nanoseconds: Int64 {
    switch self {
    case .nanoseconds, .auto: 1
    case .microseconds: 1_000
    case .milliseconds: 1_000_000
    case .seconds: 1_000_000_000
    case .minutes: 60_000_000_000
    case .hours: 3_600_000_000_000
    }
  }

  /// The precision of the name `ns`, `us`, `ms`, `s`, `m`, `h` or `auto`.
  public init?(_ name: String) {
    switch name {
    case "ns": self = .nanoseconds
    case "us": self = .microseconds
    case "ms": self = .milliseconds
    case "s": self = .seconds
    case "m": self = .minutes
    case "h": self = .hours
    case "auto": self = .auto
    default: return nil
    }
  }
}

/// What a carriage return before a newline means.
public enum CarriageReturnMode: String, Sendable {
  /// It belongs to the line's end.
  case strip
  /// It is an ordinary byte, as in InfluxDB.
  case strict
}

import LineProtocol

/// How the times of an answer are written: integers of a unit, or RFC 3339 in the zone of its statement.
package struct TimeStyle: Sendable {
  let precision: Precision?
  private let zone: TimeZoneRules

  /// A zone that this system does not know is shown as UTC: the server that answered may have known it.
  package init(_ options: RenderOptions, _ result: StatementResult) {
    precision = options.precision
    let isShown = precision == nil && !result.timeZone.isEmpty
    zone = isShown ? TimeZoneRules.load(result.timeZone) ?? .utc : .utc
  }

  /// Integers of a unit.
  init(_ precision: Precision) {
    self.precision = precision
    zone = .utc
  }

  /// Nanoseconds since 1970.
  static let nanoseconds = TimeStyle(.nanoseconds)

  var isUTC: Bool { zone == .utc }

  /// Nanoseconds east of UTC at an instant.
  @inline(__always) func offset(at time: Int64) -> Int64 {
    isUTC ? 0 : zone.offset(at: time).nanoseconds
  }
}

extension [UInt8] {
  /// Appends a moment: an integer of a unit, else RFC 3339.
  mutating func appendTime(_ nanoseconds: Int64, _ style: TimeStyle) {
    if let precision = style.precision {
      appendEpoch(nanoseconds, unit: precision)
    } else {
      appendRFC3339(nanoseconds, offset: style.offset(at: nanoseconds))
    }
  }
}

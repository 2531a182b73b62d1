/// Times as text, for renderers and tests.
package enum QueryTime {
  /// Nanoseconds since 1970 of a date, a date and time, or RFC 3339; without an offset it is local to the zone
  /// (UTC if empty). `nil` if it is none, does not fit, or the zone is not known.
  package static func parse(_ text: String, zone: String = "") -> Int64? {
    TimeZoneRules.load(zone).flatMap { TimeLiteral.parse(text, zone: $0) }
  }

  /// RFC 3339 in UTC, the fraction as short as it goes.
  package static func print(_ time: Int64) -> String { TimeLiteral.print(time) }
}

/// Where windows lie: cells of a grid from 1970 on, cut so that no two meet (DESIGN, rule 3).
package enum WindowGrid {
  /// The shortest and the longest window, nanoseconds: one minute, 100 years.
  package static let lengthMin: Int64 = 60 * 1_000_000_000
  package static let lengthMax: Int64 = 36_525 * 86_400 * 1_000_000_000

  /// The length for a TTL (0: for ever): at most 2 days: 1 h; at most 6 months: 1 day; else 7 days.
  package static func length(forTTL ttl: Int64) -> Int64 {
    let hour: Int64 = 3_600 * 1_000_000_000
    if ttl > 0, ttl <= 48 * hour { return hour }
    if ttl > 0, ttl <= 183 * 24 * hour { return 24 * hour }
    return 7 * 24 * hour
  }

  /// Whether a length may be set: whole seconds within the limits.
  package static func isValid(length: Int64) -> Bool {
    length >= lengthMin && length <= lengthMax && length % 1_000_000_000 == 0
  }

  /// The window for a time that none of `windows` (sorted, disjoint) covers: its grid cell, cut at its neighbours.
  package static func cell(for time: Int64, length: Int64, between windows: [WindowState]) -> Range<Int64> {
    let (cellLength, wide) = (Int128(length), Int128(time))
    let remainder = wide % cellLength
    let cellStart = wide - (remainder < 0 ? remainder + cellLength : remainder)
    // Cells at both ends of time are cut where the number range ends.
    var start = Int64(clamping: cellStart)
    var end = Int64(clamping: cellStart + cellLength)
    for window in windows {
      if window.end <= time { start = max(start, window.end) }
      if window.start > time { end = min(end, window.start) }
    }
    return start..<end
  }
}

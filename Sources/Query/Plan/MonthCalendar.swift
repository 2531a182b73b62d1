/// Time buckets of whole months, as a zone's calendar has them; counted from January 1970, so that quarters and years begin in January.
struct MonthCalendar: Sendable {
  /// A bucket of a century.
  static let monthCountMax: Int64 = 1_200
  private static let nanosecondsPerHour: Int64 = 3_600_000_000_000

  let monthCount: Int64
  /// Nanoseconds by which buckets are moved, in local time.
  let offset: Int64
  let zone: TimeZoneRules

  /// Nanoseconds that no bucket is longer than: 31 days a month, and a day that a zone may have more.
  static func bound(monthCount: Int64) -> Int64 { (31 * monthCount + 1) * TimeLiteral.nanosecondsPerDay }

  /// The number of the bucket of an instant; 0 begins in January 1970.
  func place(of time: Int64) -> Int64 {
    // A guess from the calendar, mended where a zone's change or the end of the range of times makes it miss.
    let local = Int128(time) + Int128(zone.offset(at: time).nanoseconds) - Int128(offset)
    let day = Int64(Self.floorDivide(local, Int128(TimeLiteral.nanosecondsPerDay)))
    let (year, month, _) = TimeLiteral.date(days: day)
    var place = TimeLiteral.floorDivide((year - 1970) * 12 + month - 1, monthCount)
    while start(of: place) > time { place -= 1 }
    while start(of: place + 1) <= time, start(of: place + 1) > start(of: place) { place += 1 }
    return place
  }

  /// When a bucket begins, in UTC; cut to the range of times.
  func start(of place: Int64) -> Int64 {
    let month = place * monthCount
    let year = 1970 + TimeLiteral.floorDivide(month, 12)
    let days = TimeLiteral.days(year: year, month: month - (year - 1970) * 12 + 1, day: 1)
    return zone.instant(ofLocal: Int128(days) * Int128(TimeLiteral.nanosecondsPerDay) + Int128(offset))
  }

  private static func floorDivide(_ value: Int128, _ divisor: Int128) -> Int128 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}

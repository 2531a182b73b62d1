package import LineProtocol

/// A moment as a date of the proleptic Gregorian calendar and a time of day, in UTC.
package struct CivilTime: Equatable, Sendable {
  package var year: Int
  /// 1...12.
  package var month: Int
  /// 1...31.
  package var day: Int
  package var hour: Int
  package var minute: Int
  package var second: Int
  package var nanosecond: Int

  /// The date of a moment, in nanoseconds since 1970. Source of the arithmetic: H. Hinnant, "chrono-compatible
  /// low-level date algorithms", `civil_from_days`.
  package init(nanoseconds: Int64) {
    let perDay: Int64 = 86_400_000_000_000
    var days = nanoseconds / perDay
    var rest = nanoseconds % perDay
    if rest < 0 {
      rest += perDay
      days -= 1
    }
    nanosecond = Int(rest % 1_000_000_000)
    let seconds = Int(rest / 1_000_000_000)
    (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60)
    // Years of the arithmetic begin in March; eras are 400 years. Times of Int64 lie in 1677...2262: nothing is negative.
    let shifted = Int(days) + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// The moment at which a month (1...12) begins; `nil` outside of what nanoseconds in 64 bits reach. Source: as above,
  /// `days_from_civil`.
  package static func nanoseconds(year: Int, month: Int) -> Int64? {
    let marchYear = year - (month <= 2 ? 1 : 0)
    let era = marchYear / 400
    let yearOfEra = marchYear % 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    let product = Int64(days).multipliedReportingOverflow(by: 86_400_000_000_000)
    return product.overflow ? nil : product.partialValue
  }
}

extension [UInt8] {
  /// Appends a moment as RFC 3339 with up to nine decimals, trailing zeros cut: `2016-01-01T00:00:00.5Z`, `2016-01-01T01:00:00+01:00`.
  ///
  /// - Parameter offset: nanoseconds east of UTC, whole minutes; 0 is written `Z`, as Go does.
  package mutating func appendRFC3339(_ nanoseconds: Int64, offset: Int64 = 0) {
    let (local, isPastEnd) = nanoseconds.addingReportingOverflow(offset)
    // Within a day of the ends of time there is no local time: UTC is right too.
    let shown = isPastEnd ? 0 : offset
    let time = CivilTime(nanoseconds: isPastEnd ? nanoseconds : local)
    append(addingCapacity: 20) { span in
      // Years of 64 bits of nanoseconds are 1677 to 2262.
      Self.putTwo(time.year / 100, to: &span)
      Self.putTwo(time.year % 100, to: &span)
      span.append(UInt8(ascii: "-"))
      Self.putTwo(time.month, to: &span)
      span.append(UInt8(ascii: "-"))
      Self.putTwo(time.day, to: &span)
      span.append(UInt8(ascii: "T"))
      Self.putTwo(time.hour, to: &span)
      span.append(UInt8(ascii: ":"))
      Self.putTwo(time.minute, to: &span)
      span.append(UInt8(ascii: ":"))
      Self.putTwo(time.second, to: &span)
    }
    if time.nanosecond != 0 {
      append(UInt8(ascii: "."))
      var (digits, length) = (time.nanosecond, 9)
      while digits % 10 == 0 {
        digits /= 10
        length -= 1
      }
      appendDigits(digits, count: length)
    }
    if shown == 0 { return append(UInt8(ascii: "Z")) }
    let minutes = Int(shown.magnitude / 60_000_000_000)
    append(UInt8(ascii: shown < 0 ? "-" : "+"))
    appendDigits(minutes / 60, count: 2)
    append(UInt8(ascii: ":"))
    appendDigits(minutes % 60, count: 2)
  }

  @inline(__always)
  private static func putTwo(_ value: Int, to span: inout OutputSpan<UInt8>) {
    let value = UInt8(truncatingIfNeeded: value)
    span.append(UInt8(ascii: "0") &+ value / 10)
    span.append(UInt8(ascii: "0") &+ value % 10)
  }

  /// Appends a moment as an integer of a unit, truncated towards zero as InfluxDB does.
  package mutating func appendEpoch(_ nanoseconds: Int64, unit: Precision) {
    appendDecimal(nanoseconds / unit.nanoseconds)
  }
}

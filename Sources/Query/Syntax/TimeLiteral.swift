/// Dates of the proleptic Gregorian calendar and instants, both ways.
///
/// Days from a date: H. Hinnant, "chrono-compatible low-level date algorithms".
enum TimeLiteral {
  static let nanosecondsPerDay: Int64 = 86_400_000_000_000

  /// Days since 1970-01-01.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The date of a day since 1970-01-01.
  static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthPart = (5 * dayOfYear + 2) / 153
    let month = monthPart < 10 ? monthPart + 3 : monthPart - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthPart + 2) / 5 + 1)
  }

  /// Nanoseconds since 1970 as RFC 3339 in UTC, fraction as short as it goes: `2016-01-01T00:00:00.5Z`.
  static func print(_ time: Int64) -> String {
    let day = floorDivide(time, nanosecondsPerDay)
    let rest = time - day * nanosecondsPerDay
    let (year, month, dayOfMonth) = date(days: day)
    let second = rest / 1_000_000_000
    var out = "\(pad(year, 4))-\(pad(month, 2))-\(pad(dayOfMonth, 2))"
    out += "T\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
    if rest % 1_000_000_000 != 0 {
      var fraction = pad(rest % 1_000_000_000, 9)
      while fraction.hasSuffix("0") { fraction.removeLast() }
      out += ".\(fraction)"
    }
    return out + "Z"
  }

  /// What InfluxQL takes for a time in quotes: `2016-01-01`, `2016-01-01 12:30:00.5`, RFC 3339 with `Z` or an offset.
  ///
  /// A text without offset is local to `zone`. `nil` if it is no time or does not fit 64 bits of nanoseconds.
  static func parse(_ text: String, zone: TimeZoneRules) -> Int64? {
    var reader = DigitReader(Array(text.utf8))
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), (1...12).contains(month), (1...31).contains(day),
      date(days: days(year: year, month: month, day: day)) == (year, month, day)
    else { return nil }
    var nanoseconds: Int64 = 0
    var offset: Int64?
    if !reader.isAtEnd {
      guard reader.take("T") || reader.take(" "), let time = reader.timeOfDay() else { return nil }
      nanoseconds = time
      if !reader.isAtEnd {
        guard let found = reader.zone(), reader.isAtEnd else { return nil }
        offset = found
      }
    }
    let (midnight, isTooLarge) =
      days(year: year, month: month, day: day).multipliedReportingOverflow(by: nanosecondsPerDay)
    let (local, isSumTooLarge) = midnight.addingReportingOverflow(nanoseconds)
    guard !isTooLarge, !isSumTooLarge else { return nil }
    if let offset { return local.subtractingReportingOverflow(offset).partialValue }
    // The offset before a gap or an overlap is tried first, as Go does.
    let guess = zone.offset(at: local).nanoseconds
    let first = local &- guess
    let settled = zone.offset(at: first).nanoseconds
    return local &- settled
  }

  /// Division that rounds down.
  static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  private static func pad(_ value: Int64, _ width: Int) -> String {
    let digits = "\(abs(value))"
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// Reads fixed-width numbers and signs off a text.
private struct DigitReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { offset == bytes.count }

  mutating func take(_ sign: Character) -> Bool {
    guard offset < bytes.count, bytes[offset] == sign.asciiValue else { return false }
    offset += 1
    return true
  }

  mutating func number(_ width: Int) -> Int64? {
    guard offset + width <= bytes.count else { return nil }
    var value: Int64 = 0
    for byte in bytes[offset..<offset + width] {
      guard Lexer.isDigit(byte) else { return nil }
      value = value * 10 + Int64(byte & 0x0f)
    }
    offset += width
    return value
  }

  /// `12:30:00` with a fraction of any number of digits, in nanoseconds.
  mutating func timeOfDay() -> Int64? {
    guard let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
      hour < 24, minute < 60, second < 60
    else { return nil }
    var nanoseconds = (hour * 3600 + minute * 60 + second) * 1_000_000_000
    if take(".") {
      var unit: Int64 = 100_000_000
      let start = offset
      while let digit = number(1) {
        nanoseconds += digit * unit
        unit /= 10
      }
      guard offset > start else { return nil }
    }
    return nanoseconds
  }

  /// `Z` or `+02:00`, nanoseconds east.
  mutating func zone() -> Int64? {
    if take("Z") { return 0 }
    let sign: Int64 = take("+") ? 1 : -1
    guard sign > 0 || take("-"), let hour = number(2), take(":"), let minute = number(2), hour < 24,
      minute < 60
    else { return nil }
    return sign * (hour * 3600 + minute * 60) * 1_000_000_000
  }
}

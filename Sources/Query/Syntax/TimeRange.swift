/// A stretch of time as people write it: `14:00..14:10`, `yesterday`, `2026-11-20`, `-1h`.
///
/// What a text may be:
/// - an *instant*: `now`; `-90m` (before now); a date and a time of day (`2026-11-20 14:00`, RFC 3339); a time of day, which is the last one
///   that has begun; a whole number since 1970, of seconds, milliseconds, microseconds or nanoseconds by its size;
/// - a *period*: `today`, `yesterday`, a weekday (the last one, never today), `2026-11-20`, `2026-11`, `2026`;
/// - a *range* `A..B`: from A, or the beginning of its period, to B, or the end of its period; either may be missing. A time of day behind the
///   dots is the first at or after A.
///
/// A period alone is a range; an instant alone goes on to now.
public struct TimeRange: Sendable, Equatable {
  /// Nanoseconds since 1970, in the range; `nil`: from the beginning.
  public var start: Int64?
  /// Nanoseconds since 1970, no more in the range; `nil`: without end.
  public var end: Int64?

  /// Why a text is no range.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public var description: String
  }

  public init(start: Int64? = nil, end: Int64? = nil) {
    self.start = start
    self.end = end
  }

  /// Reads a range.
  ///
  /// - Parameters: `now` in nanoseconds since 1970; `zone`, in which days and times of day are meant, as `Europe/Berlin` (empty: UTC).
  public init(_ text: String, now: Int64, zone: String = "") throws(Failure) {
    let reader = try TimeReader(now: now, zone: zone)
    guard let dots = text.firstRange(of: "..") else {
      let moment = try reader.moment(text)
      self.init(start: moment.start, end: moment.end ?? now)
      if start ?? .min > end ?? .max { end = nil }
      return
    }
    let (from, to) = (text[..<dots.lowerBound].trimmed, text[dots.upperBound...].trimmed)
    guard !from.isEmpty || !to.isEmpty else {
      throw Failure(description: "a range needs a beginning or an end")
    }
    self.init()
    if !from.isEmpty { start = try reader.moment(from).start }
    if !to.isEmpty {
      let moment = try reader.moment(to, from: start)
      end = moment.end ?? moment.start
    }
    guard start ?? .min < end ?? .max else {
      throw Failure(description: "\"\(text)\" ends before it begins")
    }
  }

  /// The range between two instants as people write them; either may be missing.
  public init(
    from start: String?, to end: String?, now: Int64, zone: String = ""
  ) throws(Failure) {
    let reader = try TimeReader(now: now, zone: zone)
    if let start { self.start = try reader.moment(start).start }
    if let end { self.end = try reader.moment(end).start }
  }

  /// The instant of a number since 1970, of seconds, milliseconds, microseconds or nanoseconds by its size.
  public static func instant(_ number: Int64) -> Int64 {
    switch number.magnitude {
    case ..<100_000_000_000: number * 1_000_000_000
    case ..<100_000_000_000_000: number * 1_000_000
    case ..<100_000_000_000_000_000: number * 1_000
    default: number
    }
  }

  /// Reads one instant, of a period its beginning: what `export --start` takes.
  public static func instant(_ text: String, now: Int64, zone: String = "") throws(Failure) -> Int64 {
    try TimeReader(now: now, zone: zone).moment(text).start
  }
}

/// Reads moments: instants, and periods, which have an end.
private struct TimeReader {
  private typealias Failure = TimeRange.Failure
  private static let weekdays = [
    "thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday",
  ]
  private let now: Int64
  private let zone: TimeZoneRules
  /// The day that it is in the zone, counted from 1970.
  private let today: Int64

  init(now: Int64, zone name: String) throws(TimeRange.Failure) {
    guard let zone = TimeZoneRules.load(name) else {
      throw Failure(description: "no time zone \"\(name)\" is known to this system")
    }
    self.now = now
    self.zone = zone
    let local = now.addingReportingOverflow(zone.offset(at: now).nanoseconds)
    today = TimeLiteral.floorDivide(local.overflow ? now : local.partialValue, TimeLiteral.nanosecondsPerDay)
  }

  /// - Parameter start: where a time of day is looked for, instead of before now.
  func moment(_ text: String, from start: Int64? = nil) throws(TimeRange.Failure) -> (
    start: Int64, end: Int64?
  ) {
    let word = text.trimmed.lowercased()
    if let time = instant(word) { return (time, nil) }
    if let first = timeOfDay(word, after: start) { return (first, nil) }
    if let days = days(word), let start = midnight(days.lowerBound), let end = midnight(days.upperBound) {
      return (start, end)
    }
    let parts = word.split(separator: " ", maxSplits: 1).map(String.init)
    if parts.count == 2, let days = days(parts[0]), let time = local(days.lowerBound, parts[1]) {
      return (time, nil)
    }
    throw Failure(
      description:
        "\"\(text)\" is no time: give -1h, 14:00, yesterday, 2026-11-20, 2026-11-20 14:00, or a range of two such as 14:00..14:10"
    )
  }

  /// What has no period: `now`, `-1h`, RFC 3339, a number since 1970.
  private func instant(_ word: String) -> Int64? {
    if word == "now" { return now }
    if let sign = word.first, sign == "-" || sign == "+",
      let length = try? DurationLiteral.parse(String(word.dropFirst()))
    {
      let sum = sign == "-" ? now.subtractingReportingOverflow(length) : now.addingReportingOverflow(length)
      return sum.overflow ? nil : sum.partialValue
    }
    // Four digits are a year.
    if word.utf8.count > 4, let number = Int64(word) { return TimeRange.instant(number) }
    guard word.utf8.count > 10, word.contains(":") else { return nil }
    return TimeLiteral.parse(withSeconds(word.uppercased()), zone: zone)
  }

  /// The last time of day that has begun, or the first at or after `start`.
  private func timeOfDay(_ word: String, after start: Int64?) -> Int64? {
    guard let hour = local(today, word) else { return nil }
    guard let start else { return hour <= now ? hour : local(today - 1, word) }
    let first = start.addingReportingOverflow(zone.offset(at: start).nanoseconds).partialValue
    let day = TimeLiteral.floorDivide(first, TimeLiteral.nanosecondsPerDay)
    return (0...1).lazy.compactMap { local(day + $0, word) }.first { $0 >= start }
  }

  /// The days that a word stands for.
  private func days(_ word: String) -> Range<Int64>? {
    switch word {
    case "today": return today..<today + 1
    case "yesterday": return today - 1..<today
    case "tomorrow": return today + 1..<today + 2
    default: break
    }
    if let weekday = Self.weekdays.firstIndex(of: word) {
      let back = (today - Int64(weekday) - 1) - TimeLiteral.floorDivide(today - Int64(weekday) - 1, 7) * 7 + 1
      return today - back..<today - back + 1
    }
    let parts = word.split(separator: "-", omittingEmptySubsequences: false)
    let widths = [4, 2, 2]
    guard (1...3).contains(parts.count),
      zip(parts, widths).allSatisfy({ $0.utf8.count == $1 && $0.utf8.allSatisfy(Lexer.isDigit) })
    else { return nil }
    let numbers = parts.compactMap { Int64($0) }
    let (year, month) = (numbers[0], numbers.count > 1 ? numbers[1] : 1)
    let first = TimeLiteral.days(year: year, month: month, day: numbers.count > 2 ? numbers[2] : 1)
    let last: Int64 =
      switch numbers.count {
      case 1: TimeLiteral.days(year: year + 1, month: 1, day: 1)
      case 2: TimeLiteral.days(year: month == 12 ? year + 1 : year, month: month % 12 + 1, day: 1)
      default: first + 1
      }
    let isReal =
      (1...12).contains(month)
      && (numbers.count < 3 || TimeLiteral.date(days: first) == (year, month, numbers[2]))
    return isReal ? first..<last : nil
  }

  /// When a day begins, be it not at midnight; `nil` outside of the range of times.
  private func midnight(_ day: Int64) -> Int64? {
    let (local, isTooLarge) = day.multipliedReportingOverflow(by: TimeLiteral.nanosecondsPerDay)
    return isTooLarge ? nil : zone.instant(ofLocal: Int128(local))
  }

  /// A time of day on a day, in the zone.
  private func local(_ day: Int64, _ time: String) -> Int64? {
    guard time.utf8.count >= 5, Array(time.utf8)[2] == UInt8(ascii: ":"), (-200_000...200_000).contains(day)
    else { return nil }
    let (year, month, dayOfMonth) = TimeLiteral.date(days: day)
    guard (1...9999).contains(year) else { return nil }
    let date = [(year, 4), (month, 2), (dayOfMonth, 2)].map { number, width in
      String(repeating: "0", count: width - "\(number)".utf8.count) + "\(number)"
    }
    return TimeLiteral.parse(withSeconds(date.joined(separator: "-") + " " + time), zone: zone)
  }

  /// `2026-11-20 14:00` as `2026-11-20 14:00:00`.
  private func withSeconds(_ text: String) -> String {
    let bytes = Array(text.utf8)
    guard bytes.count >= 16, bytes[13] == UInt8(ascii: ":"),
      bytes.count == 16 || bytes[16] != UInt8(ascii: ":")
    else { return text }
    return String(decoding: bytes[..<16] + Array(":00".utf8) + bytes[16...], as: UTF8.self)
  }
}

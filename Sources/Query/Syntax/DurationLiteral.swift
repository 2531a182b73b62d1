import Storage

/// Durations as InfluxQL writes them: `1h30m`, `10s`, `500ms`, `100u`, `1ns`.
enum DurationLiteral {
  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("ns", 1), ("ms", 1_000_000), ("u", 1_000), ("µ", 1_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("h", 3_600_000_000_000), ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
  ]

  /// What a text could not be read for.
  enum Failure: Error { case invalid, overflow(String) }

  /// The nanoseconds of numbers with units, added up.
  static func parse(_ text: String) throws(Failure) -> Int64 {
    var rest = Array(text.utf8)[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { throw .invalid }
    while !rest.isEmpty {
      let digits = String(decoding: rest.prefix(while: Lexer.isDigit), as: UTF8.self)
      guard let count = Int64(digits) else { throw .invalid }
      rest = rest.dropFirst(digits.utf8.count)
      guard let unit = units.first(where: { rest.starts(with: $0.name.utf8) }) else { throw .invalid }
      rest = rest.dropFirst(unit.name.utf8.count)
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: unit.nanoseconds)
      let (sum, isSumTooLarge) = total.addingReportingOverflow(product)
      guard !isTooLarge, !isSumTooLarge else { throw .overflow("\(digits)\(unit.name)") }
      total = sum
    }
    return total
  }

  /// The months of a text such as `1mo`, `1y` or `1y6mo`; `nil` if it has any other unit, or more than a million years.
  static func parseMonths(_ text: String) -> Int64? {
    var rest = Substring(text)
    var total: Int64 = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      guard digits.count <= 7, let count = Int64(digits) else { return nil }
      if rest.hasPrefix("mo") {
        total += count
        rest = rest.dropFirst(2)
      } else if rest.hasPrefix("y") {
        total += count * 12
        rest = rest.dropFirst()
      } else {
        return nil
      }
    }
    return text.isEmpty || total > 12_000_000 ? nil : total
  }

  /// The shortest single number and unit: `90s`, `2h`, `0s`.
  static func print(_ nanoseconds: Int64) -> String {
    guard nanoseconds != 0 else { return "0s" }
    let unit = ["w", "d", "h", "m", "s", "ms", "u", "ns"].lazy
      .compactMap { name in units.first { $0.name == name } }
      .first { nanoseconds % $0.nanoseconds == 0 }
    guard let unit else { return "\(nanoseconds)ns" }
    return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
  }

  /// How long something takes, in whole seconds, milliseconds or microseconds, as `SHOW QUERIES` prints: `1m3s`, `542ms`, `7µs`.
  static func printRounded(_ duration: Duration) -> String {
    let nanoseconds = duration.wholeNanoseconds
    if nanoseconds >= 1_000_000_000 { return printGo(nanoseconds) }
    return nanoseconds >= 1_000_000 ? "\(nanoseconds / 1_000_000)ms" : "\(nanoseconds / 1_000)µs"
  }

  /// Go's form, which `SHOW RETENTION POLICIES` prints: `168h0m0s`, `1h0m0s`, `1m0s`, `0s`.
  static func printGo(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    if hours > 0 { return "\(hours)h\(minutes)m\(seconds % 60)s" }
    return minutes > 0 ? "\(minutes)m\(seconds % 60)s" : "\(seconds)s"
  }
}

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
    var rest = Substring(text)
    var total: Int64 = 0
    guard !rest.isEmpty else { throw .invalid }
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let count = Int64(digits) else { throw .invalid }
      rest = rest.dropFirst(digits.count)
      guard let unit = units.first(where: { rest.hasPrefix($0.name) }) else { throw .invalid }
      rest = rest.dropFirst(unit.name.count)
      let (product, isTooLarge) = count.multipliedReportingOverflow(by: unit.nanoseconds)
      let (sum, isSumTooLarge) = total.addingReportingOverflow(product)
      guard !isTooLarge, !isSumTooLarge else { throw .overflow("\(digits)\(unit.name)") }
      total = sum
    }
    return total
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

  /// Go's form, which `SHOW RETENTION POLICIES` prints: `168h0m0s`, `1h0m0s`, `1m0s`, `0s`.
  static func printGo(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
    if hours > 0 { return "\(hours)h\(minutes)m\(seconds % 60)s" }
    return minutes > 0 ? "\(minutes)m\(seconds % 60)s" : "\(seconds)s"
  }
}

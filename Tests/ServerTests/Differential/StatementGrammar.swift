import TestSupport

/// Makes statements over `DifferentialData`, by a seed.
struct StatementGrammar {
  /// A measurement with what it holds.
  struct Measurement {
    var name: String
    var tags: [String]
    var numbers: [String]
    /// Fields of truth values and texts.
    var booleans: [String] = []
    var strings: [String] = []
    /// Values that tags have, and do not have.
    var tagValues: [String] = []

    var fields: [String] { numbers + booleans + strings }
  }

  static let measurements = [
    Measurement(
      name: "cpu", tags: ["host", "region"], numbers: ["usage", "ticks", "load"], booleans: ["up"],
      strings: ["state"],
      tagValues: ["a", "b", "west", "east", "nosuch", ""]),
    Measurement(
      name: "disk", tags: ["host", "path"], numbers: ["free", "busy", "errors"],
      tagValues: ["a", "b", "/", "/var log", "/a=b,c"]),
    Measurement(name: "mem", tags: [], numbers: ["used", "limit"], tagValues: ["a"]),
    Measurement(
      name: "\"air temp\"", tags: ["room", "host"], numbers: ["value"], booleans: ["alarm"],
      strings: ["note"],
      tagValues: ["kitchen", "hall", "a", ""]),
    Measurement(
      name: "daily.cpu", tags: ["host", "region"], numbers: ["usage", "ticks", "load"], booleans: ["up"],
      strings: ["state"], tagValues: ["a", "d", "west"]),
    Measurement(
      name: "daily.net", tags: ["if", "host"], numbers: ["rx", "tx"], tagValues: ["eth0", "lo", "a"]),
  ]

  var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  // MARK: Choosing

  mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  mutating func one<Element>(of choices: [Element]) -> Element {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }

  /// One to `countMax` different ones, in any order.
  mutating func some<Element>(of choices: [Element], _ countMax: Int) -> [Element] {
    Array(choices.shuffled(using: &random).prefix(number(1...max(1, min(countMax, choices.count)))))
  }

  /// A statement of any kind.
  mutating func statement() -> GeneratedStatement {
    switch number(0...99) {
    case ..<11: raw()
    case ..<14: computed()
    case ..<52: aggregate()
    case ..<64: transformed()
    case ..<78: nested()
    case ..<92: show()
    default: wrong()
    }
  }

  // MARK: Conditions

  /// An instant within the data or a little beside, on a round number or not.
  mutating func instant() -> Int64 {
    let half = 30 * DifferentialData.minute
    let round = DifferentialData.start + Int64(number(-4...124)) * half
    return chance(60)
      ? round : round + Int64(number(-1...1)) + (chance(50) ? Int64(number(0...1_800)) * 1_000_000_000 : 0)
  }

  /// An instant as InfluxQL may write it.
  mutating func text(of instant: Int64) -> String {
    if instant % 1_000_000_000 == 0 {
      switch number(0...4) {
      case 0: return "\(instant / 1_000_000_000)s"
      case 1: return "\(instant / 1_000_000)ms"
      case 2: return "'\(Self.calendar(instant))Z'"
      case 3: return "'\(Self.calendar(instant + 3_600_000_000_000))Z' - 1h"
      default: break
      }
    }
    return "\(instant)"
  }

  /// A time in March 2018 as RFC 3339 writes it, without a zone.
  private static func calendar(_ instant: Int64) -> String {
    let seconds = (instant - DifferentialData.start) / 1_000_000_000 + 23 * 86_400
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return
      "2018-03-\(two(seconds / 86_400 + 1))T\(two(seconds / 3600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
  }

  /// Two bounds of time; the first may be open where `isWhole` is not asked.
  mutating func times(isWhole: Bool) -> [String] {
    let (a, b) = (instant(), instant())
    let upper = "time \(one(of: ["<", "<="])) \(text(of: max(a, b)))"
    if !isWhole, chance(10) { return [upper] }
    return ["time \(one(of: [">", ">="])) \(text(of: min(a, b)))", upper]
  }

  /// A comparison of a tag or a field of a measurement.
  mutating func comparison(_ measurement: Measurement) -> String {
    if !measurement.tags.isEmpty, chance(45) {
      let tag = one(of: measurement.tags) + (chance(10) ? "::tag" : "")
      if chance(30) {
        return "\(tag) \(one(of: ["=~", "!~"])) \(one(of: ["/a/", "/^(a|west)$/", "/t/", "/^$/", "/[b-z]/"]))"
      }
      if chance(8) { return "\(tag) \(one(of: ["=", "!="])) $tag" }
      if chance(6) {
        // Long enough to be searched as a list.
        let values = measurement.tagValues + (0..<8).map { "v\($0)" }
        let sign = one(of: ["=", "!="])
        return "(" + values.map { "\(tag) \(sign) '\($0)'" }.joined(separator: sign == "=" ? " OR " : " AND ") + ")"
      }
      return "\(tag) \(one(of: ["=", "!=", "<>"])) '\(one(of: measurement.tagValues))'"
    }
    if !measurement.strings.isEmpty, chance(15) {
      let field = one(of: measurement.strings)
      if chance(30) { return "\(field) \(one(of: ["=~", "!~"])) /\(one(of: ["i", "^w", "d$"]))/" }
      return "\(field) \(one(of: ["=", "!="])) '\(one(of: ["idle", "busy", "ok", "it\\'s \"so\"", ""]))'"
    }
    if !measurement.booleans.isEmpty, chance(15) {
      return "\(one(of: measurement.booleans)) \(one(of: ["=", "!="])) \(one(of: ["true", "false", "$truth"]))"
    }
    let field = chance(4) ? "nosuch" : one(of: measurement.numbers)
    let sign = one(of: ["<", "<=", ">", ">=", "=", "!="])
    let value = one(of: ["0", "10", "25.5", "50", "-3", "1000"])
    if chance(10) { return "\(value) \(sign) \(field)" }
    if chance(10) { return "\(field) \(one(of: ["+", "-", "*"])) 2 \(sign) \(one(of: measurement.numbers))" }
    if chance(8) { return "\(field) \(sign) \(one(of: ["$number", "$whole"]))" }
    return "\(field) \(sign) \(value)"
  }

  /// The values of bind parameters, as JSON: sent with every statement.
  static let parameters = "{\"tag\":\"a\",\"number\":25.5,\"whole\":10,\"truth\":true}"

  /// What a statement asks of rows, besides their times.
  mutating func conditions(_ measurement: Measurement) -> [String] {
    guard chance(55) else { return [] }
    var terms = [comparison(measurement)]
    if chance(30) { terms.append("(\(comparison(measurement)) OR \(comparison(measurement)))") }
    if chance(8) {
      terms = ["(\(comparison(measurement)) AND \(comparison(measurement)) OR \(comparison(measurement)))"]
    }
    if chance(15) { terms.append(comparison(measurement)) }
    return terms
  }

  // MARK: What follows

  /// Tags to group by.
  mutating func tags(_ measurement: Measurement) -> [String] {
    guard chance(45) else { return [] }
    if chance(15) { return ["*"] }
    if chance(10) { return ["/\(one(of: ["o", "reg", "h|p", "zz"]))/"] }
    if measurement.tags.isEmpty || chance(5) { return ["nosuch"] }
    return some(of: measurement.tags, 2)
  }

  mutating func interval() -> String {
    let length = one(of: ["30m", "1h", "2h", "90m", "6h", "1d", "7h", "3600s", "40m"])
    return chance(25) ? "time(\(length), \(one(of: ["10m", "-20m", "1h", "7m"])))" : "time(\(length))"
  }

  mutating func fill() -> [String] {
    chance(50) ? ["fill(\(one(of: ["null", "none", "previous", "linear", "0", "7", "-2.5"])))"] : []
  }

  /// `ORDER BY`, `LIMIT` and the like.
  mutating func limits() -> [String] {
    var out: [String] = []
    if chance(30) { out.append("ORDER BY time \(chance(80) ? "DESC" : "ASC")") }
    if chance(25) { out.append("LIMIT \(number(1...6))") }
    if chance(12) { out.append("OFFSET \(number(0...4))") }
    if chance(12) { out.append("SLIMIT \(number(1...3))") }
    if chance(8) { out.append("SOFFSET \(number(0...3))") }
    return out
  }

  mutating func zone() -> [String] {
    chance(12) ? ["tz('\(one(of: ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]))')"] : []
  }

  /// Where a statement reads that knows the fields of a measurement: that one, or more.
  mutating func source(_ measurement: Measurement) -> GeneratedStatement.Source {
    switch number(0...99) {
    case ..<5: .names([measurement.name, one(of: Self.measurements).name])
    case ..<8:
      .names([
        one(of: [
          "/cpu|disk/", "/^m/", "/./", "daily./n/", "metrics..mem", "\"metrics\".\"daily\".\"net\"",
          "other..cpu",
        ])
      ])
    default: .names([measurement.name])
    }
  }

  /// A number of a measurement's, sometimes with a cast.
  mutating func field(_ measurement: Measurement) -> String {
    if chance(2) { return "nosuch" }
    return one(of: measurement.numbers) + (chance(4) ? "::\(one(of: ["float", "integer", "field"]))" : "")
  }
}

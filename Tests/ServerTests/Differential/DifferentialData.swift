import TestSupport

/// The points that both servers get: seeded, the same for the same seed.
///
/// Floats of most fields are quarters, so that sums of them are exact; `busy` and `load` have all their digits. No field has two
/// types, and no two points of one series the same time.
struct DifferentialData {
  /// 2018-03-24 00:00 UTC: the clocks of Berlin are put forward in the second night.
  static let start: Int64 = 1_521_849_600_000_000_000
  static let hour: Int64 = 3_600_000_000_000
  static let minute: Int64 = 60_000_000_000
  /// Of all points, two days and a half.
  static let end = start + 60 * hour

  /// What makes the databases, before the points are written.
  static let definitions = [
    "CREATE DATABASE metrics",
    "CREATE RETENTION POLICY daily ON metrics DURATION INF REPLICATION 1 SHARD DURATION 1d",
    "CREATE DATABASE other",
  ]

  /// Line protocol by database and policy.
  private(set) var bodies: [(database: String, policy: String, lines: String)] = []
  private var random: SplitMix64

  init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    bodies.append(
      ("metrics", "autogen", cpu(hosts: ["a", "b", "c"], step: 20, count: 48) + disk() + memory() + air()))
    bodies.append(("metrics", "daily", cpu(hosts: ["a", "d"], step: 60, count: 24) + network()))
    bodies.append(("other", "autogen", memory() + cpu(hosts: ["z"], step: 30, count: 12)))
  }

  private mutating func quarter(_ range: ClosedRange<Int>) -> Double {
    Double(Int.random(in: range, using: &random)) / 4
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  /// Regular, all series at the same times, of which each third is missing somewhere; the first day and a half.
  private mutating func cpu(hosts: [String], step: Int64, count: Int64) -> String {
    var out = ""
    for host in hosts {
      for region in host == "b"
        ? ["", ",region=west"] : host == "c" ? [",region=east"] : [",region=west", ",region=east"]
      {
        for index in 0..<count where chance(80) {
          let time = Self.start + index * step * Self.minute
          var fields = [
            "usage=\(quarter(-200...400))", "ticks=\(Int.random(in: -50...100, using: &random))i",
          ]
          if chance(30) { fields.append("load=\(Double.random(in: 0.5..<8, using: &random))") }
          if chance(70) { fields.append("up=\(chance(60))") }
          if chance(50) {
            fields.append(
              "state=\"\(["idle", "busy", "it's \\\"so\\\"", ""].randomElement(using: &random)!)\"")
          }
          if chance(10) { fields.removeFirst() }
          out += "cpu,host=\(host)\(region) \(fields.joined(separator: ",")) \(time)\n"
        }
      }
    }
    return out
  }

  /// Irregular, no time twice in the measurement; some at the edges of buckets and one nanosecond beside.
  private mutating func disk() -> String {
    var out = ""
    var used = Set<Int64>()
    for host in ["a", "b"] {
      for path in ["/", "/var\\ log", "/a\\=b\\,c"] {
        for index in 0..<30 {
          var time = Self.start + Int64.random(in: 0..<48 * Self.hour, using: &random)
          if index % 5 == 0 {
            time = Self.start + Int64.random(in: 0..<96, using: &random) * 30 * Self.minute
          }
          if index % 5 == 1 {
            time = Self.start + Int64.random(in: 1..<96, using: &random) * 30 * Self.minute - 1
          }
          guard used.insert(time).inserted else { continue }
          var fields = ["free=\(Int.random(in: 0...100_000, using: &random))i"]
          if chance(60) { fields.append("busy=\(Double.random(in: 0..<100, using: &random))") }
          if chance(20) { fields.append("errors=\(Int.random(in: 0...3, using: &random))i") }
          out += "disk,host=\(host),path=\(path) \(fields.joined(separator: ",")) \(time)\n"
        }
      }
    }
    return out
  }

  /// One series without tags; a gap of six hours.
  private mutating func memory() -> String {
    var out = ""
    for index in 0..<80 where !(20..<32).contains(index) {
      let time = Self.start + Int64(index) * 30 * Self.minute + (index % 7 == 0 ? 1 : 0)
      out += "mem used=\(quarter(0...4_000))"
      if chance(30) { out += ",limit=\(Int.random(in: 1...9, using: &random))i" }
      out += " \(time)\n"
    }
    return out
  }

  /// A name with a blank, few different values, truth values and texts.
  private mutating func air() -> String {
    var out = ""
    for (place, room) in ["kitchen", "hall", "attic"].enumerated() {
      for index in 0..<40 {
        let time = Self.start + Int64(index) * 73 * Self.minute + Int64(place) * 1_000_000_007
        var fields = ["value=\(quarter(-8...8))"]
        if chance(40) { fields.append("alarm=\(chance(30))") }
        if chance(40) { fields.append("note=\"\(["ok", "cold", "warm"].randomElement(using: &random)!)\"") }
        out +=
          "air\\ temp,room=\(room)\(room == "hall" ? ",host=a" : "") \(fields.joined(separator: ",")) \(time)\n"
      }
    }
    return out
  }

  /// Counters that rise and are now and then set back.
  private mutating func network() -> String {
    var out = ""
    for (place, name) in ["eth0", "lo"].enumerated() {
      var (received, sent) = (0, 0.0)
      for index in 0..<100 {
        received = chance(5) ? 0 : received + Int.random(in: 0...500, using: &random)
        sent += quarter(0...100)
        let time = Self.start + Int64(index) * 36 * Self.minute + Int64(place) * Self.minute
        out += "net,if=\(name),host=a rx=\(received)i,tx=\(sent) \(time)\n"
      }
    }
    return out
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

/// Rules that send points to policies, and what a source without a policy reads then.
@Suite("Policy rules")
struct StoreRulesTests {
  private static let day: Int64 = 86_400_000_000_000

  private static func bench() throws -> ClockedStore {
    let bench = try ClockedStore()
    try bench.store.createPolicy("week", on: "metrics", ttl: 7 * day, windowLength: nil, isDefault: false)
    try bench.store.createPolicy("short", on: "metrics", ttl: day, windowLength: nil, isDefault: false)
    try bench.store.setRules(
      [
        PolicyRule(measurement: "*", tagKey: "env", tagValue: "test*", policy: "short"),
        PolicyRule(measurement: "cpu*", policy: "week"),
      ], of: "metrics")
    return bench
  }

  /// What a source without a policy reads.
  private static func read(_ bench: ClockedStore) throws -> [String] {
    try bench.driver.dump(of: bench.store.snapshot(of: bench.store.ruledKeyspaces(of: "metrics")))
  }

  @Test(
    "points that name no policy go where the first rule that fits sends them; others stay where they are meant for"
  )
  func routing() throws {
    let bench = try Self.bench()
    let time = ClockedStore.start
    let result = try bench.driver.writeDurably(
      "mem v=1i \(time)\ncpu v=2i \(time)\ncpu,env=test1 v=3i \(time)\ncpu_total v=4i \(time)\nmem,env=testing v=5i \(time)\n"
    )
    #expect(result.acceptedCount == 5)
    try bench.driver.write("cpu v=6i \(time + 1)\n", policy: "short")
    #expect(try bench.driver.dump() == ["mem v=1i \(time)"])
    #expect(try bench.driver.dump(policy: "week") == ["cpu v=2i \(time)", "cpu_total v=4i \(time)"])
    #expect(
      try bench.driver.dump(policy: "short")
        == ["cpu v=6i \(time + 1)", "cpu,env=test1 v=3i \(time)", "mem,env=testing v=5i \(time)"])
    let all = try Self.read(bench)
    #expect(all.count == 6)
    try bench.store.flush()
    #expect(try Self.read(bench) == all)
    try bench.reopen()
    try bench.driver.writeDurably("cpu v=7i \(time)\n")
    #expect(try bench.driver.dump(policy: "week") == ["cpu v=7i \(time)", "cpu_total v=4i \(time)"])
    #expect(bench.store.rules(of: "metrics").count == 2)
  }

  @Test(
    "each policy expires its own; a row that its policy refuses is refused and counted, and the others are stored"
  )
  func expiry() throws {
    let bench = try Self.bench()
    let old = ClockedStore.start - 3 * Self.day
    let result = try bench.driver.write("mem v=1i \(old)\ncpu v=2i \(old)\ncpu,env=test v=3i \(old)\n")
    #expect(result.acceptedCount == 2)
    #expect(result.rejects.map(\.reason) == [.expired] && result.rejects.map(\.line) == [3])
    #expect(try Self.read(bench) == ["cpu v=2i \(old)", "mem v=1i \(old)"])
    bench.clocks.advance(seconds: 5 * 86_400)
    #expect(try Self.read(bench) == ["mem v=1i \(old)"])
  }

  @Test("when rules change, old points stay and are read, and the newer of two writes to one point wins")
  func changed() throws {
    let bench = try Self.bench()
    let time = ClockedStore.start
    try bench.driver.writeDurably("cpu a=1i,b=1i \(time)\n")
    try bench.store.flush()
    try bench.store.setRules([], of: "metrics")
    try bench.driver.writeDurably("cpu a=2i \(time)\ncpu a=9i \(time + 40 * Self.day)\n")
    let wanted = ["cpu a=2i \(time)", "cpu a=9i \(time + 40 * Self.day)", "cpu b=1i \(time)"]
    #expect(try Self.read(bench) == wanted)
    try bench.store.compact()
    #expect(try Self.read(bench) == wanted)
    try bench.reopen()
    #expect(try Self.read(bench) == wanted)
  }

  @Test("many windows of different lengths over the same time give each point once, in order")
  func windows() throws {
    let bench = try ClockedStore()
    try bench.store.createPolicy(
      "hourly", on: "metrics", ttl: 0, windowLength: 3_600_000_000_000, isDefault: false)
    try bench.store.setRules(
      [PolicyRule(measurement: "m", tagKey: "s", tagValue: "?1", policy: "hourly")], of: "metrics")
    var wanted: [String] = []
    for step in 0..<400 {
      let line = "m,s=a\(step % 3) v=\(step)i \(ClockedStore.start + Int64(step) * 1_500_000_000_000)"
      wanted.append(line)
      try bench.driver.write(line + "\n")
      if step % 150 == 149 { try bench.store.flush() }
    }
    #expect(try Self.read(bench) == wanted.sorted())
    #expect(try bench.driver.dump(policy: "hourly").count == 133)
    #expect(try bench.driver.dump().count == 267)
  }

  @Test("a policy that is not there, too many rules, a database that is not there")
  func refused() throws {
    let bench = try Self.bench()
    let rule = PolicyRule(measurement: "x", policy: "week")
    #expect(throws: StorageError.self) {
      try bench.store.setRules([PolicyRule(measurement: "x", policy: "nosuch")], of: "metrics")
    }
    #expect(throws: StorageError.self) { try bench.store.setRules([rule], of: "nosuch") }
    try bench.store.setRules(Array(repeating: rule, count: Store.ruleCountMax), of: "metrics")
    #expect(throws: StorageError.self) {
      try bench.store.setRules(Array(repeating: rule, count: Store.ruleCountMax + 1), of: "metrics")
    }
    #expect(bench.store.rules(of: "metrics").count == Store.ruleCountMax)
  }

  @Test(
    "a pattern fits whole names",
    arguments: [
      ("cpu", "cpu", true), ("cpu", "cpux", false), ("*", "", true), ("?", "", false), ("c*u", "cpu", true),
      ("c*u", "cu", true),
      ("*a*b*", "xxaxxbxx", true), ("*a*b*", "xxbxxaxx", false), ("a?c*", "abcd", true), ("**x", "aax", true),
      ("*ab", "aab", true),
    ])
  func patterns(pattern: String, name: String, fits: Bool) throws {
    let bench = try ClockedStore()
    try bench.store.createPolicy("p", on: "metrics", ttl: 0, windowLength: nil, isDefault: false)
    try bench.store.setRules(
      [PolicyRule(measurement: "m", tagKey: "t", tagValue: pattern, policy: "p")], of: "metrics")
    try bench.driver.write("m\(name.isEmpty ? "" : ",t=\(name)") v=1i \(ClockedStore.start)\n")
    #expect(try bench.driver.dump(policy: "p").count == (fits ? 1 : 0))
  }
}

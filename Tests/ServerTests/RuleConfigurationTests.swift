import Server
import Storage
import Testing

@Suite("Rules as an operator writes them")
struct RuleConfigurationTests {
  private static func read(_ text: String) -> RuleConfiguration? {
    RuleConfiguration(text) { $0 == "7d" ? 7 : nil }
  }

  @Test("database, tag and TTL may be left out")
  func forms() {
    let plain = Self.read("cpu*=>week")
    #expect(plain?.database == nil && plain?.ttl == nil)
    #expect(plain?.rule == PolicyRule(measurement: "cpu*", policy: "week"))
    let full = Self.read("edge:a b{env=te st=x}=>week=7d")
    #expect(full?.database == "edge" && full?.ttl == 7)
    #expect(full?.rule == PolicyRule(measurement: "a b", tagKey: "env", tagValue: "te st=x", policy: "week"))
    #expect(Self.read("*{env=}=>week")?.rule?.tagValue == "")
    let none = Self.read("edge:")
    #expect(none?.database == "edge" && none != nil && none?.rule == nil)
  }

  @Test(
    "what is no rule is not taken",
    arguments: [
      "", ":", "cpu", "cpu=>", "=>week", "cpu=>week=", "cpu=>week=soon", ":cpu=>week", "cpu{env}=>week",
      "cpu{env=a=>week",
      "cpu{=a}=>week", "{a=b}=>week",
    ])
  func refused(text: String) { #expect(Self.read(text) == nil) }
}

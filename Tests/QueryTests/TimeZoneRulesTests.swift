import TestSupport
import Testing

@testable import Query

@Suite("Time zones")
struct TimeZoneRulesTests {
  @Test(
    "the instant of a local time is the first that shows it, or the change that passes it over",
    arguments: [
      "America/Sao_Paulo", "Pacific/Apia", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Gaza",
      "Asia/Kathmandu", "",
    ])
  func instants(zone name: String) throws {
    let zone = try #require(TimeZoneRules.load(name))
    let minute: Int64 = 60_000_000_000
    var random = SplitMix64(seed: 7)
    var changes: [Int64] = []
    var time = try #require(QueryTime.parse("2005-01-01T00:00:00Z"))
    while time < 1_600_000_000_000_000_000 {
      changes.append(time)
      time = zone.offset(at: time).valid.upperBound
    }
    for change in changes {
      for _ in 0..<200 {
        // In the days around a change, to the minute.
        let local = change + (Int64(random.next() % 6_000) - 3_000) * minute
        let found = zone.instant(ofLocal: Int128(local))
        // What shows this local time, looked for among all offsets near.
        let offsets = Set([-3, 0, 3].map { zone.offset(at: local + $0 * 1_440 * minute).nanoseconds })
        let shown = offsets.map { local - $0 }.filter { $0 + zone.offset(at: $0).nanoseconds == local }.min()
        if let shown {
          #expect(found == shown)
        } else {
          #expect(zone.offset(at: found).valid.lowerBound == found, "\(name): \(local)")
        }
      }
    }
    #expect(zone.instant(ofLocal: Int128(Int64.max) + 1) <= Int64.max && zone.instant(ofLocal: Int128(Int64.min) - 1) >= Int64.min)
  }
}

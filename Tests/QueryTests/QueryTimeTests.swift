import Query
import Testing

@Suite("Times in queries")
struct QueryTimeTests {
  @Test(
    "texts of instants",
    arguments: [
      ("1970-01-01T00:00:00Z", Int64(0)), ("2016-01-01T08:00:00Z", 1_451_635_200_000_000_000),
      ("2016-01-01", 1_451_606_400_000_000_000), ("2016-01-01 08:00:00", 1_451_635_200_000_000_000),
      ("2016-01-01T08:00:00.000000001Z", 1_451_635_200_000_000_001), ("1969-12-31T23:59:59.5Z", -500_000_000),
      ("2016-01-01T10:00:00+02:00", 1_451_635_200_000_000_000), ("2000-02-29", 951_782_400_000_000_000),
    ])
  func parse(text: String, time: Int64) {
    #expect(QueryTime.parse(text) == time)
  }

  @Test(
    "what is no time is refused",
    arguments: [
      "", "abc", "2016-13-01", "2016-02-30", "2016-01-01T25:00:00Z", "2016-1-1", "2016-01-01T08:00:00.Z",
      "9999-01-01",
      "2016-01-01x",
    ])
  func refused(text: String) {
    #expect(QueryTime.parse(text) == nil)
  }

  @Test("every day of 400 years goes there and back")
  func roundTrip() {
    var wrong = 0
    for day in stride(from: Int64(-106_000), to: 106_000, by: 1) {
      let time = day * 86_400_000_000_000 + 3_661_000_000_001
      if time.addingReportingOverflow(0).overflow == false, QueryTime.parse(QueryTime.print(time)) != time {
        wrong += 1
      }
    }
    #expect(wrong == 0)
  }

  @Test("local times follow the zone's rules")
  func zones() {
    #expect(QueryTime.parse("2023-07-01 12:00:00", zone: "Europe/Berlin") == 1_688_205_600_000_000_000)
    #expect(QueryTime.parse("2023-12-01 12:00:00", zone: "Europe/Berlin") == 1_701_428_400_000_000_000)
    #expect(QueryTime.parse("2023-12-01T12:00:00Z", zone: "Europe/Berlin") == 1_701_432_000_000_000_000)
  }
}

import Query
import Storage
import TestSupport
import Testing

/// `GROUP BY time(1mo)` and the like: buckets as a zone's calendar has them.
@Suite("Calendar buckets")
struct CalendarTests {
  private func run(_ text: String, _ lines: String, windowLength: Int64 = 604_800_000_000_000) throws
    -> StatementResult
  {
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines], windowLength: windowLength))
    var results: [StatementResult] = []
    let now = try #require(QueryTime.parse("2025-01-01T00:00:00Z"))
    try QueryEngine(catalog: catalog).run(QueryRequest(text: text, database: "d", now: now)) {
      results.append($0)
    }
    return try #require(results.first)
  }

  /// A point at each of these times, worth its place.
  private func points(_ times: [String]) throws -> String {
    try times.enumerated().map { place, time in
      "m,h=h\(place % 2) v=\(place)i \(try #require(QueryTime.parse(time)))"
    }.joined(separator: "\n")
  }

  private func rows(_ result: StatementResult) throws -> [String] {
    #expect(result.error == nil)
    let series = try #require(result.series.first)
    return (0..<series.rowCount).map { row in
      let value = modelValue(series.columns[0], row).map { "\($0)" } ?? "-"
      return "\(QueryTime.print(series.timestamps?[row] ?? 0)) \(value)"
    }
  }

  @Test(
    "buckets begin at the same times whether values are summed up or kept",
    arguments: ["", "Europe/Berlin", "America/New_York", "Asia/Kolkata"], ["1h", "7m", "1d", "1mo"])
  func times(zone: String, interval: String) throws {
    for first in [Int64.min + 1_000_000_000_000_000, 0, 1_711_843_200_000_000_000, Int64.max - 1_000_000_000_000_000] {
      let lines = (0..<40).map { "m v=\($0)i \(first + Int64($0) * 2_000_000_000_000)" }.joined(separator: "\n")
      func answer(_ call: String) throws -> StatementResult {
        try run(
          "SELECT \(call)(v) FROM m WHERE time >= \(first) AND time < \(first + 80_000_000_000_000) "
            + "GROUP BY time(\(interval)) fill(3)\(zone.isEmpty ? "" : " tz('\(zone)')")", lines)
      }
      let (summed, kept) = (try answer("sum"), try answer("median"))
      #expect(summed.error == kept.error, "\(first)")
      #expect(summed.series.first?.timestamps == kept.series.first?.timestamps, "\(first)")
      #expect(summed.error != nil || summed.series.count == 1, "\(first)")
    }
  }

  @Test("months have the calendar's lengths, in leap years too, and empty ones are there")
  func months() throws {
    let lines = try points([
      "2024-01-01T00:00:00Z", "2024-01-31T23:59:59.999999999Z", "2024-02-01T00:00:00Z",
      "2024-02-29T12:00:00Z",
      "2024-03-01T00:00:00Z", "2024-05-31T00:00:00Z",
    ])
    let range = "FROM m WHERE time >= '2024-01-01' AND time < '2024-06-01'"
    #expect(
      try rows(run("SELECT count(v) \(range) GROUP BY time(1mo)", lines)) == [
        "2024-01-01T00:00:00Z integer(2)", "2024-02-01T00:00:00Z integer(2)",
        "2024-03-01T00:00:00Z integer(1)",
        "2024-04-01T00:00:00Z integer(0)", "2024-05-01T00:00:00Z integer(1)",
      ])
    #expect(
      try rows(
        run("SELECT last(v) \(range) GROUP BY time(1mo) fill(previous) ORDER BY time DESC LIMIT 2", lines))
        == [
          "2024-05-01T00:00:00Z integer(5)", "2024-04-01T00:00:00Z integer(5)",
        ])
    #expect(
      try rows(run("SELECT median(v) \(range) GROUP BY time(2mo) fill(none)", lines)) == [
        "2024-01-01T00:00:00Z float(1.5)", "2024-03-01T00:00:00Z float(4.0)",
        "2024-05-01T00:00:00Z float(5.0)",
      ])
    #expect(
      try rows(run("SELECT sum(v) \(range) GROUP BY time(1mo, 14d) fill(none)", lines)) == [
        "2023-12-15T00:00:00Z integer(0)", "2024-01-15T00:00:00Z integer(3)",
        "2024-02-15T00:00:00Z integer(7)",
        "2024-05-15T00:00:00Z integer(5)",
      ])
  }

  @Test("quarters and years begin in January, before 1970 too")
  func years() throws {
    let lines = try points([
      "1968-12-31T23:00:00Z", "1969-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z",
      "1972-12-31T00:00:00Z",
    ])
    let range = "FROM m WHERE time >= '1968-01-01' AND time < '1973-01-01'"
    #expect(
      try rows(run("SELECT count(v) \(range) GROUP BY time(1y)", lines)) == [
        "1968-01-01T00:00:00Z integer(1)", "1969-01-01T00:00:00Z integer(2)",
        "1970-01-01T00:00:00Z integer(1)",
        "1971-01-01T00:00:00Z integer(0)", "1972-01-01T00:00:00Z integer(1)",
      ])
    #expect(
      try rows(run("SELECT first(v) \(range) GROUP BY time(3mo) fill(none)", lines)) == [
        "1968-10-01T00:00:00Z integer(0)", "1969-01-01T00:00:00Z integer(1)",
        "1969-10-01T00:00:00Z integer(2)",
        "1970-01-01T00:00:00Z integer(3)", "1972-10-01T00:00:00Z integer(4)",
      ])
  }

  @Test("months of a zone begin at its midnight, and the change of its clocks moves none")
  func zone() throws {
    let lines = try points([
      "2024-02-29T22:59:59Z", "2024-02-29T23:00:00Z", "2024-03-31T21:59:59Z", "2024-03-31T22:00:00Z",
      "2024-10-31T22:59:59Z", "2024-10-31T23:00:00Z",
    ])
    let range = "FROM m WHERE time >= '2024-02-01' AND time < '2024-12-01'"
    for (call, name) in [("count(v)", "integer"), ("count(distinct(v))", "integer")] {
      #expect(
        try rows(run("SELECT \(call) \(range) GROUP BY time(1mo) tz('Europe/Berlin')", lines)) == [
          "2024-01-31T23:00:00Z \(name)(1)", "2024-02-29T23:00:00Z \(name)(2)",
          "2024-03-31T22:00:00Z \(name)(1)",
          "2024-04-30T22:00:00Z \(name)(0)", "2024-05-31T22:00:00Z \(name)(0)",
          "2024-06-30T22:00:00Z \(name)(0)",
          "2024-07-31T22:00:00Z \(name)(0)", "2024-08-31T22:00:00Z \(name)(0)",
          "2024-09-30T22:00:00Z \(name)(1)",
          "2024-10-31T23:00:00Z \(name)(1)",
        ])
    }
  }

  @Test("the last point of the hour that a zone has twice is the last")
  func repeatedHour() throws {
    // 02:50 in summer time, then 02:10 in winter time.
    let lines = try points(["2024-10-27T00:50:00Z", "2024-10-27T01:10:00Z"])
    #expect(
      try rows(
        run(
          "SELECT last(v) FROM m WHERE time >= '2024-10-01' AND time < '2024-11-01' GROUP BY time(1mo) tz('Europe/Berlin')",
          lines))
        == ["2024-09-30T22:00:00Z integer(1)"])
  }

  @Test(
    "days and hours around a change of clocks are InfluxDB's",
    arguments: [
      // Observed at InfluxDB 1.6.7: the start of each bucket, seconds, and its sum.
      ("1h", [1_729_987_200: 1, 1_729_990_800: 5, 1_729_994_400: 4]),
      ("30m", [1_729_987_200: 1, 1_729_990_800: 2, 1_729_992_600: 3, 1_729_996_200: 4]),
      ("2h", [1_729_987_200: 10]), ("4h", [1_729_980_000: 10]), ("1d", [1_729_980_000: 10]),
    ] as [(String, [Int64: Int64])])
  func changeOfClocks(interval: String, sums: [Int64: Int64]) throws {
    let lines =
      "m v=1i 1729987200000000000\nm v=2i 1729990800000000000\nm v=3i 1729992600000000000\nm v=4i 1729996200000000000"
    for call in ["sum(v)", "count(v), sum(v)"] {
      let result = try run(
        "SELECT \(call) FROM m WHERE time >= 1729980000s AND time < 1730001600s GROUP BY time(\(interval)) fill(none) "
          + "tz('Europe/Berlin')", lines)
      let series = try #require(result.series.first)
      let column = try #require(series.columns.last)
      #expect(series.timestamps == sums.keys.sorted().map { $0 * 1_000_000_000 })
      for (row, time) in sums.keys.sorted().enumerated() {
        #expect(modelValue(column, row) == .integer(sums[time] ?? 0))
      }
    }
  }

  @Test("of a day that has an hour twice the last point is the last, and the first the first")
  func orderOfTheRepeatedHour() throws {
    let lines = try points(["2024-10-27T00:50:00Z", "2024-10-27T01:10:00Z"])
    let range = "FROM m WHERE time >= '2024-10-26' AND time < '2024-10-29'"
    for (call, value) in [("last(v)", 1), ("first(v)", 0)] {
      #expect(
        try rows(run("SELECT \(call) \(range) GROUP BY time(1d) fill(none) tz('Europe/Berlin')", lines))
          == ["2024-10-26T22:00:00Z integer(\(value))"])
    }
  }

  @Test("transformations look back whole months, and reckon with units that are said")
  func transforms() throws {
    let lines = try points([
      "2023-12-10T00:00:00Z", "2024-01-10T00:00:00Z", "2024-02-10T00:00:00Z", "2024-03-10T00:00:00Z",
    ])
    let range = "FROM m WHERE time >= '2024-01-01' AND time < '2024-04-01' GROUP BY time(1mo)"
    #expect(
      try rows(run("SELECT difference(sum(v)) \(range)", lines)) == [
        "2024-01-01T00:00:00Z integer(1)", "2024-02-01T00:00:00Z integer(1)",
        "2024-03-01T00:00:00Z integer(1)",
      ])
    #expect(
      try rows(run("SELECT derivative(sum(v), 1d) \(range)", lines)).map { String($0.prefix(7)) } == [
        "2024-01", "2024-02", "2024-03",
      ])
    #expect(
      try run("SELECT derivative(sum(v)) \(range)", lines).error
        == "derivative of months needs a unit, such as derivative(…, 1d)")
    #expect(
      try run("SELECT holt_winters(sum(v), 2, 2) \(range)", lines).error
        == "holt_winters needs time buckets of one length, not months")
  }

  @Test("a subquery by days is summed up by months")
  func subquery() throws {
    let lines = try points([
      "2024-01-31T01:00:00Z", "2024-01-31T02:00:00Z", "2024-02-01T01:00:00Z", "2024-02-03T01:00:00Z",
    ])
    #expect(
      try rows(
        run(
          "SELECT max(c) FROM (SELECT count(v) AS c FROM m WHERE time >= '2024-01-31' AND time < '2024-02-04' GROUP BY time(1d)) "
            + "WHERE time >= '2024-01-31' AND time < '2024-02-04' GROUP BY time(1mo)", lines))
        == ["2024-01-01T00:00:00Z integer(2)", "2024-02-01T00:00:00Z integer(1)"])
  }

  @Test(
    "a bucket whose first moment clocks pass over begins when they do",
    arguments: [
      ("America/Sao_Paulo", "2010-10-15T03:00:00Z", "2010-10-19T02:00:00Z", "1d", [
        "2010-10-15T03:00:00Z 24", "2010-10-16T03:00:00Z 24", "2010-10-17T03:00:00Z 23", "2010-10-18T02:00:00Z 24",
      ]),
      ("America/Sao_Paulo", "2010-10-16T15:00:00Z", "2010-10-18T02:00:00Z", "12h", [
        "2010-10-16T15:00:00Z 12", "2010-10-17T03:00:00Z 11", "2010-10-17T14:00:00Z 12",
      ]),
      ("Pacific/Apia", "2010-09-24T11:00:00Z", "2010-09-27T10:00:00Z", "1d", [
        "2010-09-24T11:00:00Z 24", "2010-09-25T11:00:00Z 24", "2010-09-26T11:00:00Z 23",
      ]),
      ("America/Asuncion", "1995-09-30T04:00:00Z", "1995-10-02T03:00:00Z", "1mo", [
        "1995-09-01T04:00:00Z 24", "1995-10-01T04:00:00Z 23",
      ]),
    ] as [(String, String, String, String, [String])])
  func skipped(_ zone: String, _ start: String, _ end: String, _ interval: String, _ expected: [String]) throws {
    let hour: Int64 = 3_600_000_000_000
    let (first, last) = (try #require(QueryTime.parse(start)), try #require(QueryTime.parse(end)))
    let lines = stride(from: first, to: last, by: Int(hour)).map { "m v=1i \($0)" }.joined(separator: "\n")
    // Where order counts, as for the second, buckets are read one by one.
    for call in ["count(v)", "count(v), first(v)"] {
      let series = try #require(
        try run(
          "SELECT \(call) FROM m WHERE time >= '\(start)' AND time < '\(end)' GROUP BY time(\(interval)) tz('\(zone)')", lines
        ).series.first)
      let found = (series.timestamps ?? []).enumerated().map { row, time in
        "\(QueryTime.print(time)) \(series.columns[0].values[row])"
      }
      #expect(found == expected, "\(call)")
    }
  }

  @Test("each point lies in the month that its date says", arguments: 1...6 as ClosedRange<UInt64>)
  func model(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let zone = [
      "", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe",
    ][Int(seed) % 6]
    let start = try #require(QueryTime.parse("2009-01-01T00:00:00Z"))
    let span: Int64 = 4 * 366 * 86_400_000_000_000
    let times = Set((0..<400).map { _ in start + Int64(random.next() >> 1) % span }).sorted()
    let lines = times.map { "m v=1i \($0)" }.joined(separator: "\n")
    let tz = zone.isEmpty ? "" : " tz('\(zone)')"
    let series = try #require(
      try run(
        "SELECT count(v) FROM m WHERE time >= \(start) AND time < \(start + span) GROUP BY time(1mo)\(tz)",
        lines
      ).series.first)
    // The bounds, by the dates that the zone's clocks show.
    let bounds = try (0...50).map { month in
      let text =
        "\(2009 + (month - 1 + 12) / 12 - 1)-\(month % 12 == 0 ? "12" : month % 12 < 10 ? "0\(month % 12)" : "\(month % 12)")-01"
      return try #require(QueryTime.parse(text, zone: zone))
    }
    var expected: [Int64: Int64] = [:]
    for time in times {
      let month = try #require(bounds.lastIndex { $0 <= time })
      expected[bounds[month], default: 0] += 1
    }
    for (row, time) in try #require(series.timestamps).enumerated() {
      #expect(bounds.contains(time))
      #expect(
        modelValue(series.columns[0], row) == .integer(expected[time] ?? 0),
        "\(QueryTime.print(time)) in \(zone)")
    }
    #expect(expected.keys.allSatisfy { series.timestamps?.contains($0) == true })
  }
}

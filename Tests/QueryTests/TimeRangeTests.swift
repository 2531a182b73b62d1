import LineProtocol
import Query
import Storage
import TestSupport
import Testing

@Suite("Ranges of time as people write them")
struct TimeRangeTests {
  /// 2026-11-26 10:30 UTC, a Thursday.
  private static let now = time("2026-11-26 10:30:00")

  private static func time(_ text: String, _ zone: String = "") -> Int64 {
    QueryTime.parse(text, zone: zone) ?? 0
  }

  private static func text(_ range: TimeRange) -> String {
    [range.start, range.end].map { $0.map(QueryTime.print) ?? "" }.joined(separator: "..")
  }

  @Test(
    "periods, instants and ranges, in UTC",
    arguments: [
      ("14:00..14:10", "2026-11-25T14:00:00Z..2026-11-25T14:10:00Z"),
      ("10:00..10:10", "2026-11-26T10:00:00Z..2026-11-26T10:10:00Z"),
      ("10:00 .. 14:00", "2026-11-26T10:00:00Z..2026-11-26T14:00:00Z"),
      ("23:00..01:00", "2026-11-25T23:00:00Z..2026-11-26T01:00:00Z"),
      ("14:00:30.5..14:10", "2026-11-25T14:00:30.5Z..2026-11-25T14:10:00Z"),
      ("yesterday", "2026-11-25T00:00:00Z..2026-11-26T00:00:00Z"),
      ("Today", "2026-11-26T00:00:00Z..2026-11-27T00:00:00Z"),
      ("wednesday", "2026-11-25T00:00:00Z..2026-11-26T00:00:00Z"),
      ("thursday", "2026-11-19T00:00:00Z..2026-11-20T00:00:00Z"),
      ("friday", "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z"),
      ("2026-11-20", "2026-11-20T00:00:00Z..2026-11-21T00:00:00Z"),
      ("2024-02", "2024-02-01T00:00:00Z..2024-03-01T00:00:00Z"),
      ("2025-12", "2025-12-01T00:00:00Z..2026-01-01T00:00:00Z"),
      ("2025", "2025-01-01T00:00:00Z..2026-01-01T00:00:00Z"),
      ("2026-11-20..2026-11-22", "2026-11-20T00:00:00Z..2026-11-23T00:00:00Z"),
      ("2026-11-20 14:00..14:10", "2026-11-20T14:00:00Z..2026-11-20T14:10:00Z"),
      ("2026-11-20T14:00:00Z..2026-11-20T14:00:01Z", "2026-11-20T14:00:00Z..2026-11-20T14:00:01Z"),
      ("2026-11-20T14:00:00+02:00..", "2026-11-20T12:00:00Z.."),
      ("yesterday 14:00..14:10", "2026-11-25T14:00:00Z..2026-11-25T14:10:00Z"),
      ("yesterday 14:00..now", "2026-11-25T14:00:00Z..2026-11-26T10:30:00Z"),
      ("-1h", "2026-11-26T09:30:00Z..2026-11-26T10:30:00Z"),
      ("-1h30m..-15m", "2026-11-26T09:00:00Z..2026-11-26T10:15:00Z"),
      ("..-1d", "..2026-11-25T10:30:00Z"), ("+1h", "2026-11-26T11:30:00Z.."),
      ("1764147600..1764147600500", "2025-11-26T09:00:00Z..2025-11-26T09:00:00.5Z"),
      ("1764147600000000..1764147600000000001", "2025-11-26T09:00:00Z..2025-11-26T09:00:00.000000001Z"),
    ])
  func ranges(text: String, expected: String) throws {
    #expect(Self.text(try TimeRange(text, now: Self.now)) == expected)
  }

  @Test("days and times of day are those of the zone, days of 23 and 25 hours too")
  func zones() throws {
    let berlin = "Europe/Berlin"
    // 23:30 UTC is half past midnight of the next day there.
    let night = Self.time("2026-11-25 23:30:00")
    #expect(
      Self.text(try TimeRange("today", now: night, zone: berlin))
        == "2026-11-25T23:00:00Z..2026-11-26T23:00:00Z")
    #expect(
      Self.text(try TimeRange("00:10..00:20", now: night, zone: berlin))
        == "2026-11-25T23:10:00Z..2026-11-25T23:20:00Z")
    #expect(
      Self.text(try TimeRange("2026-03-29", now: night, zone: berlin))
        == "2026-03-28T23:00:00Z..2026-03-29T22:00:00Z")
    #expect(
      Self.text(try TimeRange("2026-10-25", now: night, zone: berlin))
        == "2026-10-24T22:00:00Z..2026-10-25T23:00:00Z")
    #expect(
      try TimeRange.instant("2026-11-20 14:00", now: night, zone: berlin) == Self.time("2026-11-20 13:00:00"))
    #expect(try TimeRange.instant("2026-11", now: night) == Self.time("2026-11-01"))
  }

  @Test(
    "what is no range is refused with what would be one",
    arguments: [
      "", "..", "noon", "2026-13", "2026-02-30", "25:00", "14:60", "1h", "-1x", "-99999999w",
      "14:00..13:00 o'clock", "now..-1h", "20261",
      "2026-1-1", "14:0", "99999-01-01", "0000", "-", "14:00...14:10", "yesterday 99:00",
    ])
  func refused(text: String) {
    // Five digits are seconds since 1970, which is a time.
    if text == "20261" {
      #expect(throws: Never.self) { try TimeRange(text, now: Self.now) }
    } else {
      #expect(throws: TimeRange.Failure.self) { try TimeRange(text, now: Self.now) }
    }
  }

  @Test("a zone that the system does not know is named")
  func unknownZone() {
    #expect { try TimeRange("today", now: 0, zone: "Mars/Olympus") } throws: {
      "\($0)".contains("Mars/Olympus")
    }
  }

  @Test("a request's range and zone hold for each SELECT beside its own condition, and for nothing else")
  func request() throws {
    let lines = (0..<10).map { "m,host=\($0 % 2) v=\($0) \($0 * 100)" }
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines.joined(separator: "\n")], windowLength: 1_000))
    func answers(_ text: String, _ range: TimeRange, zone: String = "") throws -> [[UInt64]] {
      var request = QueryRequest(text: text, database: "d", now: 5_000)
      (request.timeRange, request.timeZone) = (range, zone)
      var words: [[UInt64]] = []
      try QueryEngine(catalog: catalog).run(request) { result in
        #expect(result.error == nil)
        words.append(result.series.flatMap { $0.columns[0].values })
      }
      return words
    }
    let range = TimeRange(start: 300, end: 700)
    let bits = { (values: [Double]) in values.map(\.bitPattern) }
    #expect(
      try answers("SELECT v FROM m; SELECT v FROM m WHERE host = '1' OR v = 4", range) == [
        bits([3, 4, 5, 6]), bits([3, 4, 5]),
      ])
    #expect(try answers("SELECT v FROM (SELECT v FROM m) WHERE time < 500", range) == [bits([3, 4])])
    #expect(try answers("SELECT v FROM m", TimeRange(start: 800)) == [bits([8, 9])])
    #expect(try answers("SELECT v FROM m", TimeRange(end: 100)) == [bits([0])])
    #expect(try answers("SHOW TAG VALUES WITH KEY = host", TimeRange(start: 5_000, end: 6_000))[0].count == 2)
    #expect(
      try answers("SELECT v FROM m WHERE time >= '1970-01-01 01:00:00'", TimeRange(), zone: "Etc/GMT-1")[0]
        .count == 10)
  }

  @Test(
    "arithmetic beside time: fractions count, in any order, rounded towards zero",
    arguments: [
      ("now() - 1u * 1.5", 6), ("now() - 1.5 * 1u", 6), ("now() - (1u + 0.9)", 6), ("now() - 3u / 2", 6), ("now() - 3u / 2.0", 6),
      ("now() - 1.4 * 500", 5), ("4000 - 1000.0", 7), ("1u * 1.5 + 2500.9", 6), ("'1970-01-01' + 7 / 2 * 1u", 6), ("3500.9 % 1000", 9),
      ("0 - 99999999999999999999.5", 10), ("99999999999999999999.5", 0),
    ])
  func arithmetic(text: String, count: Int) throws {
    let lines = (0..<10).map { "m v=\($0) \($0 * 1_000)" }.joined(separator: "\n")
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines], windowLength: 1_000_000))
    var (counts, errors) = ([Int](), [String]())
    try QueryEngine(catalog: catalog).run(QueryRequest(text: "SELECT v FROM m WHERE time >= \(text)", database: "d", now: 5_000)) {
      counts.append($0.series.first?.columns[0].values.count ?? 0)
      if let error = $0.error { errors.append(error) }
    }
    #expect(counts == [count] && errors.isEmpty, "\(errors)")
  }

  @Test(
    "times of an answer have the offset of the statement's zone, as InfluxDB writes them, in every format")
  func shownInZone() throws {
    // 2016-03-27 00:59:59 and 01:00:00 UTC: the clocks of Berlin go forward.
    let lines = "m v=1 1459040399000000000\nm v=2 1459040400500000000"
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines], windowLength: 3_600_000_000_000))
    func text(_ format: ResultFormat, _ query: String, precision: Precision? = nil, zone: String = "") throws
      -> String
    {
      var request = QueryRequest(text: query, database: "d", now: 0)
      request.timeZone = zone
      var (renderer, out) = (format.makeRenderer(RenderOptions(precision: precision)), [UInt8]())
      renderer.begin(into: &out)
      try QueryEngine(catalog: catalog).run(request) { renderer.append($0, into: &out) }
      renderer.finish(into: &out)
      return String(decoding: out, as: UTF8.self)
    }
    let query = "SELECT v FROM m"
    let (before, after) = ("2016-03-27T01:59:59+01:00", "2016-03-27T03:00:00.5+02:00")
    #expect(try text(.csv, query + " tz('Europe/Berlin')") == "time,v\n\(before),1\n\(after),2\n")
    for format in [ResultFormat.json, .jsonl, .table, .markdown, .vertical] {
      let shown = try text(format, query, zone: "Europe/Berlin")
      #expect(shown.contains(before) && shown.contains(after), "\(format)")
    }
    #expect(try text(.csv, query, zone: "America/Chicago").contains("2016-03-26T19:59:59-05:00"))
    #expect(try text(.csv, query, zone: "Europe/London").contains("2016-03-27T00:59:59Z"))
    #expect(
      try text(.csv, query, precision: .seconds, zone: "Europe/Berlin")
        == "time,v\n1459040399,1\n1459040400,2\n")
    // The statement's own zone goes first.
    #expect(
      try text(.csv, query + " tz('Asia/Kolkata')", zone: "Europe/Berlin").contains(
        "2016-03-27T06:29:59+05:30"))
    #expect(try text(.line, query, zone: "Europe/Berlin").contains(" 1459040399000000000\n"))
  }
}

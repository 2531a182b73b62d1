import Query
import Storage
import TestSupport
import Testing

/// `holt_winters`, against what InfluxDB 1.6.7 answered for the same points.
@Suite("Forecasts")
struct ForecastTests {
  /// Sixteen hours of a rising wave.
  private static let values = [
    50.5, 56.75, 59.5, 61.25, 60, 57.5, 52, 46.75, 43.25, 41.5, 43.75, 49, 54.25, 59, 63.5, 64.75,
  ]

  private func run(_ text: String, values: [Double] = values) throws -> StatementResult {
    let lines = values.enumerated().map { "m v=\($1),i=\(Int($1))i \($0 * 3_600)000000000" }.joined(
      separator: "\n")
    let catalog = FakeCatalog("d", Snapshot.ofLines([lines], windowLength: 1 << 50))
    var results: [StatementResult] = []
    try QueryEngine(catalog: catalog).run(QueryRequest(text: text, database: "d", now: 5)) {
      results.append($0)
    }
    return try #require(results.first)
  }

  private func numbers(_ series: ResultSeries) -> [Double] {
    (0..<series.rowCount).compactMap { row in
      if case .float(let value) = modelValue(series.columns[0], row) { value } else { nil }
    }
  }

  @Test("the answers are those of InfluxDB", arguments: answers)
  func agrees(text: String, start: Int64, expected: [Double]) throws {
    let series = try #require(try run(text).series.first)
    let step: Int64 = text.contains("30m") ? 1_800_000_000_000 : 3_600_000_000_000
    #expect(series.timestamps == expected.indices.map { start * 1_000_000_000 + Int64($0) * step })
    let found = numbers(series)
    #expect(found.count == expected.count)
    for (a, b) in zip(found, expected) { #expect(abs(a - b) <= 1e-6 * max(1, abs(b)), "\(a), not \(b)") }
  }

  @Test("too few points, and descending ones, forecast nothing")
  func nothing() throws {
    for text in [
      "SELECT holt_winters(mean(v), 2, 40) FROM m WHERE time < 12h GROUP BY time(1h)",
      "SELECT holt_winters(mean(v), 2, 4) FROM m WHERE time < 1h GROUP BY time(1h)",
      "SELECT holt_winters(mean(v), 2, 4) FROM m WHERE time < 12h GROUP BY time(1h) ORDER BY time DESC",
    ] {
      let result = try run(text)
      #expect(result.error == nil && result.series.isEmpty, "\(text)")
    }
  }

  @Test(
    "wrong arguments are refused in InfluxDB's words",
    arguments: [
      ("holt_winters(v, 5, 12)", "must use aggregate function with holt_winters"),
      ("holt_winters(mean(v), 0, 12)", "second arg to holt_winters must be greater than 0, got 0"),
      ("holt_winters(mean(v), 5, -1)", "third arg to holt_winters cannot be negative, got -1"),
      ("holt_winters(mean(v), 5)", "invalid number of arguments for holt_winters, expected 3, got 2"),
      (
        "holt_winters_with_fit(mean(v), 2.5, 4)",
        "expected integer argument as second arg in holt_winters_with_fit"
      ),
      ("holt_winters(mean(v), 2, 'a')", "expected integer argument as third arg in holt_winters"),
      ("holt_winters(mean(v), 99999999, 4)", "holt_winters takes at most 1048576 values, got 99999999"),
      ("sample(v)", "invalid number of arguments for sample, expected 2, got 1"),
      ("sample(v, 0)", "sample window must be greater than 1, got 0"),
      ("sample(v, 2.5)", "expected integer argument in sample()"),
    ])
  func refused(call: String, message: String) throws {
    #expect(try run("SELECT \(call) FROM m WHERE time < 12h GROUP BY time(1h)").error == message)
  }

  @Test("a forecast without buckets is refused")
  func unbucketed() throws {
    #expect(
      try run("SELECT holt_winters(mean(v), 5, 4) FROM m").error
        == "holt_winters aggregate requires a GROUP BY interval")
  }

  @Test("a sample holds points of the series, as many as asked, by time, with their fields")
  func sample() throws {
    for _ in 0..<50 {
      let series = try #require(try run("SELECT sample(v, 5), i FROM m").series.first)
      let times = try #require(series.timestamps)
      #expect(times.count == 5 && times == times.sorted() && Set(times).count == 5)
      for (row, time) in times.enumerated() {
        let value = Self.values[Int(time / 3_600_000_000_000)]
        #expect(modelValue(series.columns[0], row) == .float(value))
        #expect(modelValue(series.columns[1], row) == .integer(Int64(value)))
      }
    }
  }

  @Test("a sample of more than there is is all of it, and each bucket has its own")
  func sampleOfAll() throws {
    let all = try #require(try run("SELECT sample(v, 100) FROM m").series.first)
    #expect(numbers(all) == Self.values)
    let parts = try #require(
      try run("SELECT sample(v, 1) FROM m WHERE time < 16h GROUP BY time(4h)").series.first)
    #expect(parts.timestamps?.map { $0 / 14_400_000_000_000 } == [0, 1, 2, 3])
  }

  @Test("each point is as likely in a sample as any other")
  func sampleIsFair() throws {
    let text = Array(repeating: "SELECT sample(v, 4) FROM m", count: 2_000).joined(separator: ";")
    let lines = (0..<16).map { "m v=\($0) \($0)" }.joined(separator: "\n")
    var counts = [Int](repeating: 0, count: 16)
    try QueryEngine(catalog: FakeCatalog("d", Snapshot.ofLines([lines], windowLength: 1 << 50)))
      .run(QueryRequest(text: text, database: "d", now: 5)) { result in
        for value in numbers(result.series[0]) { counts[Int(value)] += 1 }
      }
    // 500 of each are expected, with a standard deviation of 19: ten of these are less likely than a broken machine.
    #expect(counts.reduce(0, +) == 8_000 && counts.allSatisfy { abs($0 - 500) < 194 }, "\(counts)")
  }
}

extension ForecastTests {
  /// Statement, seconds of the first value, values.
  static let answers: [(String, Int64, [Double])] = [
    (
      "SELECT holt_winters(mean(v), 5, 0) FROM m WHERE time < 16h GROUP BY time(1h)", 57600,
      [
        54.17856464922475, 54.17856464922475, 54.17856464922475, 54.17856464922475, 54.17856464922475,
      ]
    ),
    (
      "SELECT holt_winters(mean(v), 4, 1) FROM m WHERE time < 16h GROUP BY time(1h)", 57600,
      [
        54.17856464922475, 54.17856464922475, 54.17856464922475, 54.17856464922475,
      ]
    ),
    (
      "SELECT holt_winters(mean(v), 4, 4) FROM m WHERE time < 16h GROUP BY time(1h)", 57600,
      [
        69.68930707614162, 79.9972235846783, 81.99215756176035, 112.22426178814351,
      ]
    ),
    (
      "SELECT holt_winters(mean(v), 6, 6) FROM m WHERE time < 16h GROUP BY time(1h)", 57600,
      [
        53.069079049284966, 54.18628520325142, 53.08426356518695, 54.198700207833, 54.02430748669641,
        54.215022831596904,
      ]
    ),
    (
      "SELECT holt_winters(mean(i), 3, 4) FROM m WHERE time < 16h GROUP BY time(1h)", 57600,
      [
        73.8097503444344, 89.47884256852804, 97.00320865946847,
      ]
    ),
    (
      "SELECT holt_winters_with_fit(mean(v), 2, 3) FROM m WHERE time < 8h GROUP BY time(1h)", 0,
      [
        50.5, 51.87314360845088, 57.4574286978, 62.4165914122692, 54.91638103906543,
        56.52666318514516, 56.18976270746769, 50.2868307108737, 48.20523433365714, 43.76224032982705,
      ]
    ),
    (
      "SELECT holt_winters(mean(v), 3, 4) FROM m WHERE time < 16h GROUP BY time(30m)", 55800,
      [
        -42.54324590798266, 66.91504521908033, 109.47209011949923,
      ]
    ),
    (
      "SELECT holt_winters(count(v), 3, 2) FROM m WHERE time < 16h GROUP BY time(30m)", 57600,
      [
        1.0064696330408829, -0.0015857266537175336, 1.0078202819625879,
      ]
    ),
  ]
}

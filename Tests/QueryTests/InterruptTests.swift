import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// How much is done between two looks at whether a statement is to go on, counted in looks and never in time.
@Suite("Interrupted statements")
struct InterruptTests {
  private static let hostCount = 4
  private static let rowCount = 40_000
  private static let seriesCount = 20_000
  /// Rows that are moved, compared or computed between two looks.
  private static let stepCountMax = 8_192
  private static let start = ClockedStore.start

  /// Four hosts with 10,000 rows each in one window, and a measurement of many series of one row.
  private static func bench() throws -> ClockedStore {
    let bench = try ClockedStore()
    try bench.store.createPolicy("years", on: "metrics", ttl: 0, windowLength: 365 * 86_400_000_000_000, isDefault: true)
    var lines = ""
    for row in 0..<rowCount {
      let (host, step) = (row % hostCount, row / hostCount)
      lines += "m,host=h\(host) v=\(row * 48_271 % 65_521),i=\(row % 100)i,s=\"t\(row * 7_919 % 9_973)\" \(start + Int64(step) * 1_000_000_000)\n"
    }
    try bench.driver.write(lines, policy: "years")
    lines = ""
    for number in 0..<seriesCount { lines += "many,host=h\(number),dc=d\(number % 3) v=1 \(start)\n" }
    try bench.driver.write(lines, policy: "years")
    try bench.store.flush()
    return bench
  }

  private struct Run {
    var errors: [String] = []
    var lookCount = 0
    /// Looks after the one that was told to stop.
    var laterLookCount = 0
    /// Pieces, but the last, that were handed on after that.
    var laterPieceCount = 0
    var rowCount = 0
  }

  /// Runs a statement; it is told to stop at one of its looks.
  private func run(_ text: String, _ engine: QueryEngine, stoppedAt place: Int = .max, isStreamed: Bool) throws -> Run {
    var request = QueryRequest(text: text, database: "metrics", now: Self.start + 20_000_000_000_000)
    request.isStreamed = isStreamed
    let looks = Lock(0)
    request.isCancelled = {
      looks.withLock { looks in
        looks += 1
        return looks >= place
      }
    }
    var run = Run()
    try engine.run(request) { result in
      if let error = result.error { run.errors.append(error) }
      if result.hasMore, looks.withLock({ $0 >= place }) { run.laterPieceCount += 1 }
      run.rowCount += result.series.reduce(0) { $0 + $1.rowCount }
    }
    run.lookCount = looks.withLock { $0 }
    run.laterLookCount = max(0, run.lookCount - place)
    return run
  }

  /// Statements, and how often all rows, or as many series, pass through what they do, at least.
  private static let statements: [(text: String, passCount: Double)] = [
    ("SELECT v FROM m", 2), ("SELECT v FROM m ORDER BY time DESC", 2), ("SELECT v, i, s FROM m GROUP BY host", 1),
    ("SELECT v FROM m GROUP BY host ORDER BY time DESC", 1), ("SELECT exp(v) + ln(i), pow(v, 2) FROM m WHERE s =~ /./", 3),
    ("SELECT v FROM (SELECT v FROM m) GROUP BY host", 3),
    ("SELECT max(v) FROM (SELECT v * 2 AS v FROM m WHERE v > 1 GROUP BY host)", 2),
    ("SELECT mean(v), max(i) FROM m WHERE time >= \(start) AND time < \(start + 10_000_000_000_000) GROUP BY time(1s), host", 4),
    ("SELECT last(v) FROM m WHERE time >= \(start) AND time < \(start + 10_000_000_000_000) GROUP BY time(1s), host fill(linear)", 3),
    ("SELECT top(v, 5) FROM m", 2), ("SELECT top(v, host, 2) FROM m", 3), ("SELECT bottom(v, 3) FROM m GROUP BY host", 1),
    ("SELECT distinct(s) FROM m", 2), ("SELECT count(distinct(v)) FROM m", 2), ("SELECT percentile(v, 90), s FROM m", 2),
    ("SELECT median(v) FROM m", 2), ("SELECT mode(v) FROM m", 3), ("SELECT stddev(v) FROM m", 3), ("SELECT sample(v, 3) FROM m", 2),
    ("SELECT derivative(v) FROM m GROUP BY host", 2), ("SELECT moving_average(v, 3) FROM m", 2),
    ("SELECT cumulative_sum(i) FROM m", 2), ("SELECT elapsed(v) FROM m", 2), ("SELECT integral(v) FROM m", 2),
    ("SELECT difference(median(v)) FROM m WHERE time >= \(start) AND time < \(start + 10_000_000_000_000) GROUP BY time(1s), host", 4),
    ("SELECT v INTO copy FROM m", 2), ("SELECT mean(v) INTO copy FROM m WHERE time >= \(start) GROUP BY time(1s), host", 3),
    ("SELECT m.v + many.v FROM m, many", 2), ("EXPLAIN DELETE FROM m", 0.5),
    ("EXPLAIN DELETE FROM many WHERE dc = 'd1'", 2), ("SHOW TAG VALUES FROM many WITH KEY = host WHERE dc != 'd1'", 0.5),
    ("SHOW SERIES FROM many", 2), ("SHOW TAG KEYS FROM many WHERE dc != 'd1'", 2),
    ("SHOW SERIES EXACT CARDINALITY FROM many", 2), ("SELECT v FROM many GROUP BY host", 2), ("SELECT max(v) FROM many GROUP BY host", 2),
    ("SELECT v FROM many WHERE host = 'h3' OR v < 0", 2),
  ]

  @Test("what goes over rows looks whether it is to go on once in so many of them, and does nothing more once it is told to stop")
  func looks() throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store, sink: MemorySink(bench.store))
    for (text, passCount) in Self.statements {
      for isStreamed in [false, true] {
        let whole = try run(text, engine, isStreamed: isStreamed)
        #expect(whole.errors == [] && whole.rowCount > 0, "\(text): \(whole)")
        let rows = text.contains("many") && !text.contains("FROM m,") ? Self.seriesCount : Self.rowCount
        let wanted = Int(Double(rows) * passCount) / Self.stepCountMax
        #expect(whole.lookCount >= wanted, "\(text): \(whole.lookCount) looks of \(wanted)")
        for place in Set([1, 2, whole.lookCount / 3, whole.lookCount / 2, whole.lookCount - 2]) where place > 0 {
          let stopped = try run(text, engine, stoppedAt: place, isStreamed: isStreamed)
          #expect(stopped.errors == ["query interrupted"], "\(text) at \(place) of \(whole.lookCount): \(stopped)")
          #expect(stopped.laterLookCount <= 1 && stopped.laterPieceCount == 0, "\(text) at \(place): \(stopped)")
        }
      }
    }
  }

  @Test("what groups of many time buckets hold is made with looks between, and the times of their buckets are held once for all groups")
  func buckets() throws {
    let bench = try Self.bench()
    let engine = QueryEngine(store: bench.store)
    let (bucketCount, groupCount, columnCount) = (20_000, Self.hostCount, 3)
    let text = "SELECT max(v), min(i), mean(v) FROM m WHERE time >= \(Self.start) AND time < \(Self.start + Int64(bucketCount) * 1_000_000_000) "
      + "GROUP BY time(1s), host"
    let whole = try run(text, engine, isStreamed: false)
    #expect(whole.errors == [] && whole.rowCount == groupCount * bucketCount)
    // Room for each column's buckets, then its answer.
    #expect(whole.lookCount >= groupCount * columnCount * (1 + bucketCount / Self.stepCountMax))
    var places = Set<Int>()
    try engine.run(QueryRequest(text: text, database: "metrics", now: Self.start)) { result in
      for series in result.series {
        series.timestamps?.withUnsafeBufferPointer { _ = places.insert(Int(bitPattern: $0.baseAddress)) }
      }
      #expect(result.series.count == groupCount)
    }
    #expect(places.count == 1)
  }
}

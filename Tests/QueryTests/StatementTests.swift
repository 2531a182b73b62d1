import LineProtocol
import Query
import Storage
import TestSupport
import Testing

@Suite("Statements")
struct StatementTests {
  private static func run(
    _ text: String, _ catalog: FakeCatalog, now: Int64 = 5000, limits: QueryLimits = QueryLimits(),
    isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> [StatementResult] {
    var request = QueryRequest(text: text, database: "d", now: now)
    request.isCancelled = isCancelled
    var results: [StatementResult] = []
    try QueryEngine(catalog: catalog, limits: limits).run(request) { results.append($0) }
    return results
  }

  private static func catalog(_ lines: String, windowLength: Int64 = 1000) -> FakeCatalog {
    FakeCatalog("d", Snapshot.ofLines([lines], windowLength: windowLength))
  }

  private static func words(_ column: Column, _ count: Int) -> [ModelValue?] {
    (0..<count).map { modelValue(column, $0) }
  }

  @Test("databases and policies are made, changed, listed and dropped")
  func definitions() throws {
    let catalog = FakeCatalog()
    let text = """
      CREATE DATABASE x WITH DURATION 2d SHARD DURATION 1h NAME p;
      CREATE RETENTION POLICY q ON x DURATION INF REPLICATION 1 DEFAULT;
      ALTER RETENTION POLICY p ON x DURATION 3d; SHOW RETENTION POLICIES ON x; SHOW DATABASES;
      DROP RETENTION POLICY p ON x; SHOW RETENTION POLICIES ON x; DROP DATABASE x; SHOW DATABASES
      """
    let results = try Self.run(text, catalog)
    #expect(results.map(\.error) == Array(repeating: nil, count: 9))
    let policies = results[3].series[0]
    #expect(policies.columnNames == ["name", "duration", "shardGroupDuration", "replicaN", "default"])
    #expect(Self.words(policies.columns[0], 2) == [.string("p"), .string("q")])
    #expect(Self.words(policies.columns[1], 2) == [.string("72h0m0s"), .string("0s")])
    #expect(Self.words(policies.columns[2], 2) == [.string("1h0m0s"), .string("168h0m0s")])
    #expect(Self.words(policies.columns[4], 2) == [.boolean(false), .boolean(true)])
    #expect(Self.words(results[4].series[0].columns[0], 1) == [.string("x")])
    #expect(results[6].series[0].rowCount == 1)
    #expect(results[8].series[0].rowCount == 0)
  }

  @Test(
    "a descending answer turns buckets, not the points that a function picks in one",
    arguments: [
      ("SELECT top(f, 2) FROM m", [12, 30]), ("SELECT bottom(f, 2) FROM m", [10, 11]),
      ("SELECT top(f, 2) FROM m WHERE time < 40 GROUP BY time(20ns)", [30, 31, 11, 12]),
    ])
  func descendingPoints(text: String, times: [Int64]) throws {
    let catalog = Self.catalog("m f=1 10\nm f=2 11\nm f=3 12\nm f=4 30\nm f=3 31")
    let results = try Self.run(text + " ORDER BY time DESC", catalog)
    #expect(results.first?.series.first?.timestamps == times, "\(text)")
  }

  @Test("elapsed is zero between points of one time")
  func elapsedOfEqualTimes() throws {
    let results = try Self.run(
      "SELECT elapsed(f) FROM m", Self.catalog("m,t=a f=1 10\nm,t=b f=2 10\nm,t=a f=3 15"))
    let series = try #require(results.first?.series.first)
    #expect(series.timestamps == [10, 15])
    #expect(Self.words(series.columns[0], 2) == [.integer(0), .integer(5)])
  }

  @Test(
    "a database that is not there has no measurements; other lists of it fail",
    arguments: [
      ("SHOW MEASUREMENTS ON x LIMIT 100", nil), ("SHOW MEASUREMENT CARDINALITY ON x", nil),
      ("SHOW SERIES CARDINALITY ON x", nil), ("SHOW TAG KEYS ON x", "database not found: x"),
      ("SHOW SERIES EXACT CARDINALITY ON x", "database not found: x"),
      ("SELECT f FROM x..m", "database not found: x"),
    ])
  func unknownDatabase(text: String, error: String?) throws {
    #expect(try Self.run(text, FakeCatalog()).map(\.error) == [error], "\(text)")
  }

  @Test(
    "settings outside the limits are refused, others of the text still run",
    arguments: [
      (
        "CREATE RETENTION POLICY t ON d DURATION 1s REPLICATION 1",
        "retention policy duration must be at least 1h0m0s"
      ),
      (
        "CREATE DATABASE e WITH SHARD DURATION 59s",
        "shard duration must be whole seconds, at least 1m and at most 100 years"
      ),
      (
        "CREATE DATABASE e WITH SHARD DURATION 5300w",
        "shard duration must be whole seconds, at least 1m and at most 100 years"
      ),
      (
        "CREATE DATABASE e WITH SHARD DURATION 60500ms",
        "shard duration must be whole seconds, at least 1m and at most 100 years"
      ),
      (
        "CREATE DATABASE e WITH DURATION 1h SHARD DURATION 2h",
        "retention policy duration must be greater than the shard duration"
      ),
      ("CREATE RETENTION POLICY t ON nosuch DURATION 1h REPLICATION 1", "database not found: nosuch"),
      ("ALTER RETENTION POLICY t ON d DEFAULT", "retention policy not found: t"),
      ("SELECT v FROM nosuch..m", "database not found: nosuch"),
    ])
  func refused(text: String, message: String) throws {
    let results = try Self.run(text + "; SHOW DATABASES", Self.catalog("m v=1 5"))
    #expect(results.map(\.error) == [message, nil])
    #expect(results.map(\.statementID) == [0, 1])
  }

  @Test("a text that does not parse runs nothing")
  func parsesFirst() {
    let catalog = FakeCatalog()
    #expect(throws: QueryParseError.self) { try Self.run("CREATE DATABASE x; SELEC", catalog) }
    #expect(catalog.databases() == [])
  }

  @Test("a time inside an OR is asked of each row")
  func timeInOr() throws {
    let catalog = Self.catalog("m v=1 10\nm v=2 20\nm v=3 30\nm v=4 40")
    let results = try Self.run("SELECT v FROM m WHERE time < 15 OR v = 3 OR time = 40", catalog)
    #expect(results[0].series.first?.timestamps == [10, 30, 40])
  }

  @Test("a field of several types is read as the widest, and the answer says what is left out")
  func types() throws {
    let catalog = Self.catalog("m v=1i 10\nm v=2.5 20\nm v=\"x\" 30\nm w=true 30\nm w=\"y\" 40")
    let results = try Self.run(
      "SELECT v FROM m; SELECT v::string FROM m; SELECT sum(v) FROM m; SELECT v::integer FROM m", catalog)
    #expect(Self.words(results[0].series[0].columns[0], 2) == [.float(1), .float(2.5)])
    #expect(results[0].messages.count == 1)
    #expect(results[0].messages.first?.level == "warning")
    #expect(Self.words(results[1].series[0].columns[0], 1) == [.string("x")])
    #expect(Self.words(results[2].series[0].columns[0], 1) == [.float(3.5)])
    #expect(Self.words(results[3].series[0].columns[0], 2) == [.integer(1), .integer(2)])
  }

  @Test("what expired is in no answer")
  func floor() throws {
    let snapshot = Snapshot.ofLines(
      ["m,h=a v=1 10\nm,h=a v=2 20\nm,h=b v=3 1030"], windowLength: 1000, floor: 20)
    let results = try Self.run("SELECT count(v), min(v) FROM m; SELECT v FROM m", FakeCatalog("d", snapshot))
    #expect(Self.words(results[0].series[0].columns[0], 1) == [.integer(2)])
    #expect(Self.words(results[0].series[0].columns[1], 1) == [.float(2)])
    #expect(results[1].series[0].timestamps == [20, 1030])
  }

  @Test("bounds of a statement are refused by name")
  func limits() throws {
    let lines = (0..<50).map { "m,h=h\($0) v=1 \($0 * 10)" }.joined(separator: "\n")
    var limits = QueryLimits()
    limits.cellCountMax = 100
    let buckets = try Self.run(
      "SELECT mean(v) FROM m WHERE time >= 0 AND time < 500 GROUP BY time(1ns)", Self.catalog(lines),
      limits: limits)
    #expect(buckets[0].error == "max-select-buckets limit exceeded: (500/100)")
    let cells = try Self.run(
      "SELECT mean(v) FROM m WHERE time >= 0 AND time < 500 GROUP BY time(50ns), h", Self.catalog(lines),
      limits: limits)
    #expect(cells[0].error == "max-select-buckets limit exceeded: (110/100)")
    limits.rowCountMax = 10
    #expect(try Self.run("SELECT v FROM m", Self.catalog(lines), limits: limits)[0].error != nil)
    #expect(try Self.run("SELECT v FROM m LIMIT 5", Self.catalog(lines), limits: limits)[0].error == nil)
    let endless = try Self.run("SELECT mean(v) FROM m GROUP BY time(1ns)", Self.catalog("m v=1 5"), now: .max)
    #expect(endless[0].error?.hasPrefix("max-select-buckets limit exceeded") == true)
  }

  @Test("a cancelled statement stops")
  func cancelled() throws {
    let lines = (0..<50).map { "m,h=h\($0) v=1 \($0 * 10)" }.joined(separator: "\n")
    let asked = Lock(0)
    let results = try Self.run("SELECT mean(v) FROM m; SELECT v FROM m", Self.catalog(lines)) {
      asked.withLock { asked in
        asked += 1
        return asked > 3
      }
    }
    #expect(results.map(\.error) == ["query interrupted", "query interrupted"])
    #expect(asked.withLock { $0 } < 10)
  }

  @Test("group tags stand in the order asked, and series in that of their keys")
  func askedOrder() throws {
    let catalog = Self.catalog("m,a=1,b=y v=1 10\nm,a=2,b=x v=2 20\nm,a=1,b=x v=3 30")
    for statement in ["SELECT v FROM m GROUP BY b, a", "SELECT count(v) FROM m GROUP BY b, a, b"] {
      let series = try Self.run(statement, catalog)[0].series
      #expect(series.map { $0.tags.map { "\($0.key)=\($0.value)" } } == [["b=x", "a=1"], ["b=y", "a=1"], ["b=x", "a=2"]])
    }
    let all = try Self.run("SELECT v FROM (SELECT v FROM m GROUP BY b) GROUP BY *", catalog)[0].series
    #expect(all.map { $0.tags.map(\.key) } == [["b"], ["b"]])
  }

  @Test("the newest buckets are found without reading the rest")
  func narrowed() throws {
    let lines = (0..<1000).map { "m v=\($0) \($0 * 10)" }.joined(separator: "\n")
    let results = try Self.run(
      "EXPLAIN ANALYZE SELECT max(v) FROM m WHERE time < 9995 GROUP BY time(100ns) ORDER BY time DESC LIMIT 5;"
        + "SELECT max(v) FROM m WHERE time < 9995 GROUP BY time(100ns) ORDER BY time DESC LIMIT 5",
      Self.catalog(lines))
    #expect(results[1].series[0].timestamps == [9900, 9800, 9700, 9600, 9500])
    #expect(Self.words(results[1].series[0].columns[0], 2) == [.float(999), .float(989)])
    let plan = Self.words(results[0].series[0].columns[0], results[0].series[0].rowCount)
    #expect(plan.contains(.string("WINDOWS READ: 1")))
  }

  @Test("the last point of each series comes from one row group's statistics each")
  func lastPoints() throws {
    let lines = (0..<400).map { "m,h=h\($0 % 4) v=\($0) \($0 * 10)" }.joined(separator: "\n")
    let results = try Self.run(
      "SELECT * FROM m GROUP BY h ORDER BY time DESC LIMIT 1; EXPLAIN ANALYZE SELECT * FROM m GROUP BY h ORDER BY time DESC LIMIT 1",
      Self.catalog(lines))
    #expect(results[0].series.map { $0.timestamps ?? [] } == [[3990], [3980], [3970], [3960]])
    let plan = Self.words(results[1].series[0].columns[0], results[1].series[0].rowCount)
    #expect(plan.contains(.string("ROW GROUPS BY STATISTICS: 4")) && plan.contains(.string("ROW GROUPS READ: 0")))
    #expect(results[0].series.map { Self.words($0.columns[0], 1) } == [[.float(399)], [.float(398)], [.float(397)], [.float(396)]])
  }

  @Test("statistics stand for rows where no bucket cuts them")
  func statistics() throws {
    let lines = (0..<400).map { "m v=\($0) \($0 * 10)" }.joined(separator: "\n")
    let results = try Self.run(
      "EXPLAIN ANALYZE SELECT mean(v), max(v) FROM m; SELECT mean(v), max(v) FROM m", Self.catalog(lines))
    let plan = Self.words(results[0].series[0].columns[0], results[0].series[0].rowCount)
    #expect(plan.contains(.string("ROW GROUPS READ: 0")))
    #expect(Self.words(results[1].series[0].columns[0], 1) == [.float(199.5)])
    #expect(Self.words(results[1].series[0].columns[1], 1) == [.float(399)])
  }

  @Test("a large scan shared by threads answers the same")
  func shared() throws {
    let points = (0..<4).flatMap { host in
      (0..<1300).map { index in
        ModelPoint(
          key: SeriesKey(
            measurement: Array("m".utf8), tags: [(key: Array("h".utf8), value: Array("h\(host)".utf8))]),
          timestamp: Int64(index), fields: ["v": .integer(Int64(index % 10))])
      }
    }
    let snapshot = Snapshot.ofPoints([points], windowLength: 1 << 40, groupRowCount: 64)
    var limits = QueryLimits()
    limits.sharedValueCountMin = 0
    let text =
      "SELECT count(v), sum(v), last(v) FROM m WHERE time >= 5 AND time < 1300 GROUP BY time(500ns), h"
    for wanted in [limits, QueryLimits()] {
      let results = try Self.run(text, FakeCatalog("d", snapshot), limits: wanted)
      #expect(results[0].series.map { $0.tags.first?.value } == ["h0", "h1", "h2", "h3"])
      for series in results[0].series {
        #expect(Self.words(series.columns[0], 3) == [.integer(495), .integer(500), .integer(300)])
        #expect(Self.words(series.columns[1], 3) == [.integer(2240), .integer(2250), .integer(1350)])
        #expect(Self.words(series.columns[2], 3) == [.integer(9), .integer(9), .integer(9)])
      }
    }
  }
}

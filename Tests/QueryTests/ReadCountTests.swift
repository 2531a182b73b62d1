import LineProtocol
import Query
import Storage
import TestSupport
import Testing

@Suite("What queries read, as metrics and EXPLAIN ANALYZE count it")
struct ReadCountTests {
  private static let hour: Int64 = 3_600_000_000_000
  /// The beginning of a window.
  private static let start = ClockedStore.start / (24 * hour) * (24 * hour)

  /// Three runs in one window: hosts `a` and `c` in all of them, `b` in the first; and one run in the window before.
  private static func bench() throws -> ClockedStore {
    let bench = try ClockedStore()
    try bench.store.createPolicy("days", on: "metrics", ttl: 0, windowLength: 24 * hour, isDefault: true)
    for run in 0..<3 {
      for host in run == 0 ? ["a", "b", "c"] : ["a", "c"] {
        try bench.driver.write("cpu,host=\(host) v=\(run) \(start + Int64(run) * hour)\n", policy: "days")
      }
      try bench.store.flush()
    }
    try bench.driver.write("cpu,host=c v=9 \(start - hour)\n", policy: "days")
    try bench.store.flush()
    return bench
  }

  @discardableResult private static func ask(_ store: Store, _ text: String) throws -> [StatementResult] {
    var results: [StatementResult] = []
    let request = QueryRequest(text: text, database: "metrics", now: ClockedStore.start)
    try QueryEngine(store: store).run(request) { results.append($0) }
    return results
  }

  /// The lines of a plan.
  private static func lines(_ store: Store, _ statement: String) throws -> [String] {
    let result = try ask(store, statement)[0]
    try #require(result.error == nil)
    let series = try #require(result.series.first)
    return (0..<series.rowCount).map { String(decoding: series.columns[0].string($0), as: UTF8.self) }
  }

  /// Its figures by name.
  private static func plan(_ store: Store, _ select: String, _ how: String = "EXPLAIN ANALYZE") throws -> [String: Int] {
    var figures: [String: Int] = [:]
    for line in try lines(store, "\(how) \(select)") {
      let words = line.split(separator: ": ")
      if words.count == 2, let number = Int(words[1]) { figures[String(words[0])] = number }
    }
    return figures
  }

  @Test("read amplification is tables over windows, of queries of one series only")
  func readAmplification() throws {
    let bench = try Self.bench()
    #expect(bench.store.statistics().databases[0].readAmplification == 0)
    try Self.ask(bench.store, "SELECT v FROM cpu WHERE host = 'a'")
    #expect(bench.store.statistics().databases[0].readAmplification == 3)
    // Two tables are spared by their filters.
    try Self.ask(bench.store, "SELECT v FROM cpu WHERE host = 'b'")
    #expect(bench.store.statistics().databases[0].readAmplification == 2)
    try Self.ask(bench.store, "SELECT v FROM cpu")
    #expect(bench.store.statistics().databases[0].readAmplification == 2)
    try bench.store.compact()
    try Self.ask(bench.store, "SELECT max(v) FROM cpu WHERE host = 'c'")
    #expect(bench.store.statistics().databases[0].readAmplification == 6.0 / 4)
  }

  @Test("a table that a Bloom filter spares is counted, also once the table is gone")
  func bloomSkips() throws {
    let bench = try Self.bench()
    try Self.ask(bench.store, "SELECT v FROM cpu WHERE host = 'b'")
    #expect(bench.store.statistics().bloomSkips == 3)
    try bench.store.compact()
    #expect(bench.store.statistics().bloomSkips == 3)
    try Self.ask(bench.store, "SHOW TAG VALUES WITH KEY = host WHERE host = 'nowhere'")
    #expect(bench.store.statistics().bloomSkips == 5)
  }

  @Test("EXPLAIN ANALYZE says what was skipped, by what, and what was read")
  func explained() throws {
    let bench = try Self.bench()
    let one = try Self.plan(
      bench.store, "SELECT v FROM cpu WHERE host = 'b' AND time >= \(Self.start) AND time < \(Self.start + 2 * Self.hour)")
    #expect(one["WINDOWS"] == 2 && one["WINDOWS SKIPPED BY TIME"] == 1 && one["WINDOWS READ"] == 1)
    #expect(one["RUNS"] == 3 && one["RUNS SKIPPED BY TIME"] == 1)
    #expect(one["RUNS SKIPPED BY BLOOM FILTER"] == 1 && one["RUNS READ"] == 1)
    #expect(one["ROW GROUPS"] == 2 && one["ROW GROUPS SKIPPED BY BLOOM FILTER"] == 1 && one["ROW GROUPS READ"] == 1)
    let bytes = try #require(one["BYTES"])
    let byTime = try #require(one["BYTES SKIPPED BY TIME"])
    let byFilter = try #require(one["BYTES SKIPPED BY BLOOM FILTER"])
    let read = try #require(one["BYTES READ"])
    #expect(byTime > 0 && byFilter > 0 && read > 0 && byTime + byFilter + read < bytes)
    let tags = try Self.plan(bench.store, "SELECT v FROM cpu WHERE host =~ /^b$/")
    #expect(tags["RUNS"] == 4 && tags["RUNS SKIPPED BY TAG INDEX"] == 3 && tags["RUNS READ"] == 1)
    #expect(tags["ROW GROUPS SKIPPED BY TAG INDEX"] == 3 && tags["ROWS READ"] == 1)
  }

  @Test(
    "EXPLAIN says the same before a row is read",
    arguments: [
      "SELECT v FROM cpu WHERE host = 'b' AND time >= \(Self.start) AND time < \(Self.start + 2 * Self.hour)",
      "SELECT v FROM cpu WHERE host =~ /^b$/", "SELECT mean(v), max(v) FROM cpu WHERE v > 1 GROUP BY host",
      "SELECT derivative(v) FROM cpu", "SELECT top(v, host, 2) FROM cpu WHERE time < \(Self.start)",
      "SELECT v FROM cpu WHERE host = 'nowhere'", "SELECT v FROM cpu WHERE time < 0",
    ])
  func outlined(_ select: String) throws {
    let bench = try Self.bench()
    let outline = try Self.plan(bench.store, select, "EXPLAIN")
    let run = try Self.plan(bench.store, select)
    for name in [
      "WINDOWS", "WINDOWS SKIPPED BY TIME", "WINDOWS READ", "RUNS", "RUNS SKIPPED BY TIME", "RUNS SKIPPED BY BLOOM FILTER",
      "RUNS SKIPPED BY TAG INDEX", "RUNS READ", "ROW GROUPS", "ROW GROUPS SKIPPED BY BLOOM FILTER", "BYTES", "BYTES SKIPPED BY TIME",
      "BYTES SKIPPED BY BLOOM FILTER", "BYTES SKIPPED BY TAG INDEX",
    ] {
      #expect(outline[name] != nil && outline[name] == run[name], "\(name)")
    }
    #expect(outline["SERIES"] ?? -1 >= run["SERIES"] ?? 0 && outline["ROWS READ"] == nil)
    #expect(outline["ROWS, ABOUT"] ?? -1 >= run["RESULT ROWS"] ?? 0)
  }

  @Test("EXPLAIN lists each measurement with its fields, those of subqueries and of joined values too")
  func outlinedSources() throws {
    let bench = try Self.bench()
    try bench.driver.write("mem,host=a f=1,g=2i \(Self.start)\n", policy: "days")
    let all = try Self.lines(bench.store, "EXPLAIN SELECT * FROM cpu, mem WHERE g > 1")
    #expect(all.filter { $0.hasPrefix("MEASUREMENT") || $0.hasPrefix("FIELDS") } == [
      "MEASUREMENT: cpu", "FIELDS: v::float", "MEASUREMENT: mem", "FIELDS: f::float, g::integer",
    ])
    let joined = try Self.lines(bench.store, "EXPLAIN SELECT mean(cpu.v) / mean(mem.f) FROM cpu, mem GROUP BY time(1h)")
    #expect(joined.filter { $0.hasPrefix("FIELDS") } == ["FIELDS: v::float", "FIELDS: f::float"])
    let inner = "SELECT max(v) FROM cpu WHERE host = 'b' GROUP BY time(1m)"
    let nested = try Self.lines(bench.store, "EXPLAIN SELECT mean(max) FROM (\(inner)), mem WHERE time >= \(Self.start)")
    let subquery = try #require(nested.firstIndex { $0.hasPrefix("SUBQUERY: SELECT max(v) FROM cpu") })
    let mem = try #require(nested.firstIndex(of: "MEASUREMENT: mem"))
    #expect(nested[1] == nested[subquery] && nested[subquery + 1] == "MEASUREMENT: cpu" && mem > subquery + 2)
    // The times of the statement around count inside.
    #expect(nested[subquery..<mem].contains("WINDOWS SKIPPED BY TIME: 1"))
    for (text, words) in [
      ("EXPLAIN SELECT nosuch(v) FROM cpu", "undefined function nosuch()"),
      ("EXPLAIN SELECT mean(v) FROM (SELECT nosuch(v) FROM cpu)", "undefined function nosuch()"),
      ("EXPLAIN SELECT v FROM nosuch..cpu", "database not found: nosuch"),
    ] {
      #expect(try Self.ask(bench.store, text)[0].error?.contains(words) ?? false, "\(text)")
    }
  }

  @Test("row groups of a long series are skipped by time and by statistics")
  func rowGroups() throws {
    let bench = try ClockedStore()
    for part in 0..<4 {
      let lines = (0..<16_384).map { "m v=\($0) \(Self.start + Int64(part * 16_384 + $0))" }
      try bench.driver.write(lines.joined(separator: "\n") + "\n")
    }
    try bench.store.flush()
    let whole = try Self.plan(bench.store, "SELECT mean(v) FROM m")
    let groups = try #require(whole["ROW GROUPS"])
    #expect(groups >= 4 && whole["ROW GROUPS BY STATISTICS"] == groups && whole["ROW GROUPS READ"] == 0)
    #expect(try #require(whole["BYTES BY STATISTICS"]) > 0 && whole["BYTES READ"] == 0)
    let part = try Self.plan(bench.store, "SELECT v FROM m WHERE time >= \(Self.start + 4 * 16_384 - 10)")
    #expect(part["ROW GROUPS"] == groups && part["ROW GROUPS SKIPPED BY TIME"] == groups - 1)
    #expect(part["ROW GROUPS READ"] == 1 && part["RESULT ROWS"] == 10)
  }

  @Test("short series that lie in one bucket are read without times, and answer as their rows do")
  func shortSeries() throws {
    let bench = try ClockedStore()
    for host in 0..<5 {
      let lines = (0..<300).map { row in
        "m,host=h\(host) i=\((row * 7 + host) % 90 - 40)i,u=\(row % 11)u,f=\((row + host) % 13).25,b=\(row % 3 == 0)"
          + "\(row % 4 == 1 ? ",w=\(row)i" : "") \(Self.start + Int64(row) * 1_000_000_000)"
      }
      try bench.driver.write(lines.joined(separator: "\n") + "\n")
    }
    try bench.store.flush()
    func answer(_ text: String) throws -> [String] {
      let result = try Self.ask(bench.store, text)[0]
      try #require(result.error == nil, "\(text)")
      return result.series.map { "\($0.tags) \($0.timestamps ?? []) \($0.columns.map { "\($0.values) \($0.validity)" })" }
    }
    let calls = ["i", "u", "f"].map { field in
      ["count", "sum", "mean", "min", "max", "spread", "first", "last"].map { "\($0)(\(field))" }.joined(separator: ", ")
    }
    let range = "time >= \(Self.start) AND time < \(Self.start + Self.hour)"
    func expectSame(_ calls: String, _ grouping: String) throws {
      // A condition that every row satisfies makes it look at each with its time.
      let values = try answer("SELECT \(calls) FROM m WHERE \(range) \(grouping)")
      #expect(try values == answer("SELECT \(calls) FROM m WHERE \(range) AND f >= 0 \(grouping)"), "\(calls) \(grouping)")
      #expect(!values.isEmpty)
    }
    func expectAll() throws {
      for grouping in [
        "GROUP BY host", "", "GROUP BY time(1h), host", "GROUP BY time(1m), host", "GROUP BY time(1h) tz('Asia/Kathmandu')", "GROUP BY host LIMIT 1",
      ] {
        for calls in calls + ["first(b), last(b), count(b)", "sum(w), first(w), last(w), sum(f), first(f)", "sum(none), sum(f)"] {
          try expectSame(calls, grouping)
        }
      }
      for call in ["min(f)", "max(i)", "first(u)", "last(b)"] { try expectSame(call, "GROUP BY host") }
    }
    try expectAll()
    let (values, rows) = (
      try Self.plan(bench.store, "SELECT sum(f) FROM m GROUP BY host"), try Self.plan(bench.store, "SELECT sum(f) FROM m WHERE f >= 0 GROUP BY host")
    )
    #expect(values["ROWS READ"] == 1_500 && rows["ROWS READ"] == 1_500 && values["ROW GROUPS READ"] == 1)
    #expect(try #require(values["BYTES READ"]) < #require(rows["BYTES READ"]))
    // One series of five does not have the group decoded beyond the rows that it touches; and what is deleted stays out.
    #expect(try Self.plan(bench.store, "SELECT sum(f) FROM m WHERE host = 'h3'")["ROWS READ"] == 300)
    try Self.ask(bench.store, "DELETE FROM m WHERE host = 'h2'; DELETE FROM m WHERE time < \(Self.start + 10 * 1_000_000_000) AND host = 'h1'")
    try expectAll()
  }

  @Test("the last point of every series comes from statistics where they have it")
  func lastPoint() throws {
    let bench = try ClockedStore()
    for part in 0..<2 {
      for host in ["a", "b"] {
        // The last row of `b` lacks the second field.
        let lines = (0..<2_000).map { row in
          "m,host=\(host) v=\(row)i\(host == "a" || row < 1_999 ? ",w=\(row).5" : "") \(Self.start + Int64(part * 2_000 + row))"
        }
        try bench.driver.write(lines.joined(separator: "\n") + "\n")
      }
      try bench.store.flush()
    }
    try bench.store.compact()
    let text = "SELECT * FROM m GROUP BY host ORDER BY time DESC LIMIT 1"
    let plan = try Self.plan(bench.store, text)
    #expect(plan["ROWS READ"] == 0 && plan["ROW GROUPS READ"] == 0 && plan["RESULT ROWS"] == 2)
    let answer = try Self.ask(bench.store, text)[0].series
    #expect(answer.map { $0.timestamps ?? [] } == [[Self.start + 3_999], [Self.start + 3_999]])
    #expect(answer.map { Int64(bitPattern: $0.columns[0].values[0]) } == [1_999, 1_999])
    #expect(answer.map { $0.columns[1].isPresent(0) } == [false, true], "series come in descending order")
    // Cut by time, or with later rows in memory, it is read.
    let cut = try Self.ask(bench.store, "SELECT * FROM m WHERE time < \(Self.start + 3_000) GROUP BY host ORDER BY time DESC LIMIT 1")[0]
    #expect(cut.series.map { $0.timestamps ?? [] } == [[Self.start + 2_999], [Self.start + 2_999]])
    try bench.driver.write("m,host=b w=7 \(Self.start + 3_999)\n")
    #expect(try Self.ask(bench.store, text)[0].series.map { $0.columns[1].isPresent(0) } == [true, true])
  }

  @Test("values of tags come from indexes, and are those that a look at every series finds")
  func tagValues() throws {
    let bench = try Self.bench()
    try bench.driver.write("cpu,host=d,rack=1 v=1 \(Self.start)\ncpu,rack=2 v=1 \(Self.start)\n", policy: "days")
    func values(_ statement: String) throws -> [String] {
      try Self.ask(bench.store, statement)[0].series.flatMap { series in
        (0..<series.rowCount).map { row in
          series.columns.map { String(decoding: $0.string(row), as: UTF8.self) }.joined(separator: "=")
        }
      }
    }
    let all = "SHOW TAG VALUES WITH KEY =~ /./"
    func expectSame(_ wanted: [String]) throws {
      #expect(try values(all) == wanted)
      // A condition that all series satisfy makes it look at each.
      #expect(try values(all + " WHERE host != 'nowhere'") == wanted)
      for (limit, offset) in [(2, 0), (2, 2), (10, 1), (3, 9)] {
        let page = Array(wanted.dropFirst(offset).prefix(limit))
        #expect(try values(all + " LIMIT \(limit) OFFSET \(offset)") == page)
      }
    }
    try expectSame(["host=a", "host=b", "host=c", "host=d", "rack=1", "rack=2"])
    try bench.store.flush()
    try expectSame(["host=a", "host=b", "host=c", "host=d", "rack=1", "rack=2"])
    try Self.ask(bench.store, "DELETE FROM cpu WHERE host = 'd'")
    try expectSame(["host=a", "host=b", "host=c", "rack=2"])
  }

  @Test("bytes of replaced tables are pinned while a snapshot reads them")
  func pinned() throws {
    let bench = try Self.bench()
    let before = bench.store.statistics()
    #expect(before.snapshotPinnedBytes == 0)
    var snapshot: Snapshot? = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    try bench.store.compact()
    let pinned = bench.store.statistics().snapshotPinnedBytes
    let standing = bench.store.statistics().databases[0].tableBytes
    // The window before was one run already and stands on.
    #expect(pinned > 0 && pinned < before.databases[0].tableBytes && standing > 0)
    #expect(snapshot?.windows.count == 2)
    snapshot = nil
    #expect(bench.store.statistics().snapshotPinnedBytes == 0)
  }

  @Test("damage that a query meets is counted by database and kind")
  func damage() throws {
    let bench = try Self.bench()
    func count(_ database: String, _ kind: String) -> UInt64? {
      bench.store.statistics().corruptions.first { $0.database == database && $0.kind == kind }?.count
    }
    #expect(count("metrics", "table") == 0 && count("", "wal") == 0 && count("", "manifest") == 0)
    let folder = "tables/0000002"
    let name = try #require(bench.fileSystem.list(folder).sorted().first)
    let file = try bench.fileSystem.openForWriting(folder + "/" + name)
    // The first block behind the header: timestamps.
    var byte = try file.bytes(at: 16, count: 1)
    byte[0] ^= 0x10
    try file.write(byte, at: 16)
    let result = try Self.ask(bench.store, "SELECT v FROM cpu")[0]
    #expect(result.messages.contains { $0.text.contains(name) } && result.isPartial, "\(result.messages)")
    #expect(count("metrics", "table") == 1)
    try Self.ask(bench.store, "SELECT v FROM nothing")
    #expect(count("metrics", "table") == 1)
  }
}

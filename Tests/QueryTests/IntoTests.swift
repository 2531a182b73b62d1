import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// `SELECT … INTO` as InfluxDB 1.6.7 does it, on a store.
@Suite("INTO")
struct IntoTests {
  private let store: Store
  private let sink: MemorySink
  private let driver: StoreDriver

  init() throws {
    store = try Store.inMemory()
    try store.createDatabase("metrics")
    try store.createDatabase("other")
    try store.createPolicy("long", on: "metrics", ttl: 0, windowLength: nil, isDefault: false)
    sink = MemorySink(store)
    driver = StoreDriver(store)
    try driver.write(
      """
      cpu,host=a,dc=x v=1,i=3i,s="t \\"q\\"",b=true 0
      cpu,host=b,dc=x v=2,i=4i 1000000000
      cpu,host=a,dc=y v=4 60000000000
      mem,host=a u=1 0
      mem,host=b u=3 10

      """)
  }

  private func run(
    _ text: String, limits: QueryLimits = QueryLimits(), policy: String = ""
  ) throws -> [StatementResult] {
    var request = QueryRequest(text: text, database: "metrics", now: 120_000_000_000)
    request.policy = policy
    var results: [StatementResult] = []
    try QueryEngine(catalog: store, limits: limits, sink: sink).run(request) { results.append($0) }
    return results
  }

  /// What a statement says it has written; `nil` with its error noted.
  private func written(_ text: String, limits: QueryLimits = QueryLimits()) throws -> Int64? {
    let result = try #require(try run(text, limits: limits).first)
    #expect(result.error == nil, "\(text)")
    let series = try #require(result.series.first)
    #expect(series.name == "result" && series.columnNames == ["time", "written"] && series.timestamps == [0])
    if case .integer(let count) = modelValue(series.columns[0], 0) { return count }
    return nil
  }

  private func dump(_ measurement: String, database: String = "metrics", policy: String? = nil) throws
    -> [String]
  {
    try driver.dump(database: database, policy: policy).filter { $0.hasPrefix(measurement) }
  }

  @Test("tags that are selected become fields, those grouped by stay tags")
  func tagsAndFields() throws {
    #expect(try written("SELECT * INTO x FROM cpu") == 3)
    #expect(try dump("x").allSatisfy { $0.hasPrefix("x ") })
    #expect(try dump("x").contains { $0.contains("host=") && $0.contains("\"a\"") })
    #expect(try written("SELECT * INTO y FROM cpu GROUP BY *") == 3)
    let same = try dump("cpu").map { "y" + $0.dropFirst(3) }
    #expect(try dump("y") == same)
    #expect(try written("SELECT v INTO z FROM cpu GROUP BY host") == 3)
    #expect(try dump("z").allSatisfy { $0.hasPrefix("z,host=") })
  }

  @Test("buckets without a value are not written, what fill puts there is")
  func emptyBuckets() throws {
    #expect(try written("SELECT mean(v) INTO x FROM cpu WHERE time < 2m GROUP BY time(1m), host") == 3)
    #expect(try written("SELECT count(v) INTO y FROM cpu WHERE time < 2m GROUP BY time(1m), host") == 3)
    #expect(
      try written("SELECT mean(v) INTO z FROM cpu WHERE time < 2m GROUP BY time(1m), host fill(0)") == 4)
    #expect(try written("SELECT mean(v) INTO w FROM nothing") == 0)
  }

  @Test("numbers that are none are left out")
  func noNumbers() throws {
    try driver.write("n a=-1,b=4 1\nn a=4,b=9 2\n")
    #expect(try written("SELECT sqrt(a) INTO x FROM n") == 1)
    #expect(try dump("x").count == 1)
  }

  @Test("a target may be in another database or policy, and each row go to the measurement it came from")
  func targets() throws {
    #expect(try written("SELECT v INTO other..t FROM cpu") == 3)
    #expect(try dump("t", database: "other").count == 3)
    #expect(try written("SELECT v INTO long.t FROM cpu") == 3)
    #expect(try dump("t", policy: "long").count == 3)
    #expect(try written("SELECT * INTO metrics.long.:MEASUREMENT FROM /./ GROUP BY *") == 5)
    let inDefault = try dump("cpu") + dump("mem")
    #expect(try dump("cpu", policy: "long") + dump("mem", policy: "long") == inDefault)
    #expect(try written("SELECT * INTO other..:MEASUREMENT FROM mem GROUP BY *") == 2)
    // The request's policy is meant where the target names none in its database.
    #expect(try run("SELECT v INTO p FROM autogen.cpu", policy: "long").first?.error == nil)
    #expect(try dump("p", policy: "long").count == 3)
  }

  @Test(
    "what cannot be written is said, and other statements still run",
    arguments: [
      ("SELECT v INTO nodb..x FROM cpu", "database not found: nodb"),
      ("SELECT v INTO norp.x FROM cpu", "retention policy not found: norp"),
      ("SELECT foo(v) INTO x FROM cpu", "undefined function foo()"),
    ])
  func refused(text: String, message: String) throws {
    #expect(try run(text + "; SELECT v FROM x").map(\.error) == [message, nil])
    #expect(sink.writes.withLock { $0.isEmpty })
  }

  @Test("an engine without a sink writes nothing")
  func readOnly() throws {
    var results: [StatementResult] = []
    try QueryEngine(store: store).run(
      QueryRequest(text: "SELECT v INTO x FROM cpu", database: "metrics", now: 5)
    ) { results.append($0) }
    #expect(
      results.map(\.error) == ["SELECT … INTO writes, and what is asked here is read only: ask a server"])
    #expect(try dump("x").isEmpty)
  }

  @Test("EXPLAIN writes nothing")
  func explained() throws {
    #expect(
      try run("EXPLAIN SELECT v INTO x FROM cpu; EXPLAIN ANALYZE SELECT v INTO x FROM cpu").map(\.error) == [
        nil, nil,
      ])
    #expect(sink.writes.withLock { $0.isEmpty })
  }

  @Test("points that their policy refuses make the statement fail, and the others are there")
  func expired() throws {
    try store.createPolicy("short", on: "other", ttl: 3_600_000_000_000, windowLength: nil, isDefault: false)
    let error = try run("SELECT v INTO other.short.x FROM cpu").first?.error
    #expect(error == "partial write: points beyond retention policy dropped=3")
  }

  @Test(
    "more rows than a statement may hold are copied in pieces, in any layout",
    arguments: ["GROUP BY *", "GROUP BY h", ""])
  func pieces(grouping: String) throws {
    for part in 0..<6 {
      var lines = ""
      for row in 0..<10_000 {
        let number = part * 10_000 + row
        lines += "big,h=h\(number % 3),k=k\(number % 7) v=\(number)i \(1_000_000_000 * number)\n"
      }
      try driver.write(lines)
      if part == 2 { try store.flush() }
    }
    var limits = QueryLimits()
    limits.rowCountMax = 20_000
    #expect(
      try run("SELECT v FROM big", limits: limits).first?.error
        == "max-select-point limit exceeded: more than 20000 rows")
    #expect(try written("SELECT * INTO copy FROM big \(grouping)", limits: limits) == 60_000)
    let sums = try run("SELECT count(v), sum(v) FROM big; SELECT count(v), sum(v) FROM copy")
    for column in 0..<2 {
      #expect(
        modelValue(sums[0].series[0].columns[column], 0) == modelValue(sums[1].series[0].columns[column], 0))
    }
    let sizes = sink.writes.withLock { $0 }
    #expect(sizes.reduce(0, +) == 60_000 && (sizes.max() ?? 0) <= 20_000 && sizes.count >= 3)
  }

  @Test(
    "more buckets than a statement may have are written in pieces, with the same values",
    arguments: ["mean(v)", "median(v)", "first(v), max(v)", "count(v)"], ["", " fill(none)"])
  func bucketPieces(call: String, fill: String) throws {
    var lines = ""
    for number in 0..<5_000 {
      lines += "big,h=h\(number % 3) v=\(number * 7_919 % 1_000)i \(1_000_000_000 * number)\n"
    }
    try driver.write(lines)
    let select = "FROM big WHERE time < 5000s GROUP BY time(7s, 2s), h"
    #expect(try written("SELECT \(call) INTO whole \(select)\(fill)") ?? 0 > 2_000)
    var limits = QueryLimits()
    limits.cellCountMax = 400
    #expect(try run("SELECT \(call) INTO part \(select)\(fill)", limits: limits).first?.error == nil)
    #expect(try dump("part").map { $0.dropFirst(4) } == dump("whole").map { $0.dropFirst(5) })
  }

  @Test("empty buckets are written where fill says what stands in them, the zero of a count is not that", arguments: [
    ("", 2), (" fill(null)", 2), (" fill(none)", 2), (" fill(0)", 6), (" fill(previous)", 6),
  ] as [(String, Int64)])
  func emptyBuckets(fill: String, count: Int64) throws {
    try driver.write("gap v=1i 0\ngap v=2i 300000000000\n")
    #expect(try written("SELECT count(v) INTO x FROM gap WHERE time >= 0 AND time < 6m GROUP BY time(1m)\(fill)") == count)
  }

  @Test("what is cancelled stops between two batches")
  func cancelled() throws {
    var request = QueryRequest(text: "SELECT v INTO x FROM cpu", database: "metrics", now: 5)
    request.isCancelled = { true }
    var results: [StatementResult] = []
    try QueryEngine(catalog: store, sink: sink).run(request) { results.append($0) }
    #expect(results.map(\.error) == ["query interrupted"])
    #expect(sink.writes.withLock { $0.isEmpty })
  }
}

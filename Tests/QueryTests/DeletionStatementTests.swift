import Query
import Storage
import TestSupport
import Testing

/// `DELETE`, `DROP SERIES` and `DROP MEASUREMENT` as InfluxDB 1.6.7 answers them, on a store.
@Suite("Deletion statements")
struct DeletionStatementTests {
  private let store: Store

  init() throws {
    store = try Store.inMemory()
    try store.createDatabase("metrics")
    try store.createPolicy("long", on: "metrics", ttl: 0, windowLength: nil, isDefault: false)
    let driver = StoreDriver(store)
    try driver.write("cpu,host=a,zone=x u=1 1000\ncpu,host=b,zone=x u=2 2000\ncpu,host=b,zone=y u=3 3000\n")
    try driver.write("mem,host=a v=1,note=\"n\" 1000\nmem,host=b v=2 2000\n")
    try driver.write("cpu,host=b u=9 500\n", policy: "long")
    try store.flush()
  }

  private func run(_ text: String) throws -> [StatementResult] {
    var results: [StatementResult] = []
    try QueryEngine(store: store).run(QueryRequest(text: text, database: "metrics", now: 5_000)) {
      results.append($0)
    }
    return results
  }

  /// `SHOW SERIES`, and the times of what is left of `cpu` in the default policy.
  private func left() throws -> (series: [String], times: [Int64]) {
    let results = try run("SHOW SERIES; SELECT u FROM cpu")
    let keys = results[0].series.flatMap { series in
      (0..<series.rowCount).map { String(decoding: series.columns[0].string($0), as: UTF8.self) }
    }
    return (keys, results[1].series.first?.timestamps ?? [])
  }

  @Test(
    "what is deleted is gone from every answer",
    arguments: [
      (
        text: "DELETE FROM cpu WHERE host = 'b'", series: ["cpu,host=a,zone=x", "mem,host=a", "mem,host=b"],
        times: [1_000 as Int64]
      ),
      (
        "DELETE FROM cpu WHERE time < 2000",
        ["cpu,host=b,zone=x", "cpu,host=b,zone=y", "mem,host=a", "mem,host=b"], [2_000, 3_000]
      ),
      (
        "DELETE WHERE host = 'a'", ["cpu,host=b", "cpu,host=b,zone=x", "cpu,host=b,zone=y", "mem,host=b"],
        [2_000, 3_000]
      ),
      (
        "DELETE FROM /^c/ WHERE host =~ /b/ AND zone != 'y' AND time >= 2000ns",
        ["cpu,host=a,zone=x", "cpu,host=b", "cpu,host=b,zone=y", "mem,host=a", "mem,host=b"], [1_000, 3_000]
      ),
      (
        "DROP SERIES FROM cpu WHERE zone = 'x' OR zone = ''",
        ["cpu,host=b,zone=y", "mem,host=a", "mem,host=b"], [3_000]
      ),
      ("DROP SERIES FROM cpu, mem", [], []), ("DROP MEASUREMENT cpu", ["mem,host=a", "mem,host=b"], []),
      (
        "DELETE FROM cpu WHERE host = 'b' AND time > 9000",
        [
          "cpu,host=a,zone=x", "cpu,host=b", "cpu,host=b,zone=x", "cpu,host=b,zone=y", "mem,host=a",
          "mem,host=b",
        ], [1_000, 2_000, 3_000]
      ),
      ("DELETE FROM cpu WHERE nosuch !~ /x/", ["mem,host=a", "mem,host=b"], []),
      (
        "DELETE FROM cpu WHERE time > 5 AND time < 5",
        [
          "cpu,host=a,zone=x", "cpu,host=b", "cpu,host=b,zone=x", "cpu,host=b,zone=y", "mem,host=a",
          "mem,host=b",
        ], [1_000, 2_000, 3_000]
      ),
    ])
  func deletes(text: String, series: [String], times: [Int64]) throws {
    #expect(try run(text).map(\.error) == [nil])
    let now = try left()
    #expect(now.series == series)
    #expect(now.times == times)
    try store.compact()
    let later = try left()
    #expect(later.series == series && later.times == times)
  }

  @Test(
    "what cannot be deleted by is refused, and nothing is deleted",
    arguments: [
      ("DELETE FROM cpu WHERE u > 1", "fields not supported in WHERE clause during deletion"),
      ("DELETE FROM mem WHERE note = 'n'", "fields not supported in WHERE clause during deletion"),
      (
        "DELETE FROM cpu WHERE host = 'a' OR time < 5", "fields not supported in WHERE clause during deletion"
      ),
      ("DROP SERIES FROM cpu WHERE time > 5", "DROP SERIES doesn't support time in WHERE clause"),
      ("DELETE FROM cpu WHERE time != 5", "invalid time comparison operator: !="),
    ])
  func refused(text: String, message: String) throws {
    #expect(try run(text).map(\.error) == [message])
    #expect(try left().times == [1_000, 2_000, 3_000])
  }

  @Test("of what is not there nothing is deleted, without a word")
  func nothing() throws {
    #expect(
      try run("DELETE FROM nosuch; DROP MEASUREMENT nosuch; DROP SERIES WHERE host = 'zz'").map(\.error) == [
        nil, nil, nil,
      ])
    #expect(try left().times == [1_000, 2_000, 3_000])
  }

  @Test("EXPLAIN says how many series, points and bytes would go, and leaves them")
  func explain() throws {
    let results = try run(
      "EXPLAIN DELETE FROM cpu WHERE host = 'b'; EXPLAIN DROP MEASUREMENT mem; EXPLAIN DELETE WHERE time < 0")
    let rows = results.map { result in
      result.series.first?.columns.map { Int64(bitPattern: $0.values[0]) } ?? []
    }
    #expect(
      results.map { $0.series.first?.columnNames ?? [] }
        == Array(repeating: ["series", "points", "bytes"], count: 3))
    #expect(rows.map { $0.prefix(2) } == [[3, 3], [2, 2], [0, 0]])
    #expect(rows[0][2] > 0 && rows[2][2] == 0)
    #expect(try left().times == [1_000, 2_000, 3_000])
  }
}

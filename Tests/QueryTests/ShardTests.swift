import Query
import Storage
import Synchronization
import TestSupport
import Testing

/// `SHOW SHARDS`, `SHOW SHARD GROUPS`, `DROP SHARD`: windows under InfluxDB's name.
@Suite("Shards")
struct ShardTests {
  private static let hour: Int64 = 3_600_000_000_000

  private let clocked: ClockedStore
  private let start: Int64

  init() throws {
    clocked = try ClockedStore(fileSystem: MemoryFileSystem(isForgetful: true))
    start = ClockedStore.start / (24 * Self.hour) * (24 * Self.hour) - 3 * 24 * Self.hour
    try clocked.store.createPolicy(
      "days", on: "metrics", ttl: 0, windowLength: 24 * Self.hour, isDefault: true)
  }

  private func run(_ text: String) throws -> StatementResult {
    var results: [StatementResult] = []
    try QueryEngine(store: clocked.store).run(
      QueryRequest(text: text, database: "metrics", now: ClockedStore.start)
    ) { results.append($0) }
    return try #require(results.first)
  }

  /// Two points in each of three windows.
  private func write() throws {
    for day in 0..<3 {
      let time = start + Int64(day) * 24 * Self.hour
      try clocked.driver.writeDurably("m v=\(day) \(time)\nm v=\(day) \(time + 5)\n")
    }
  }

  private func ids() throws -> [Int64] {
    let series = try #require(try run("SHOW SHARDS").series.first { $0.name == "metrics" })
    return (0..<series.rowCount).compactMap { row in
      if case .integer(let id) = modelValue(series.columns[0], row) { id } else { nil }
    }
  }

  private func left() throws -> [Int64] { try run("SELECT v FROM m").series.first?.timestamps ?? [] }

  private func times(_ days: [Int64]) -> [Int64] {
    days.flatMap { (day: Int64) -> [Int64] in
      let time = start + day * 24 * Self.hour
      return [time, time + 5]
    }
  }

  @Test("a shard is a window, with its times and a number that stays its own")
  func listed() throws {
    try write()
    let shards = try #require(try run("SHOW SHARDS").series.first { $0.name == "metrics" })
    #expect(
      shards.columnNames == [
        "id", "database", "retention_policy", "shard_group", "start_time", "end_time", "expiry_time",
        "owners",
      ])
    #expect(shards.rowCount == 3)
    #expect(modelValue(shards.columns[2], 0) == .string("days"))
    #expect(modelValue(shards.columns[4], 1) == .string(QueryTime.print(start + 24 * Self.hour)))
    #expect(modelValue(shards.columns[5], 1) == .string(QueryTime.print(start + 48 * Self.hour)))
    let groups = try #require(try run("SHOW SHARD GROUPS").series.first)
    #expect(groups.name == "shard groups" && groups.rowCount == 3)
    let before = try ids()
    #expect(Set(before).count == 3)
    try clocked.driver.writeDurably("m v=9 \(start - 24 * Self.hour)\n")
    #expect(try ids().suffix(3) == before[...])
    try clocked.reopen()
    #expect(try ids().suffix(3) == before[...])
  }

  @Test(
    "a dropped shard is gone at once, from memory, tables and log, and takes new points",
    arguments: [0, 1, 2, 3])
  func dropped(layout: Int) throws {
    try write()
    if layout > 0 { try clocked.store.flush() }
    // Later points of the same windows, in memory or in a second run.
    if layout > 1 { try write() }
    if layout > 2 { try clocked.store.flush() }
    let all = try ids()
    #expect(try run("DROP SHARD \(all[1])").error == nil)
    #expect(try ids() == [all[0], all[2]])
    #expect(try left() == times([0, 2]))
    try clocked.driver.writeDurably("m v=7 \(start + 24 * Self.hour + 1)\n")
    let expected = (times([0, 2]) + [start + 24 * Self.hour + 1]).sorted()
    #expect(try left() == expected)
    try clocked.store.flush()
    #expect(try left() == expected)
    try clocked.reopen()
    #expect(try left() == expected)
    #expect(try ids() == all)
  }

  @Test(
    "points of a dropped shard do not come back with the log of a store that was not closed",
    arguments: [Survival.everything, .nothing])
  func crashed(keeping: Survival) throws {
    try write()
    let all = try ids()
    #expect(try run("DROP SHARD \(all[1])").error == nil)
    try clocked.driver.writeDurably("m v=7 \(start + 24 * Self.hour + 1)\n")
    let copy = clocked.fileSystem.crash(keeping: keeping)
    let clocks = clocked.clocks
    let store = try Store.open(
      fileSystem: copy, options: clocked.options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    defer { do { try store.close() } catch { Issue.record(error) } }
    let dumped = try StoreDriver(store).dump(policy: "days")
    #expect(dumped.count == 5 && dumped.filter { $0.contains("=7") }.count == 1)
  }

  @Test("a number that no window has drops nothing, and is no error")
  func unknown() throws {
    try write()
    #expect(try run("DROP SHARD 5").error == nil)
    #expect(try left() == times([0, 1, 2]))
  }
}

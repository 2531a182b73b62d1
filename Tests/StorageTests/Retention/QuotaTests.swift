import Storage
import TestSupport
import Testing

@Suite("Quota")
struct QuotaTests {
  private static func keyspace(
    _ number: UInt32, _ database: String, _ windows: [(end: Int64, byteCount: UInt64)]
  ) -> KeyspaceState {
    KeyspaceState(
      id: KeyspaceID(number), database: database, policy: "p\(number)", isDefault: true, ttl: 0,
      windowLength: 100,
      windows: windows.map { window in
        let table = TableState(
          number: 1, byteCount: window.byteCount, rowCount: 1, seriesCount: 1, firstTimestamp: 0,
          lastTimestamp: 0)
        let run = RunState(firstSequence: 1, lastSequence: 1, isFinal: false, publishedAt: 0, tables: [table])
        return WindowState(
          start: window.end - 100, end: window.end, flushedThrough: 0, runs: window.byteCount > 0 ? [run] : []
        )
      })
  }

  @Test(
    "the oldest windows of all policies go, only so many as must, never the newest",
    arguments: [
      (quota: 6_050, dropped: []), (6_049, [100]), (5_999, [100]), (5_949, [100, 150]), (0, [100, 150]),
    ] as [(quota: UInt64, dropped: [Int64])])
  func quota(byteCount: UInt64, dropped: [Int64]) {
    let keyspaces = [
      Self.keyspace(1, "d", [(100, 100), (300, 5_000), (400, 0)]), Self.keyspace(2, "d", [(150, 950)]),
      Self.keyspace(3, "other", [(50, 1 << 40), (60, 1)]),
    ]
    var quota = Quota()
    quota.byteCounts = ["d": byteCount, "nosuch": 1]
    let drops = quota.drops(in: keyspaces, freeByteCount: nil)
    #expect(drops.map(\.horizon).sorted() == dropped)
    #expect(drops.allSatisfy { $0.starts == [$0.horizon - 100] })
    #expect(
      drops.reduce(0) { $0 + $1.byteCount } == (dropped.contains(100) ? 100 : 0)
        + (dropped.contains(150) ? 950 : 0))
  }

  @Test("a disk that is nearly full takes the oldest windows of databases with a quota, down to the reserve")
  func reserve() {
    let keyspaces = [
      Self.keyspace(1, "a", [(100, 10), (300, 10), (500, 10)]),
      Self.keyspace(2, "b", [(200, 10), (400, 10)]),
      Self.keyspace(3, "free", [(50, 1_000), (60, 1_000)]),
    ]
    var quota = Quota()
    quota.byteCounts = ["a": 1_000, "b": 1_000]
    func ends(free: UInt64) -> [Int64] {
      quota.drops(in: keyspaces, freeByteCount: free).flatMap { $0.starts.map { $0 + 100 } }.sorted()
    }
    #expect(ends(free: 0) == [])
    quota.reserveByteCount = 100
    #expect(ends(free: 100) == [])
    #expect(ends(free: 99) == [100])
    #expect(ends(free: 85) == [100, 200])
    #expect(ends(free: 0) == [100, 200, 300])
    #expect(quota.drops(in: keyspaces, freeByteCount: nil) == [])
  }

  @Test("a store keeps within its quota by dropping windows whole, and refuses what is older from then on")
  func store() throws {
    var options = StoreOptions()
    options.quotas = ["metrics": 2_500]
    options.compactorCount = 0
    options.defaultWindowLength = 3_600_000_000_000
    let bench = try ClockedStore(options: options)
    for hour in 0..<6 {
      try bench.driver.writeDurably("m v=\(hour)i \(ClockedStore.start + Int64(hour) * 3_600_000_000_000)\n")
      try bench.store.flush()
    }
    let read = bench.store.statistics().tableReadBytes
    bench.store.runUpkeep()
    let after = bench.store.statistics()
    let database = try #require(after.databases.first)
    #expect(database.tableBytes <= 2_500 && database.windows == 3)
    #expect(database.quotaWindows == 3 && database.quotaBytes > 1_500 && database.quotaLimitBytes == 2_500)
    #expect(after.tableReadBytes == read)
    #expect(try bench.driver.dump().map { $0.prefix(6) } == ["m v=3i", "m v=4i", "m v=5i"])
    let late = try bench.driver.write("m v=9i \(ClockedStore.start)\n")
    #expect(late.acceptedCount == 0 && late.rejectCounts.reduce(0, +) == 1)
    try bench.reopen()
    #expect(try bench.driver.dump().count == 3)
  }
}

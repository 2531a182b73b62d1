import Storage
import TestSupport
import Testing

/// Deletes through the whole store: at once, for good, and down to the disk.
@Suite("Deletes")
struct StoreDeletionTests {
  private static func deletion(
    _ measurement: String? = "cpu", host: String? = nil, times: Range<Int64> = .min ..< .max
  ) -> Deletion {
    Deletion(
      measurements: measurement.map { [.name($0)] } ?? [],
      predicate: host.map { .equals(key: Array("host".utf8), value: Array($0.utf8)) }, times: times)
  }

  private static func filled() throws -> ClockedStore {
    let bench = try ClockedStore()
    for host in ["a", "b"] {
      let lines = (0..<3_000).map {
        "cpu,host=\(host) v=\($0 * 7919 % 10_007)i \(ClockedStore.start + Int64($0))"
      }
      try bench.driver.writeDurably(lines.joined(separator: "\n") + "\n")
    }
    try bench.driver.writeDurably("mem,host=a v=1i \(ClockedStore.start)\n")
    return bench
  }

  private static func statistics(_ bench: ClockedStore) -> StoreStatistics.Database {
    bench.store.statistics().databases.first ?? StoreStatistics.Database()
  }

  @Test("what is deleted is not seen again: in memory, in tables, after a restart, and when written anew")
  func invisible() throws {
    let bench = try Self.filled()
    try bench.store.delete(Self.deletion(host: "a"), from: "metrics")
    #expect(try bench.driver.dump().count == 3_001)
    try bench.driver.writeDurably("cpu,host=a v=5i \(ClockedStore.start + 1)\n")
    let wanted = try bench.driver.dump()
    #expect(wanted.count == 3_002)
    try bench.store.flush()
    #expect(try bench.driver.dump() == wanted)
    try bench.reopen()
    #expect(try bench.driver.dump() == wanted)
    try bench.store.compact()
    #expect(try bench.driver.dump() == wanted)
    #expect(Self.statistics(bench).tombstones == 0)
  }

  @Test("rows from before and after a delete that only the log holds are told apart after a crash")
  func replay() throws {
    let disk = MemoryFileSystem(isForgetful: true)
    let bench = try ClockedStore(fileSystem: disk)
    try bench.driver.writeDurably(
      "cpu,host=a v=1i \(ClockedStore.start)\ncpu,host=b v=1i \(ClockedStore.start)\n")
    try bench.store.delete(Self.deletion(host: "a"), from: "metrics")
    try bench.driver.writeDurably("cpu,host=a v=2i \(ClockedStore.start + 1)\n")
    let wanted = try bench.driver.dump()
    #expect(wanted == ["cpu,host=a v=2i \(ClockedStore.start + 1)", "cpu,host=b v=1i \(ClockedStore.start)"])
    let crashed = try Store.open(fileSystem: disk.crash(keeping: .nothing), options: bench.options)
    #expect(try StoreDriver(crashed).dump() == wanted)
    try crashed.close()
    // A delete may be the last thing that was done, and what it hid come again after the start.
    try bench.store.delete(Self.deletion(), from: "metrics")
    let again = try Store.open(fileSystem: disk.crash(keeping: .nothing), options: bench.options)
    let driver = StoreDriver(again)
    #expect(try driver.dump() == [])
    try driver.writeDurably("cpu,host=a v=3i \(ClockedStore.start)\n")
    #expect(try driver.dump() == ["cpu,host=a v=3i \(ClockedStore.start)"])
    try again.close()
  }

  @Test("the disk comes back a minute after a delete, by rewriting only what is touched")
  func space() throws {
    var options = StoreOptions()
    options.compactorCount = 0
    let bench = try ClockedStore(options: options)
    // Two windows of a week; the second one is not touched.
    let far = ClockedStore.start + 30 * 86_400_000_000_000
    var generator = SplitMix64(seed: 1)
    for start in [ClockedStore.start, far] {
      let lines = (0..<6_000).map {
        "cpu,host=\($0 % 2 == 0 ? "a" : "b") v=\(generator.next() >> 50)i \(start + Int64($0))"
      }
      try bench.driver.writeDurably(lines.joined(separator: "\n") + "\n")
    }
    try bench.store.compact()
    let before = Self.statistics(bench)
    try bench.store.delete(Self.deletion(host: "a", times: .min..<far), from: "metrics")
    bench.store.runDueCompactions()
    #expect(Self.statistics(bench).tableBytes == before.tableBytes, "carried out before its time")
    bench.clocks.advance(seconds: 60)
    bench.store.runDueCompactions()
    let after = Self.statistics(bench)
    #expect(after.tableBytes < before.tableBytes * 4 / 5)
    #expect(after.tables == before.tables)
    #expect(after.compactionWrittenBytes - before.compactionWrittenBytes < before.tableBytes / 2)
    #expect(try bench.driver.dump().count == 9_000)
  }

  @Test("a measurement that is dropped whole costs no read of its rows")
  func dropMeasurement() throws {
    let bench = try Self.filled()
    try bench.store.compact()
    try bench.store.delete(Self.deletion("cpu"), from: "metrics")
    let snapshot = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    #expect(try snapshot.measurements() == [Array("mem".utf8)])
    #expect(try snapshot.tagKeys(of: Array("cpu".utf8)) == [])
    try bench.store.compact()
    #expect(try bench.driver.dump() == ["mem,host=a v=1i \(ClockedStore.start)"])
    try bench.store.delete(Self.deletion(nil), from: "metrics")
    try bench.store.compact()
    #expect(Self.statistics(bench).tables == 0)
  }

  @Test("a delete of nothing leaves nothing behind; a dry run counts series, points and bytes")
  func preview() throws {
    let bench = try Self.filled()
    try bench.store.flush()
    try bench.store.delete(Self.deletion("nothing"), from: "metrics")
    try bench.store.delete(Self.deletion(host: "z"), from: "metrics")
    try bench.store.delete(Self.deletion(times: 0..<10), from: "metrics")
    #expect(Self.statistics(bench).tombstones == 0)
    let held = Self.statistics(bench).tableBytes
    let all = try bench.store.preview(Self.deletion(nil), from: "metrics")
    #expect(all.seriesCount == 3 && all.pointCount == 6_001 && all.byteCount == held)
    let some = try bench.store.preview(
      Self.deletion(host: "b", times: ClockedStore.start..<ClockedStore.start + 300), from: "metrics")
    #expect(some.seriesCount == 1 && some.pointCount == 300 && (1..<held / 10).contains(some.byteCount))
    #expect(throws: StorageError.self) { try bench.store.preview(Self.deletion(), from: "nosuch") }
  }

  @Test("deletes that wait are bounded, and so is the depth of a condition")
  func limits() throws {
    var options = StoreOptions()
    options.compactorCount = 0
    let bench = try ClockedStore(options: options)
    let count = KeyspaceState.tombstoneCountMax
    let lines = (0...count).map { "cpu,host=h\($0) v=1i \(ClockedStore.start)" }
    try bench.driver.writeDurably(lines.joined(separator: "\n") + "\n")
    // What is still in memory when it is flushed leaves the deletes before it behind.
    try bench.store.flush()
    for host in 0..<count { try bench.store.delete(Self.deletion(host: "h\(host)"), from: "metrics") }
    #expect(Self.statistics(bench).tombstones == count)
    let refused = #expect(throws: StorageError.self) {
      try bench.store.delete(Self.deletion(host: "h\(count)"), from: "metrics")
    }
    #expect(refused?.code == .limit && refused?.detail.contains("varve compact") == true)
    #expect(try bench.driver.dump().count == 1)
    try bench.store.compact()
    try bench.store.delete(Self.deletion(host: "h\(count)"), from: "metrics")
    #expect(try bench.driver.dump().count == 0)
    var predicate = TagPredicate.constant(true)
    for _ in 1..<TagPredicate.depthMax { predicate = .not(predicate) }
    let deep = Deletion(measurements: [], predicate: predicate, times: 0..<1)
    try bench.store.delete(deep, from: "metrics")
    #expect(throws: StorageError.self) {
      try bench.store.delete(
        Deletion(measurements: [], predicate: .not(predicate), times: 0..<1), from: "metrics")
    }
  }
}

import Storage
import TestSupport
import Testing

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second

@Suite("Report of compaction")
struct CompactionReportTests {
  /// A store that merges only when told, with windows of one hour and two runs in the first.
  private func bench() throws -> ClockedStore {
    var options = StoreOptions()
    options.compactorCount = 0
    let bench = try ClockedStore(options: options)
    try bench.store.createPolicy("hours", on: "metrics", ttl: 0, windowLength: hour, isDefault: true)
    for value in 0..<2 {
      try bench.driver.write("m v=\(value) \(ClockedStore.start + Int64(value))\n")
      try bench.store.flush()
    }
    return bench
  }

  @Test("a window's runs, rows and bytes are said, what it waits for, and when it is due")
  func windows() throws {
    let bench = try bench()
    try bench.driver.write("m v=3 \(ClockedStore.start + 2)\nm v=4 \(ClockedStore.start + 2 * hour)\n")
    let report = bench.store.compactionReport()
    #expect(report.windows.count == 2 && !report.isPaused && report.jobsDone == 0)
    let first = report.windows[0]
    #expect(first.database == "metrics" && first.policy == "hours" && first.end - first.start == hour)
    #expect(first.runs == 2 && first.tables == 2 && first.rows == 2 && first.bytes > 0 && !first.isClosed)
    #expect(first.memoryRows == 1 && first.memoryBytes > 0)
    #expect(first.outlook == "open: 2 runs, merged at 16")
    #expect(first.dueAt == first.end + 600 * second)
    let second = report.windows[1]
    #expect(second.runs == 0 && second.memoryRows == 1 && second.dueAt == nil && second.flushedAt == nil)
  }

  @Test("a pause is said where something is due, and what was merged is closed")
  func pauseAndMerge() throws {
    let bench = try bench()
    bench.clocks.advance(seconds: 3_600)
    bench.clocks.advance(seconds: 3_600)
    bench.store.pauseCompaction()
    let paused = bench.store.compactionReport()
    #expect(paused.isPaused && paused.pendingBytes == paused.windows[0].bytes)
    #expect(paused.windows[0].outlook.hasPrefix("due: window ended"))
    #expect(paused.windows[0].outlook.hasSuffix("; merging is paused"))
    #expect(paused.windows[0].dueAt == paused.time)
    try bench.store.compact()
    let merged = bench.store.compactionReport()
    #expect(merged.windows[0].isClosed && merged.windows[0].runs == 1 && merged.windows[0].outlook == "settled")
    #expect(merged.jobsDone == 1 && merged.bytesWritten == merged.windows[0].bytes && merged.pendingBytes == 0)
  }

  @Test("a job that met damage is said with its file, and that it waits for a repair")
  func failure() throws {
    let bench = try bench()
    let folder = "tables/0000002"
    let name = try #require(bench.fileSystem.list(folder).sorted().first)
    let file = try bench.fileSystem.openForWriting(folder + "/" + name)
    var byte = try file.bytes(at: 16, count: 1)
    byte[0] ^= 0x10
    try file.write(byte, at: 16)
    #expect(throws: StorageError.self) { try bench.store.compact() }
    let report = bench.store.compactionReport()
    #expect(report.windows[0].failure?.contains(name) == true && report.windows[0].failureCount == 1)
    #expect(report.windows[0].outlook.hasPrefix("damaged: \(folder)/\(name):16; run"), "\(report.windows[0].outlook)")
    #expect(report.windows[0].retryAt == nil && report.windows[0].dueAt == nil)
    #expect(bench.store.statistics().corruptions.contains { $0.database == "metrics" && $0.count == 1 })
  }
}

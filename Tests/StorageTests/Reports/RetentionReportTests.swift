import Storage
import Synchronization
import TestSupport
import Testing

private let second: Int64 = 1_000_000_000
private let hour = 3_600 * second

@Suite("Report of retention")
struct RetentionReportTests {
  /// Windows of one hour: the present one and the four before it.
  private func bench(ttl: Int64) throws -> ClockedStore {
    let bench = try ClockedStore()
    try bench.store.createPolicy("hours", on: "metrics", ttl: ttl, windowLength: hour, isDefault: true)
    for age in 0..<5 { try bench.driver.write("m v=1 \(ClockedStore.start - Int64(age) * hour)\n") }
    try bench.store.flush()
    return bench
  }

  private func hours(_ report: RetentionReport) throws -> RetentionReport.Policy {
    try #require(report.policies.first { $0.policy == "hours" })
  }

  @Test("the next window to go is the oldest, at its end plus the TTL")
  func next() throws {
    let report = try bench(ttl: 24 * hour).store.retentionReport()
    let policy = try hours(report)
    #expect(policy.ttl == 24 * hour && policy.windows == 5 && report.windows.count == 5)
    #expect(policy.nextStart == report.windows[0].start && policy.nextBytes == report.windows[0].bytes)
    #expect(policy.nextAt == (policy.nextEnd ?? 0) + 24 * hour && policy.bytes > policy.nextBytes)
    for window in report.windows {
      #expect(window.dropAt == (window.end ?? 0) + 24 * hour && window.pinnedBytes == 0)
      #expect(window.why.hasPrefix("its end plus the TTL of 24h is "), "\(window.why)")
    }
  }

  @Test("without a TTL nothing goes")
  func forEver() throws {
    let report = try bench(ttl: 0).store.retentionReport()
    #expect(try hours(report).nextAt == nil)
    #expect(report.windows.allSatisfy { $0.dropAt == nil && $0.why == "kept for ever: the policy has no TTL" })
  }

  @Test("a shorter TTL waits 30 s, and says how many are left")
  func grace() throws {
    let bench = try bench(ttl: 0)
    try bench.store.alterPolicy("hours", on: "metrics", ttl: hour, windowLength: nil, isDefault: nil)
    bench.clocks.advance(seconds: 12)
    let report = bench.store.retentionReport()
    #expect(report.windows.count == 5)
    #expect(
      report.windows[0].why
        == "expired; a shorter TTL, or a start, waits 30s before anything is dropped: 18s are left")
    #expect(report.windows[0].dropAt == report.time + 18 * second)
  }

  @Test("a clock that stepped forward keeps all, and says when it is believed")
  func doubted() throws {
    let bench = try bench(ttl: 8 * hour)
    bench.clocks.wall.add(12 * hour, ordering: .relaxed)
    // The step is seen, and stands for 10 of 30 seconds.
    #expect(bench.store.retentionReport().doubtedStep == 12 * hour)
    bench.clocks.advance(seconds: 10)
    let report = bench.store.retentionReport()
    #expect(report.doubtedStep == 12 * hour && report.windows.count == 5)
    #expect(
      report.windows[0].why
        == "expired by the wall clock, which stepped forward by 12h: it is believed in 20s if the step stands")
    #expect(report.windows[0].dropAt == report.time + 12 * hour + 20 * second)
    #expect(report.windows[4].why.hasPrefix("expired by the wall clock"))
  }

  @Test("files that a snapshot reads are said beside the window they were replaced in, and alone once it is gone")
  func pinned() throws {
    let bench = try bench(ttl: 0)
    try bench.driver.write("m v=2 \(ClockedStore.start)\n")
    let snapshot = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    try bench.store.compact()
    let merged = try #require(bench.store.retentionReport().windows.last)
    #expect(merged.pinnedBytes > 0 && merged.bytes > 0)
    #expect(
      merged.why.hasPrefix("kept for ever: the policy has no TTL; 1 file that is gone from the manifest, of "))
    #expect(merged.why.contains(", still read by snapshots, the oldest of "))
    try bench.store.createPolicy("other", on: "metrics", ttl: 0, windowLength: hour, isDefault: true)
    try bench.store.dropPolicy("hours", on: "metrics")
    let dropped = bench.store.retentionReport().windows
    #expect(dropped.count == 5 && dropped.allSatisfy { $0.start == nil && $0.bytes == 0 && $0.pinnedBytes > 0 })
    #expect(dropped.allSatisfy { $0.why.hasPrefix("dropped; ") } && dropped[0].name.hasSuffix("0000Z"))
    #expect(snapshot.windows.count == 5)
  }
}

import Glibc
import LineProtocol
import Storage
import Testing
import TestSupport

@Suite("Store")
struct StoreTests {
  @Test("what is acknowledged is read before a flush, after it, after a merge and after a restart")
  func sameAnswerEverywhere() throws {
    let bench = try ClockedStore()
    var lines: [String] = []
    for second in 0..<200 {
      lines.append("cpu,host=a,zone=z usage=\(second).5,count=\(second)i \(ClockedStore.start + Int64(second) * 1_000_000_000)")
      lines.append("cpu,host=b up=true,note=\"n \(second)\" \(ClockedStore.start + Int64(second) * 1_000_000_000)")
    }
    for start in stride(from: 0, to: lines.count, by: 40) {
      try bench.driver.writeDurably(lines[start..<start + 40].joined(separator: "\n") + "\n")
    }
    let before = try bench.driver.dump()
    #expect(before.count == 800)
    try bench.store.flush()
    #expect(try bench.driver.dump() == before)
    try bench.driver.writeDurably("cpu,host=a,zone=z usage=1000 \(ClockedStore.start)\n")
    let changed = try bench.driver.dump()
    #expect(changed != before)
    #expect(changed.count == before.count)
    try bench.store.compact()
    #expect(try bench.driver.dump() == changed)
    try bench.reopen()
    #expect(try bench.driver.dump() == changed)
  }

  @Test(
    "as many windows are merged at a time as jobs are allowed, no faster than the rate", .timeLimit(.minutes(5)))
  func compactionPace() throws {
    var options = StoreOptions()
    options.compactorCount = 2
    options.compactionBytesPerSecond = 1
    let bench = try ClockedStore(options: options)
    let day: Int64 = 86_400_000_000_000
    // Three windows of two runs each.
    for round in 0..<2 {
      for window in 0..<3 as Range<Int64> {
        try bench.driver.writeDurably("m,t=a v=\(round)i \(ClockedStore.start - 30 * window * day + Int64(round))\n")
      }
      try bench.store.flush()
    }
    let before = try bench.driver.dump()
    #expect(before.count == 6)
    func files() throws -> Int {
      try bench.fileSystem.list("tables").reduce(0) { try $0 + bench.fileSystem.list("tables/\($1)").count }
    }
    #expect(try files() == 6)
    try bench.store.compact(waits: false)
    // Two jobs have begun a table each and wait to be let on; the third has no thread.
    while try files() < 8 { sched_yield() }
    #expect(bench.store.statistics().databases.first?.windowRunsMax == 2)
    try bench.reopen()
    #expect(try files() == 6)
    #expect(try bench.driver.dump() == before)
  }

  @Test(
    "windows are merged or left alone, as the policy says",
    arguments: [(CompactionPolicy.timeWindow, runs: 1...16), (.none, runs: 20...20)])
  func compactionPolicy(policy: CompactionPolicy, runs: ClosedRange<Int>) throws {
    var options = StoreOptions()
    options.compactionPolicy = policy
    // Without threads whoever asks for a merge does it, and all else that is due.
    options.compactorCount = 0
    let bench = try ClockedStore(options: options)
    let old = ClockedStore.start - 30 * 86_400_000_000_000
    for round in 0..<20 as Range<Int64> {
      try bench.driver.writeDurably("m v=\(round)i \(ClockedStore.start + round)\n")
      if round < 2 { try bench.driver.writeDurably("m v=\(round)i \(old + round)\n") }
      try bench.store.flush()
    }
    try bench.store.compact(window: old)
    let found = try #require(bench.store.statistics().databases.first)
    #expect(runs.contains(found.windowRunsMax))
    #expect(try bench.driver.dump().count == 22)
  }

  @Test("a closed store goes, also where what it calls holds it, and nothing of it holds on to the disk")
  func release() throws {
    weak var closed: Store?
    weak var disk: MemoryFileSystem?
    do {
      let memory = MemoryFileSystem(isForgetful: true)
      disk = memory
      let store = try Store.open(fileSystem: memory)
      closed = store
      store.onTicketsDecided { _ = store.statistics() }
      try store.createDatabase("metrics")
      try StoreDriver(store).writeDurably("m v=1 1\n")
      try store.flush()
      try store.close()
    }
    #expect(closed == nil)
    #expect(disk == nil)
  }

  @Test("the higher number wins for a field, and fields of a point written apart are joined")
  func precedence() throws {
    let bench = try ClockedStore()
    let time = ClockedStore.start
    try bench.driver.writeDurably("m,t=a a=1,b=1 \(time)\nm,t=a b=2 \(time)\n")
    try bench.store.flush()
    try bench.driver.writeDurably("m,t=a c=3 \(time)\n")
    try bench.driver.writeDurably("m,t=a a=4i \(time)\n")
    let wanted = ["m,t=a a=4i \(time)", "m,t=a b=2.0 \(time)", "m,t=a c=3.0 \(time)"]
    #expect(try bench.driver.dump() == wanted)
    try bench.store.compact()
    #expect(try bench.driver.dump() == wanted)
  }

  @Test("an expired write is refused and counted, and expired points are invisible at once")
  func expiry() throws {
    let bench = try ClockedStore()
    let hour: Int64 = 3_600_000_000_000
    for age in 0..<6 {
      try bench.driver.writeDurably("m v=\(age)i \(ClockedStore.start - Int64(age) * hour)\n")
    }
    #expect(try bench.driver.dump().count == 6)
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: hour + hour / 2, windowLength: nil, isDefault: nil)
    #expect(try bench.driver.dump().count == 2)
    let result = try bench.driver.write("m v=9i \(ClockedStore.start - 3 * hour)\nm v=10i \(ClockedStore.start)\n")
    #expect(result.acceptedCount == 1)
    #expect(result.rejects.map(\.reason) == [.expired])
    #expect(result.rejects.map(\.line) == [1])
    // Back within 30 s: nothing is lost.
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: 0, windowLength: nil, isDefault: nil)
    #expect(try bench.driver.dump().count == 6)
  }

  @Test("a point too far ahead of now is refused as future")
  func future() throws {
    let bench = try ClockedStore()
    let years: Int64 = 11 * 365 * 86_400 * 1_000_000_000
    let result = try bench.driver.write("m v=1 \(ClockedStore.start + years)\n")
    #expect(result.acceptedCount == 0)
    #expect(result.rejects.map(\.reason) == [.future])
  }

  @Test("points at both ends of time are kept in windows of their own")
  func endsOfTime() throws {
    var options = StoreOptions()
    options.futureLimit = .seconds(9_000_000_000)
    let bench = try ClockedStore(options: options)
    try bench.driver.writeDurably("m v=1i -9223372036854775806\nm v=2i 9223372036854775806\nm v=3i 0\n")
    let wanted = ["m v=1i -9223372036854775806", "m v=2i 9223372036854775806", "m v=3i 0"]
    #expect(try bench.driver.dump() == wanted)
    try bench.store.flush()
    #expect(try bench.driver.dump() == wanted)
    try bench.reopen()
    #expect(try bench.driver.dump() == wanted)
  }

  @Test("a dropped database is gone, and its records in the log are skipped after a restart")
  func dropDatabase() throws {
    let bench = try ClockedStore()
    try bench.store.createDatabase("other")
    try bench.driver.writeDurably("m v=1 \(ClockedStore.start)\n", database: "other")
    try bench.store.flush()
    try bench.driver.writeDurably("m v=2 \(ClockedStore.start + 1)\n", database: "other")
    try bench.store.dropDatabase("other")
    #expect(bench.store.databases() == ["metrics"])
    try bench.reopen()
    #expect(bench.store.databases() == ["metrics"])
    try bench.store.createDatabase("other")
    #expect(try bench.driver.dump(database: "other") == [])
  }

  @Test("a directory that a store holds is not opened twice")
  func locked() throws {
    let bench = try ClockedStore()
    #expect(throws: StorageError.self) { try Store.open(fileSystem: bench.fileSystem) }
  }

  @Test("window cells are cut at their neighbours and never meet")
  func windowCells() {
    let hour: Int64 = 3_600_000_000_000
    let windows = [WindowState(start: 0, end: hour, flushedThrough: 0, runs: [])]
    #expect(WindowGrid.cell(for: hour, length: 4 * hour, between: windows) == hour..<4 * hour)
    #expect(WindowGrid.cell(for: -1, length: 4 * hour, between: windows) == -4 * hour..<0)
    #expect(WindowGrid.cell(for: .max - 1, length: hour, between: windows).upperBound == .max)
    #expect(WindowGrid.cell(for: .min + 2, length: hour, between: windows).lowerBound == .min)
  }
}

import LineProtocol
import Storage
import Synchronization
import Testing
import TestSupport

/// A store in memory with clocks that the test moves.
private final class Bench {
  static let start: Int64 = 1_700_000_000_000_000_000
  let fileSystem: MemoryFileSystem
  private(set) var store: Store
  private(set) var driver: StoreDriver

  init(options: StoreOptions = StoreOptions(), fileSystem: MemoryFileSystem = MemoryFileSystem()) throws {
    self.fileSystem = fileSystem
    let clocks = Clocks()
    self.clocks = clocks
    var options = options
    options.segmentByteCount = 1 << 20
    self.options = options
    store = try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    driver = StoreDriver(store)
    try store.createDatabase("metrics")
  }

  let clocks: Clocks
  let options: StoreOptions

  deinit { try? store.close() }

  final class Clocks: Sendable {
    let wall = Atomic<Int64>(Bench.start)
    let monotonic = Atomic<Int64>(1_000_000_000)

    func advance(seconds: Int64) {
      wall.add(seconds * 1_000_000_000, ordering: .relaxed)
      monotonic.add(seconds * 1_000_000_000, ordering: .relaxed)
    }
  }

  func reopen() throws {
    try store.close()
    let clocks = clocks
    store = try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { clocks.wall.load(ordering: .relaxed) },
      monotonicClock: { clocks.monotonic.load(ordering: .relaxed) })
    driver = StoreDriver(store)
  }
}

@Suite("Store")
struct StoreTests {
  @Test("what is acknowledged is read before a flush, after it, after a merge and after a restart")
  func sameAnswerEverywhere() throws {
    let bench = try Bench()
    var lines: [String] = []
    for second in 0..<200 {
      lines.append("cpu,host=a,zone=z usage=\(second).5,count=\(second)i \(Bench.start + Int64(second) * 1_000_000_000)")
      lines.append("cpu,host=b up=true,note=\"n \(second)\" \(Bench.start + Int64(second) * 1_000_000_000)")
    }
    for start in stride(from: 0, to: lines.count, by: 40) {
      try bench.driver.writeDurably(lines[start..<start + 40].joined(separator: "\n") + "\n")
    }
    let before = try bench.driver.dump()
    #expect(before.count == 800)
    try bench.store.flush()
    #expect(try bench.driver.dump() == before)
    try bench.driver.writeDurably("cpu,host=a,zone=z usage=1000 \(Bench.start)\n")
    let changed = try bench.driver.dump()
    #expect(changed != before)
    #expect(changed.count == before.count)
    try bench.store.compact()
    #expect(try bench.driver.dump() == changed)
    try bench.reopen()
    #expect(try bench.driver.dump() == changed)
  }

  @Test("the higher number wins for a field, and fields of a point written apart are joined")
  func precedence() throws {
    let bench = try Bench()
    let time = Bench.start
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
    let bench = try Bench()
    let hour: Int64 = 3_600_000_000_000
    for age in 0..<6 {
      try bench.driver.writeDurably("m v=\(age)i \(Bench.start - Int64(age) * hour)\n")
    }
    #expect(try bench.driver.dump().count == 6)
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: hour + hour / 2, windowLength: nil, isDefault: nil)
    #expect(try bench.driver.dump().count == 2)
    let result = try bench.driver.write("m v=9i \(Bench.start - 3 * hour)\nm v=10i \(Bench.start)\n")
    #expect(result.acceptedCount == 1)
    #expect(result.rejects.map(\.reason) == [.expired])
    #expect(result.rejects.map(\.line) == [1])
    // Back within 30 s: nothing is lost.
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: 0, windowLength: nil, isDefault: nil)
    #expect(try bench.driver.dump().count == 6)
  }

  @Test("a point too far ahead of now is refused as future")
  func future() throws {
    let bench = try Bench()
    let years: Int64 = 11 * 365 * 86_400 * 1_000_000_000
    let result = try bench.driver.write("m v=1 \(Bench.start + years)\n")
    #expect(result.acceptedCount == 0)
    #expect(result.rejects.map(\.reason) == [.future])
  }

  @Test("points at both ends of time are kept in windows of their own")
  func endsOfTime() throws {
    var options = StoreOptions()
    options.futureLimit = .seconds(9_000_000_000)
    let bench = try Bench(options: options)
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
    let bench = try Bench()
    try bench.store.createDatabase("other")
    try bench.driver.writeDurably("m v=1 \(Bench.start)\n", database: "other")
    try bench.store.flush()
    try bench.driver.writeDurably("m v=2 \(Bench.start + 1)\n", database: "other")
    try bench.store.dropDatabase("other")
    #expect(bench.store.databases() == ["metrics"])
    try bench.reopen()
    #expect(bench.store.databases() == ["metrics"])
    try bench.store.createDatabase("other")
    #expect(try bench.driver.dump(database: "other") == [])
  }

  @Test("a directory that a store holds is not opened twice")
  func locked() throws {
    let bench = try Bench()
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

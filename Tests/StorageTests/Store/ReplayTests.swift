import Storage
import TestSupport
import Testing

@Suite("Store: replay while it takes writes", .tags(.crash))
struct ReplayTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  /// The points of a store as text, with what was written last: what must be read.
  private struct Model {
    private(set) var values: [String: Int] = [:]

    var lines: [String] {
      values.map { point, version in point.replacing(" ", with: " v=\(version)i ") }.sorted()
    }

    /// Lines of a batch that writes `version` to some points; later versions win.
    mutating func batch(_ version: Int, of points: [(series: Int, offset: Int64)]) -> String {
      var text = ""
      for point in points {
        let time = ReplayTests.start + point.offset
        values["m,s=\(point.series) \(time)"] = version
        text += "m,s=\(point.series) v=\(version)i \(time)\n"
      }
      return text
    }
  }

  private static func options(memory: Int = 1 << 30) -> StoreOptions {
    var options = StoreOptions()
    options.segmentByteCount = 16 << 10
    // Rows have a sixth of so little.
    options.memoryByteCount = 4 * memory
    return options
  }

  private func open(
    _ disk: any FileSystem, memory: Int = 1 << 30, progress: ReplayProgress? = nil, waits: Bool = true
  ) throws(StorageError) -> Store {
    try Store.open(
      fileSystem: disk, options: Self.options(memory: memory), wallClock: { Self.start }, progress: progress,
      waitsForReplay: waits)
  }

  /// Points of two windows: some that every batch writes over, and one of its own.
  private func points(_ version: Int) -> [(series: Int, offset: Int64)] {
    [
      (0, 0), (1, Int64(version)), (version % 5, 7), (2, -400_000_000_000_000),
      (version % 3, -400_000_000_000_000 - Int64(version)),
    ]
  }

  /// A disk as a kill leaves it after batches 1 to `count`, all acknowledged, nothing flushed.
  private func killed(after count: Int, _ model: inout Model) throws -> MemoryFileSystem {
    let disk = MemoryFileSystem(isForgetful: true)
    let store = try open(disk)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    for version in 1...count { try driver.writeDurably(model.batch(version, of: points(version))) }
    let left = disk.crash(keeping: .everything)
    try store.close()
    return left
  }

  @Test("what is written meanwhile is taken and read at once, wins over what is replayed, and none is doubled")
  func writes() throws {
    var model = Model()
    let disk = try killed(after: 8, &model)
    let gate = ReplayGate(at: 4)
    let store = try open(disk, progress: gate.makeProgress(), waits: false)
    defer { try? store.close() }
    gate.waitUntilReached(4)
    #expect(!store.isReplayed)
    let driver = StoreDriver(store)
    // Over points of batches that are replayed, and of such that are not yet; and in a window that nobody opened before.
    try driver.writeDurably(model.batch(100, of: points(2) + points(7) + [(9, 900_000_000_000_000)]))
    let early = try driver.dump()
    #expect(early.contains("m,s=9 v=100i \(Self.start + 900_000_000_000_000)"))
    #expect(early.contains("m,s=0 v=100i \(Self.start)"))
    #expect(!early.contains("m,s=1 v=8i \(Self.start + 8)"), "batch 8 is not replayed yet")
    gate.open(to: 6)
    gate.waitUntilReached(6)
    try driver.writeDurably(model.batch(101, of: points(5)))
    gate.open()
    try store.waitUntilReplayed()
    #expect(store.isReplayed)
    #expect(try driver.dump() == model.lines)
    try store.flush()
    #expect(try driver.dump() == model.lines)
    try store.compact()
    #expect(try driver.dump() == model.lines)
  }

  @Test("after another kill at any batch of the replay all is there, once", arguments: 1...8 as ClosedRange<UInt64>)
  func killedAgain(at sequence: UInt64) throws {
    for survival in [Survival.nothing, .everything, .seed(sequence)] {
      var model = Model()
      let first = try killed(after: 8, &model)
      let gate = ReplayGate(at: sequence)
      let store = try open(first, progress: gate.makeProgress(), waits: false)
      gate.waitUntilReached(sequence)
      let driver = StoreDriver(store)
      for version in 100..<103 { try driver.writeDurably(model.batch(version, of: points(version))) }
      let second = first.crash(keeping: survival)
      try store.close()
      for disk in [second, first] {
        let again = try open(disk)
        #expect(try StoreDriver(again).dump() == model.lines, "held at \(sequence), \(survival)")
        try again.close()
      }
    }
  }

  @Test("closed while it replays, the store flushes nothing and loses nothing")
  func closed() throws {
    var model = Model()
    let disk = try killed(after: 8, &model)
    let gate = ReplayGate(at: 3)
    let progress = gate.makeProgress()
    let store = try open(disk, progress: progress, waits: false)
    gate.waitUntilReached(3)
    try StoreDriver(store).writeDurably(model.batch(100, of: points(3)))
    try store.close()
    #expect(throws: StorageError(.cancelled, "the replay of the log was stopped")) { try store.waitUntilReplayed() }
    #expect(store.statistics().databases.allSatisfy { $0.flushWrittenBytes == 0 })
    let again = try open(disk)
    #expect(try StoreDriver(again).dump() == model.lines)
    try again.close()
  }

  @Test("writers that new batches hold back are refused once the replay is stopped, for nothing will be flushed")
  func pressure() throws {
    var model = Model()
    let disk = try killed(after: 8, &model)
    let gate = ReplayGate(at: 3)
    let progress = gate.makeProgress()
    let store = try open(disk, memory: 256 << 10, progress: progress, waits: false)
    gate.waitUntilReached(3)
    let driver = StoreDriver(store)
    var kept = model
    var refusal: StorageError?
    for version in 100..<1_000 where refusal == nil {
      if store.statistics().databases[0].memtableBytes >= 128 << 10 { progress.cancel() }
      let own = (0..<400).map { (series: $0 % 50, offset: Int64(version * 500 + $0)) }
      let lines = model.batch(version, of: own)
      do { try driver.writeDurably(lines) } catch { refusal = error as? StorageError }
      if refusal == nil { kept = model }
    }
    #expect(refusal?.code == .overloaded)
    try store.close()
    let again = try open(disk)
    #expect(try StoreDriver(again).dump() == kept.lines)
    try again.close()
  }

  @Test("a start that is cancelled opens no store, and the next one finds everything")
  func cancelled() throws {
    var model = Model()
    let disk = try killed(after: 8, &model)
    let progress = ReplayProgress()
    progress.cancel()
    do throws(StorageError) {
      _ = try open(disk, progress: progress)
      Issue.record("it opened")
    } catch {
      #expect(error.code == .cancelled)
    }
    let again = try open(disk)
    #expect(try StoreDriver(again).dump() == model.lines)
    try again.close()
  }

  @Test("a log longer than the memtable's bound is flushed while it is replayed; memory stays in its bound")
  func bounded() throws {
    var model = Model()
    let disk = MemoryFileSystem(isForgetful: true)
    let writer = try open(disk)
    try writer.createDatabase("metrics")
    let source = StoreDriver(writer)
    let batchCount = 60
    for version in 1...batchCount {
      let own = (0..<500).map { (series: $0 % 50, offset: Int64(version * 500 + $0)) }
      try source.writeDurably(model.batch(version, of: points(version) + own))
    }
    let whole = writer.statistics().databases[0].memtableBytes
    let left = disk.crash(keeping: .everything)
    try writer.close()
    // The memtable's bound is a part of it, 110 KiB, where the log holds nearly a megabyte of rows.
    let memory = 512 << 10
    #expect(whole > 3 * memory / 4, "the log is too short: \(whole) bytes of rows")

    let gate = ReplayGate(at: UInt64(batchCount))
    let store = try open(left, memory: memory, progress: gate.makeProgress(), waits: false)
    gate.waitUntilReached(UInt64(batchCount))
    let held = store.statistics().databases[0]
    #expect(held.flushWrittenBytes > 0)
    #expect(held.memtableBytes < memory / 2, "\(held.memtableBytes) bytes of \(whole)")
    // New batches in the same windows are not flushed before what is replayed.
    let driver = StoreDriver(store)
    for version in 100..<108 {
      let own = (0..<400).map { (series: $0 % 50, offset: Int64(version * 500 + $0)) }
      try driver.writeDurably(model.batch(version, of: points(version) + own))
    }
    #expect(store.statistics().databases[0].memtableBytes > MemoryBudget(byteCount: memory).share(of: .memtable) / 8 * 5)
    let killed = left.crash(keeping: .nothing)
    gate.open()
    try store.waitUntilReplayed()
    #expect(try driver.dump() == model.lines)
    try store.close()
    for disk in [killed, left] {
      let again = try open(disk, memory: memory)
      #expect(try StoreDriver(again).dump() == model.lines)
      try again.close()
    }
  }

  @Test("segments go only when all their rows are in tables")
  func segments() throws {
    var model = Model()
    let disk = try killed(after: 400, &model)
    let segments = try disk.list("wal")
    #expect(segments.count >= 3)
    let gate = ReplayGate(at: 200)
    let store = try open(disk, progress: gate.makeProgress(), waits: false)
    gate.waitUntilReached(200)
    #expect(Set(try disk.list("wal")).isSuperset(of: segments.filter { $0 < "0000000004" }))
    gate.open()
    try store.flush()
    // The last one was allocated and not used; the new log took its number.
    #expect(try disk.list("wal").filter { segments.sorted().dropLast().contains($0) } == [])
    #expect(try StoreDriver(store).dump() == model.lines)
    try store.close()
  }

  @Test("a clean stop leaves no segment; the next start goes on with numbers above all that were given")
  func cleanStop() throws {
    var model = Model()
    let disk = try killed(after: 40, &model)
    let used = try disk.list("wal").max()
    try open(disk).close()
    #expect(try disk.list("wal").isEmpty)
    let last = try Manifest.open(fileSystem: disk, isReadOnly: true).state.lastSequence
    #expect(last > 0)

    let again = try open(disk)
    #expect(try #require(disk.list("wal").min()) > #require(used))
    try StoreDriver(again).writeDurably(model.batch(1_000, of: [(3, 3)]))
    #expect(try StoreDriver(again).dump() == model.lines)
    try again.close()
    #expect(try Manifest.open(fileSystem: disk, isReadOnly: true).state.lastSequence > last)
  }

  @Test("damage in a segment that was ended stops the replay with file and offset; what was written meanwhile is kept")
  func damage() throws {
    var model = Model()
    let disk = try killed(after: 400, &model)
    // A byte in the first payload of the first segment: no header says anything about it.
    let name = "wal/0000000001.wal"
    let file = try disk.openForWriting(name)
    let byte = try file.bytes(at: 56 + 36, count: 1)[0]
    try file.write([byte ^ 1], at: 56 + 36)

    let store = try open(disk, waits: false)
    let driver = StoreDriver(store)
    try driver.writeDurably(model.batch(1_000, of: [(3, 3)]))
    do throws(StorageError) {
      try store.waitUntilReplayed()
      Issue.record("not seen")
    } catch {
      #expect(error.code == .corrupt && error.file == name && error.offset == 56, "\(error)")
    }
    #expect(throws: StorageError.self) { try store.flush() }
    try store.close()
    do throws(StorageError) {
      _ = try open(disk)
      Issue.record("not seen by a start that waits")
    } catch {
      #expect(error.code == .corrupt && error.file == name && error.offset == 56, "\(error)")
    }
  }

  @Test("dropped meanwhile, a database gets nothing back; a new one of its name is empty")
  func dropped() throws {
    var model = Model()
    let disk = try killed(after: 8, &model)
    let gate = ReplayGate(at: 4)
    let store = try open(disk, progress: gate.makeProgress(), waits: false)
    gate.waitUntilReached(4)
    try store.dropDatabase("metrics")
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    try driver.writeDurably("m v=1i \(Self.start)\n")
    gate.open()
    try store.waitUntilReplayed()
    #expect(try driver.dump() == ["m v=1i \(Self.start)"])
    try store.flush()
    #expect(try driver.dump() == ["m v=1i \(Self.start)"])
    try store.close()
  }

  @Test("where no flush succeeds the replay ends all the same, and the next start has everything")
  func failingFlush() throws {
    var model = Model()
    let disk = try killed(after: 40, &model)
    let failing = FailingFileSystem(wrapping: disk)
    failing.fail { call, name, _ in call.isChange && name.hasPrefix("tables") ? .full : nil }
    // Its memtable's bound is less than the parts of the two windows take.
    let store = try open(failing, memory: 64 << 10, waits: false)
    let driver = StoreDriver(store)
    try driver.writeDurably(model.batch(1_000, of: points(1_000)))
    try store.waitUntilReplayed()
    #expect(try driver.dump() == model.lines)
    #expect(throws: StorageError.self) { try store.close() }
    let again = try open(disk)
    #expect(try StoreDriver(again).dump() == model.lines)
    try again.close()
  }
}

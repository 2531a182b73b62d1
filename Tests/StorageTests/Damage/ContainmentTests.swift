import Storage
import TestSupport
import Testing

@Suite("Store: containment of damage")
struct ContainmentTests {
  private static let day: Int64 = 86_400_000_000_000

  /// A store of two windows with two runs each, the first table of the older one damaged at a byte.
  private static func damagedBench(ttl: Int64 = 0, at offset: Int) throws -> (
    bench: ClockedStore, name: String
  ) {
    let bench = try ClockedStore()
    try bench.store.createPolicy("days", on: "metrics", ttl: ttl, windowLength: day, isDefault: true)
    for run in 0..<2 {
      for window in 0..<2 as Range<Int64> {
        try bench.driver.writeDurably("cpu,host=a v=\(run)i \(ClockedStore.start - window * 2 * day)\n")
      }
      try bench.store.flush()
    }
    try bench.store.close()
    let name = try #require(
      try StoreImage(bench.fileSystem).files.keys.filter { $0.hasPrefix("tables/") }.min())
    let file = try bench.fileSystem.openForWriting(name)
    let byte = try file.bytes(at: UInt64(offset), count: 1)
    try file.write([byte[0] ^ 0xff], at: UInt64(offset))
    try bench.reopen()
    return (bench, name)
  }

  @Test("merging leaves a damaged window alone, says so, and merges the others", arguments: [0, 20])
  func compaction(offset: Int) throws {
    let (bench, name) = try Self.damagedBench(at: offset)
    var failure: StorageError?
    do throws(StorageError) { try bench.store.compact() } catch { failure = error }
    #expect(failure?.code == .corrupt && failure?.file == name, "\(String(describing: failure))")
    let windows = bench.store.compactionReport().windows.filter { $0.policy == "days" }
    #expect(windows.map(\.runs) == [2, 1])
    #expect(
      windows[0].outlook.hasPrefix("damaged: \(name):") && windows[0].retryAt == nil, "\(windows[0].outlook)")
    // Not tried again by itself, however long it takes.
    bench.clocks.advance(seconds: 86_400)
    bench.store.runDueCompactions()
    let later = bench.store.compactionReport().windows.first { $0.policy == "days" }
    #expect(later?.failureCount == windows[0].failureCount)
  }

  @Test("retention drops a damaged window without reading it", arguments: [0, 20])
  func retention(offset: Int) throws {
    let (bench, name) = try Self.damagedBench(ttl: 3 * Self.day, at: offset)
    bench.clocks.advance(seconds: 3 * 86_400)
    bench.store.runUpkeep()
    #expect(bench.store.compactionReport().windows.filter { $0.policy == "days" }.count == 1)
    #expect(try !bench.fileSystem.exists(name))
    let (points, leftOut) = try DamageBench.answer(bench.store)
    #expect(points.count == 1 && leftOut.isEmpty)
  }

  @Test("a delete takes effect in a damaged store, also on what cannot be read", arguments: [0, 20])
  func deletion(offset: Int) throws {
    let (bench, _) = try Self.damagedBench(at: offset)
    #expect(try DamageBench.answer(bench.store).points.count == 1)
    let deletion = Deletion(measurements: [.name("cpu")], predicate: nil, times: .min ..< .max)
    try bench.store.delete(deletion, from: "metrics")
    let (points, _) = try DamageBench.answer(bench.store)
    #expect(points.isEmpty)
    try bench.reopen()
    #expect(try DamageBench.answer(bench.store).points.isEmpty)
  }

  @Test("writes go on into a damaged window, are durable, and are read once it is repaired")
  func writes() throws {
    let (bench, name) = try Self.damagedBench(at: 0)
    let time = ClockedStore.start - 2 * Self.day
    try bench.driver.writeDurably("cpu,host=a v=9i \(time)\ncpu,host=b v=7i \(time)\n")
    try bench.store.flush()
    #expect(try DamageBench.answer(bench.store).leftOut.all.map(\.error.file) == [name])
    try bench.store.close()
    let report = try Store.repair(fileSystem: bench.fileSystem)
    #expect(!report.isLossy, "the header says nothing that is not known: \(report.losses)")
    try bench.reopen()
    let (points, leftOut) = try DamageBench.answer(bench.store)
    #expect(leftOut.isEmpty)
    #expect(
      points == [
        "cpu,host=a v=1i \(ClockedStore.start)", "cpu,host=a v=9i \(time)", "cpu,host=b v=7i \(time)",
      ])
  }

  @Test("verify of an open store finds the same as of a closed one, while writes go on")
  func verifyOpen() throws {
    let (bench, name) = try Self.damagedBench(at: 20)
    try bench.driver.writeDurably("cpu,host=c v=1i \(ClockedStore.start)\n")
    let found = try bench.store.verify()
    #expect(found.problems.map(\.file) == [name] && found.problems[0].offset == 16, "\(found.problems)")
    #expect(found.tables == 4)
    try bench.store.close()
    #expect(try Store.verify(fileSystem: bench.fileSystem).problems == found.problems)
  }

  @Test("a store that is open is neither verified from its files nor repaired: the error says who has it")
  func locked() throws {
    let bench = try ClockedStore()
    for attempt in [
      { _ = try Store.verify(fileSystem: bench.fileSystem) },
      { _ = try Store.repair(fileSystem: bench.fileSystem) },
    ] {
      do {
        try attempt()
        Issue.record("taken")
      } catch let error as StorageError {
        #expect(error.code == .locked)
      }
    }
  }

  @Test("a lost manifest brings back what merges made, over inputs that still lie there")
  func rebuiltMerges() throws {
    let bench = try ClockedStore()
    try bench.store.createPolicy("days", on: "metrics", ttl: 0, windowLength: Self.day, isDefault: true)
    for run in 0..<3 {
      try bench.driver.writeDurably(
        "cpu,host=a v=\(run)i,f\(run)=1i \(ClockedStore.start)\ncpu,host=\(run) v=1i \(ClockedStore.start)\n")
      try bench.store.flush()
    }
    let inputs = try StoreImage(bench.fileSystem).files.filter { $0.key.hasPrefix("tables/") }
    let truth = try bench.driver.dump()
    try bench.store.compact()
    try bench.store.close()
    var image = try StoreImage(bench.fileSystem)
    // One input was unlinked already, the others were not.
    for (name, bytes) in inputs.sorted(by: { $0.key < $1.key }).dropLast() { image.files[name] = bytes }
    for name in image.files.keys
    where name.hasPrefix("MANIFEST") || name == "CURRENT" || name.hasPrefix("wal/") {
      image.files[name] = nil
    }
    let fileSystem = try image.make()
    #expect(try !Store.repair(fileSystem: fileSystem).isLossy)
    #expect(try Store.verify(fileSystem: fileSystem).isClean)
    let store = try DamageBench.open(fileSystem, isReadOnly: false)
    #expect(try DamageBench.answer(store).points == truth)
    try store.close()
  }
}

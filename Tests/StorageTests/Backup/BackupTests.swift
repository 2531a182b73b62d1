import Glibc
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Backup")
struct BackupTests {
  /// Two tables' worth of points and some that only the log holds.
  private static func filled(_ root: any FileSystem = MemoryFileSystem()) throws -> BackupBench {
    let bench = try BackupBench(root)
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0))
    try bench.store.flush()
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=b", from: 0))
    try bench.store.flush()
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=c", from: 0))
    return bench
  }

  @Test("a backup holds what was acknowledged, in tables and in the log, and nothing of later")
  func holdsWhatWas() throws {
    let bench = try Self.filled()
    let wanted = try bench.driver.dump()
    let report = try bench.store.backUp(to: "/backup", isVerified: true)
    #expect(report.linkedCount >= 3 && report.copiedCount == 0 && report.keptCount == 0)
    #expect(report.verifiedCount == report.linkedCount && report.byteCount > 0 && report.lastSequence == 3)
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=d", from: 0))
    #expect(try bench.dump("/backup") == wanted)
    // For writing too, and again after that.
    for _ in 0..<2 {
      let opened = try bench.open("/backup")
      #expect(try StoreDriver(opened).dump() == wanted)
      try opened.close()
    }
  }

  @Test("what is done in the backup changes no byte of the store, and the other way round")
  func linksAreNeverWritten() throws {
    let bench = try Self.filled()
    _ = try bench.store.backUp(to: "/one")
    _ = try bench.store.backUp(to: "/two")
    try bench.store.flush()
    let (store, two) = (try bench.files("/data"), try bench.files("/two"))
    let wanted = try bench.dump("/two")
    let one = try bench.open("/one")
    try StoreDriver(one).writeDurably(BackupBench.lines("cpu,host=a", from: 0, count: 900, value: 7))
    try one.delete(
      Deletion(measurements: [.name("cpu")], predicate: nil, times: .min ..< .max), from: "metrics")
    try one.compact()
    try one.close()
    let after = try bench.files("/data")
    // The store's own log goes on: what it shares with the backup is what counts.
    let shared = two.keys.filter { $0.contains("/") && store[$0] != nil }
    #expect(shared.filter { after[$0] != store[$0] } == [] && shared.count >= 2)
    try bench.store.compact()
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0, count: 900, value: 8))
    try bench.reopen()
    #expect(try bench.files("/two") == two)
    #expect(try bench.dump("/two") == wanted)
  }

  @Test("a backup of links to a backup can be served from, and the first does not change")
  func linksOfLinks() throws {
    let bench = try Self.filled()
    _ = try bench.store.backUp(to: "/backup")
    let (backup, trial) = (bench.root.rooted(at: "/backup"), bench.root.rooted(at: "/trial"))
    let before = try bench.files("/backup")
    for name in before.keys {
      let folder = name.split(separator: "/").dropLast().joined(separator: "/")
      try trial.createDirectory(folder)
      #expect(try backup.link(name, toPath: trial.path(of: name)))
    }
    let opened = try bench.open("/trial")
    try opened.createDatabase("more")
    try StoreDriver(opened).writeDurably(BackupBench.lines("cpu,host=z", from: 0))
    try opened.compact()
    try opened.close()
    #expect(try bench.files("/backup") == before)
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "then")
    #expect(try bench.driver.dump(database: "then") == bench.driver.dump())
  }

  @Test("an incremental backup keeps, adds and removes files, and is the store of the second instant")
  func incremental() throws {
    let bench = try Self.filled()
    let first = try bench.store.backUp(to: "/backup")
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 100))
    try bench.store.flush()
    let second = try bench.store.backUp(to: "/backup", isIncremental: true)
    #expect(second.keptCount == 2 && second.linkedCount >= 1 && second.removedCount >= 1, "\(second)")
    #expect(second.lastSequence > first.lastSequence)
    try bench.store.compact()
    let third = try bench.store.backUp(to: "/backup", isIncremental: true, isVerified: true)
    #expect(third.removedCount >= 3 && third.linkedCount == 1 && third.keptCount == 0, "\(third)")
    let fourth = try bench.store.backUp(to: "/backup", isIncremental: true)
    #expect(fourth.keptCount == 1 && fourth.linkedCount == 0 && fourth.removedCount == 0, "\(fourth)")
    #expect(try bench.dump("/backup") == bench.driver.dump())
    let names = try bench.files("/backup").keys
    #expect(names.filter { $0.hasPrefix("MANIFEST-") }.count == 1)
    #expect(names.filter { $0.hasPrefix("CHECKPOINT-") }.count == 1)
  }

  @Test("a backup of one database holds the others' points nowhere that is read")
  func oneDatabase() throws {
    let bench = try Self.filled()
    try bench.store.createDatabase("edge")
    try bench.driver.writeDurably(BackupBench.lines("m", from: 0), database: "edge")
    _ = try bench.store.backUp(to: "/backup", database: "edge")
    let opened = try bench.open("/backup")
    #expect(opened.databases() == ["edge"])
    #expect(try StoreDriver(opened).dump(database: "edge") == bench.driver.dump(database: "edge"))
    // A database that is made there gets a number that nothing in the log carries.
    try opened.createDatabase("metrics")
    #expect(try StoreDriver(opened).dump() == [])
    try opened.close()
    #expect(
      BackupBench.error { _ = try bench.store.backUp(to: "/other", database: "none") }?.code == .notFound)
  }

  @Test("where no links can be made files are copied, whole before they have their names")
  func copies() throws {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem(), takesLinks: false)
    let bench = try Self.filled(disk)
    let wanted = try bench.driver.dump()
    let report = try bench.store.backUp(to: "/backup", isVerified: true)
    #expect(report.linkedCount == 0 && report.copiedCount >= 3 && report.copiedByteCount == report.byteCount)
    #expect(try bench.dump("/backup") == wanted)
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "copy")
    #expect(try bench.driver.dump(database: "copy") == wanted)
  }

  @Test("directories that will not do are refused, and stay as they are")
  func refusals() throws {
    let bench = try Self.filled()
    func refusal(_ path: String, isIncremental: Bool = false) -> StorageError? {
      BackupBench.error { _ = try bench.store.backUp(to: path, isIncremental: isIncremental) }
    }
    #expect(refusal("backup")?.detail.contains("no absolute path") == true)
    #expect(refusal("/data/tables/backup")?.detail.contains("lies in the data directory") == true)
    try bench.root.createDirectory("full")
    _ = try bench.root.create("full/letters")
    #expect(refusal("/full", isIncremental: true)?.detail.contains("not empty") == true)
    #expect(try bench.root.list("full").sorted() == ["LOCK", "letters"])
    _ = try bench.store.backUp(to: "/backup")
    #expect(refusal("/backup")?.detail.contains("--incremental") == true)

    // The backup of another store, whose files have the same names.
    let other = try BackupBench(bench.root, at: "/other")
    try other.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 5))
    try other.store.flush()
    let before = try bench.files("/backup")
    let foreign = BackupBench.error { _ = try other.store.backUp(to: "/backup", isIncremental: true) }
    #expect(foreign?.detail.contains("no backup of this store") == true)
    #expect(try bench.files("/backup") == before)

    // One that is open, and one that has been.
    let opened = try bench.open("/backup")
    #expect(refusal("/backup", isIncremental: true)?.code == .locked)
    try opened.close()
    #expect(refusal("/backup", isIncremental: true)?.detail.contains("opened for writing") == true)
    #expect(try bench.dump("/backup") == bench.driver.dump())
  }

  @Test("a backup that was not finished is opened by nobody, and goes on where it stopped")
  func unfinished() throws {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem())
    let bench = try Self.filled(disk)
    disk.fail { call, name, _ in call == .create && name.hasPrefix("CURRENT") ? .full : nil }
    #expect(BackupBench.error { _ = try bench.store.backUp(to: "/backup") }?.code == .full)
    disk.fail(where: nil)
    for isReadOnly in [true, false] {
      #expect(BackupBench.error { _ = try bench.open("/backup", isReadOnly: isReadOnly) } != nil)
    }
    #expect(
      BackupBench.error { _ = try bench.store.backUp(to: "/backup") }?.detail.contains("--incremental")
        == true)
    let report = try bench.store.backUp(to: "/backup", isIncremental: true, isVerified: true)
    #expect(report.keptCount >= 3, "\(report)")
    #expect(try bench.dump("/backup") == bench.driver.dump())
  }

  @Test("a data directory of the operating system does not take a backup below it, whatever the way there")
  func insideOnPOSIX() throws {
    try TemporaryDirectory.with { path in
      let store = try Store.open(directory: path + "/data")
      defer { try? store.close() }
      try POSIXFileSystem(root: path).createDirectory("beside")
      for inside in ["/data", "/data/tables/x", "/beside/../data/x"] {
        let error = BackupBench.error { _ = try store.backUp(to: path + inside) }
        #expect(error?.detail.contains("lies in the data directory") == true, "\(inside)")
      }
      let report = try store.backUp(to: path + "/data-2/deep")
      #expect(report.copiedCount == 0)
    }
  }

  @Test("a log segment that failed is followed by one that says so, and neither is written to by the backup")
  func afterFailedSegment() throws {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem())
    let bench = try Self.filled(disk)
    disk.fail { call, name, _ in call == .sync && name.hasSuffix("/0000000001.wal") ? .io : nil }
    #expect(throws: StorageError.self) {
      try bench.driver.writeDurably(BackupBench.lines("cpu,host=x", from: 0))
    }
    disk.fail(where: nil)
    let wanted = try bench.driver.dump()
    _ = try bench.store.backUp(to: "/backup", isVerified: true)
    let before = try bench.files("/backup")
    let opened = try bench.open("/backup")
    let found = try StoreDriver(opened).dump()
    // The failed batch was never acknowledged: it may be there or not.
    #expect(found.filter { !$0.hasPrefix("cpu,host=x") } == wanted.filter { !$0.hasPrefix("cpu,host=x") })
    try opened.close()
    let after = try bench.files("/data")
    #expect(
      before.filter { after[$0.key] != nil && after[$0.key] != $0.value && $0.key.contains("/") }.isEmpty)
  }

  private final class Progress: Sendable {
    let isEnding = Atomic(false)
    let acknowledged = Atomic(0)
  }

  @Test("a segment that a start will cut is copied")
  func segmentWithSlack() throws {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem())
    let bench = try Self.filled(disk)
    disk.fail { call, name, _ in call == .truncate && name.contains("wal/") ? .io : nil }
    let report = try bench.store.backUp(to: "/backup", isVerified: true)
    #expect(report.copiedCount == 1 && report.linkedCount == 2)
    disk.fail(where: nil)
    let shared = try bench.files("/backup").keys.filter { $0.contains("/") }
    let before = try bench.files("/data")
    let opened = try bench.open("/backup")
    #expect(try StoreDriver(opened).dump() == bench.driver.dump())
    try opened.close()
    let after = try bench.files("/data")
    #expect(shared.count == 3 && shared.filter { after[$0] != before[$0] } == [])
  }

  @Test(
    "with writers at work each batch is in whole or not, and none after one that is not",
    arguments: [1, 2, 3])
  func consistentPoint(round: Int) throws {
    let bench = try BackupBench()
    let day: Int64 = 86_400_000_000_000
    let progress = Progress()
    let store = bench.store
    let writer = try WorkerThread(name: "writer") {
      let driver = StoreDriver(store)
      var number = 0
      while !progress.isEnding.load(ordering: .relaxed) {
        number += 1
        // Two windows, so that a flush may have one half of a batch and the log the other.
        let lines =
          "m v=\(number)i \(BackupBench.start + Int64(number))\nm v=\(number)i \(BackupBench.start - 30 * day + Int64(number))\n"
        do { _ = try driver.writeDurably(lines) } catch { return }
        progress.acknowledged.store(number, ordering: .releasing)
        if number % 50 == 0 { do { try store.flush() } catch { return } }
      }
    }
    for index in 1...8 {
      while progress.acknowledged.load(ordering: .acquiring) < index * 40 { sched_yield() }
      let before = progress.acknowledged.load(ordering: .acquiring)
      _ = try store.backUp(to: "/backup", isIncremental: index > 1)
      let found = try bench.dump("/backup")
      let counts = Dictionary(grouping: found) { $0.split(separator: " ")[1] }.mapValues(\.count)
      #expect(counts.values.allSatisfy { $0 == 2 }, "a batch is in by half")
      #expect(counts.count >= before, "\(before) were acknowledged, \(counts.count) are in")
      #expect((1...max(counts.count, 1)).allSatisfy { counts["v=\($0)i"] == 2 }, "there is a hole")
    }
    progress.isEnding.store(true, ordering: .relaxed)
    writer.join()
  }
}

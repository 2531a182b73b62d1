import Storage
import TestSupport
import Testing

/// A manifest cut between two lines reads like one that had fewer edits; tables and log tell.
@Suite("Store: a manifest that lost its last lines")
struct ManifestCutTests {
  private static let day: Int64 = 86_400_000_000_000

  /// The lengths at which a manifest ends between two lines, its first one there.
  private static func cuts(_ bytes: [UInt8]) -> [Int] {
    bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }.map { $0 + 1 }.dropLast()
  }

  /// A store with two windows of several runs, of which some are merged; its log begins behind the first flushes, or a clean stop has
  /// taken it away.
  private static func bench(isStopped: Bool) throws -> (image: StoreImage, truth: [String]) {
    let bench = try ClockedStore()
    try bench.store.createPolicy("days", on: "metrics", ttl: 0, windowLength: day, isDefault: true)
    for run in 0..<4 {
      try bench.driver.writeDurably(
        "cpu,host=a v=\(run)i,f\(run)=1i \(ClockedStore.start)\ncpu,host=\(run) v=1i \(ClockedStore.start)\n")
      if run == 2 { try bench.driver.writeDurably("mem,host=a v=1i \(ClockedStore.start - 2 * day)\n") }
      try bench.store.flush()
    }
    try bench.store.compact()
    // A stop ends the log, and what a start begins has a later number.
    try bench.reopen()
    try bench.driver.writeDurably("cpu,host=z v=1i \(ClockedStore.start)\n")
    let truth = try bench.driver.dump()
    if isStopped {
      try bench.store.close()
      #expect(try bench.fileSystem.list("wal").isEmpty)
    }
    return (try StoreImage(bench.fileSystem), truth)
  }

  @Test(
    "cut between any two lines it is found, or nothing is lost by it; repair brings back what tables and log have",
    arguments: [false, true])
  func cuts(isStopped: Bool) throws {
    let (image, truth) = try Self.bench(isStopped: isStopped)
    var (refused, count) = (0, 0)
    let current = try Manifest.current(of: image.make())
    for (name, bytes) in image.files where name == current {
      for length in Self.cuts(bytes) {
        count += 1
        let damaged = image.cutting(name, to: length)
        let opened = try damaged.make()
        do {
          let store = try DamageBench.open(opened, isReadOnly: false)
          #expect(try DamageBench.answer(store).points == truth, "cut to \(length)")
          try store.close()
          continue
        } catch let error as StorageError {
          refused += 1
          #expect(
            error.code == .corrupt && error.detail.contains("run `varve repair`") && !error.file.isEmpty,
            "\(error)")
        }
        #expect(try !Store.verify(fileSystem: damaged.make()).isClean)
        // The refused start swept nothing.
        let report = try Store.repair(fileSystem: opened)
        #expect(!report.problems.isEmpty && !report.isLossy, "cut to \(length): \(report)")
        #expect(try Store.verify(fileSystem: opened).isClean)
        let store = try DamageBench.open(opened, isReadOnly: false)
        var points: [String] = []
        for database in store.databases() {
          for policy in store.policies(of: database) ?? [] {
            points += try StoreDriver(store).dump(database: database, policy: policy.name)
          }
        }
        #expect(points.sorted() == truth, "cut to \(length)")
        try store.close()
      }
    }
    #expect(count > 5 && refused > 3, "\(refused) of \(count)")
  }

  @Test("a crash between tables and their edit is no such loss: every call of a flush and a merge")
  func crashes() throws {
    let memory = MemoryFileSystem()
    let counting = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
    func work(_ fileSystem: FailingFileSystem) throws {
      let store = try DamageBench.open(fileSystem, isReadOnly: false)
      defer { try? store.close() }
      let driver = StoreDriver(store)
      try store.createDatabase("metrics", ttl: 0, windowLength: Self.day)
      for run in 0..<3 {
        try driver.writeDurably("cpu,host=a v=\(run)i \(DamageBench.start)\n")
        try store.flush()
      }
      try store.compact()
    }
    try work(counting)
    for call in 1...counting.callCount {
      let memory = MemoryFileSystem()
      let failing = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      failing.stop(at: call)
      do { try work(failing) } catch {}
      if try !memory.exists("CURRENT") { continue }
      #expect(try Store.verify(fileSystem: memory).isClean, "call \(call)")
      try DamageBench.open(memory, isReadOnly: false).close()
    }
  }
}

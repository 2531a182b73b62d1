import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Store: what the disk refuses to read")
struct UnreadableTests {
  private static func firstTable(_ bench: DamageBench) throws -> String {
    try #require(bench.image.files.keys.filter { $0.hasPrefix("tables/") }.min())
  }

  @Test("an answer is partial and names the place; a minute later the disk is asked again")
  func queries() throws {
    let bench = try DamageBench()
    let disk = FailingFileSystem(wrapping: try bench.image.make())
    let clocks = ClockedStore.Clocks()
    let store = try DamageBench.open(disk, isReadOnly: false, clocks: clocks)
    defer { try? store.close() }
    let name = try Self.firstTable(bench)
    disk.refuseReading(name, 16..<40)
    for _ in 0..<2 {
      let (points, leftOut) = try DamageBench.answer(store)
      #expect(!points.isEmpty && Set(points).isStrictSubset(of: bench.truth))
      let error = try #require(leftOut.all.first?.error)
      #expect(error.code == .io && error.file == name && error.offset == 16, "\(error)")
    }
    #expect(throws: StorageError.self) { try StoreDriver(store).dump() }
    #expect(try store.verify().problems.contains { $0.file == name && $0.what.contains("cannot be read") })
    disk.refuseReading(name, nil)
    // Remembered until then, so that a bad disk is not asked by every statement.
    #expect(try !DamageBench.answer(store).leftOut.isEmpty)
    clocks.advance(seconds: 60)
    store.runUpkeep()
    let (points, leftOut) = try DamageBench.answer(store)
    #expect(leftOut.isEmpty && Set(points) == bench.truth)
  }

  @Test("a disk that refuses once is asked again at once, and nobody notices")
  func once() throws {
    let bench = try DamageBench()
    let disk = FailingFileSystem(wrapping: try bench.image.make())
    let name = try Self.firstTable(bench)
    let refused = Once()
    disk.fail { call, file, _ in call == .read && file == name && refused.take() ? .io : nil }
    // At the opening of the table.
    let store = try DamageBench.open(disk, isReadOnly: true)
    defer { try? store.close() }
    #expect(refused.isTaken && store.unreadableTables.isEmpty)
    let again = Once()
    disk.fail { call, file, _ in call == .read && file == name && again.take() ? .io : nil }
    let (points, leftOut) = try DamageBench.answer(store)
    #expect(again.isTaken && leftOut.isEmpty && Set(points) == bench.truth)
  }

  private final class Once: Sendable {
    private let state = Atomic<Bool>(false)
    var isTaken: Bool { state.load(ordering: .relaxed) }
    func take() -> Bool { !state.exchange(true, ordering: .relaxed) }
  }

  @Test("a table whose footer cannot be read does not stop the start; one that cannot be opened does")
  func opening() throws {
    let bench = try DamageBench()
    let name = try Self.firstTable(bench)
    let disk = FailingFileSystem(wrapping: try bench.image.make())
    let end = UInt64(bench.image.files[name]?.count ?? 0)
    disk.refuseReading(name, end - 10..<end)
    let store = try DamageBench.open(disk, isReadOnly: true)
    #expect(store.unreadableTables.map(\.file) == [name])
    #expect(try !DamageBench.answer(store).leftOut.isEmpty)
    try store.close()
    disk.fail { call, file, _ in call == .open && file == name ? .io : nil }
    #expect(throws: StorageError.self) { try DamageBench.open(disk, isReadOnly: true) }
    #expect(throws: StorageError.self) { try Store.repair(fileSystem: disk) }
  }

  @Test("verify lists each place and goes on; repair sets it aside and lacks nothing that it does not name")
  func repairs() throws {
    for bench in [try DamageBench(), try DamageBench(startCount: 3)] {
      for (name, bytes) in bench.image.files where !bytes.isEmpty && !["LOCK", "RESERVE"].contains(name) {
        // Empty where nothing was ever written: a segment that is allocated and not in use.
        if bytes.allSatisfy({ $0 == 0 }) { continue }
        for start in stride(from: 0, to: bytes.count, by: 4_096) {
          let range = UInt64(start)..<UInt64(min(start + 4_096, bytes.count))
          let disk = FailingFileSystem(wrapping: try bench.image.make())
          disk.refuseReading(name, range)
          let report = try Store.verify(fileSystem: disk)
          let place = report.problems.first { $0.file == name && $0.offset == range.lowerBound }
          #expect(
            report.problems.contains { $0.what.contains("cannot be read") } && place != nil,
            "\(name) \(report)")
          let fault = try bench.repairFault(of: bench.image, refusing: (name, range))
          #expect(fault == nil, "\(name) at \(start): \(fault ?? "")")
        }
      }
    }
  }

  @Test("what the disk refuses keeps its bytes under another name, and is never used again")
  func keepsFile() throws {
    let bench = try DamageBench()
    let name = try Self.firstTable(bench)
    let memory = try bench.image.make()
    let disk = FailingFileSystem(wrapping: memory)
    disk.refuseReading(name, 0..<100)
    _ = try Store.repair(fileSystem: disk)
    let kept = try #require(try memory.list("quarantine").first { $0.hasSuffix(".sst") })
    #expect(try memory.open("quarantine/" + kept).bytes() == bench.image.files[name])
  }
}

import Storage
import TestSupport
import Testing

/// Tables that were restored say in their properties where they were written; folder and file name say where they are.
@Suite("Repair of a restored database")
struct RestoredRepairTests {
  /// A store in which `copy` came out of a backup of `metrics`, and then took points of its own.
  private static func bench(dropsOriginal: Bool = false) throws -> (
    image: StoreImage, points: [String: [String]]
  ) {
    let bench = try BackupBench()
    for host in ["a", "b"] {
      try bench.driver.writeDurably(BackupBench.lines("cpu,host=\(host)", from: 0))
      try bench.store.flush()
    }
    _ = try bench.store.backUp(to: "/backup")
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "copy")
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=c", from: 0), database: "copy")
    try bench.store.flush()
    if dropsOriginal { try bench.store.dropDatabase("metrics") }
    var points: [String: [String]] = [:]
    for database in bench.store.databases() { points[database] = try bench.driver.dump(database: database) }
    try bench.store.close()
    return (try StoreImage(bench.root.rooted(at: "/data")), points)
  }

  private static func points(_ fileSystem: any FileSystem) throws -> [String: [String]] {
    let store = try DamageBench.open(fileSystem, isReadOnly: false)
    defer { try? store.close() }
    let driver = StoreDriver(store)
    var points: [String: [String]] = [:]
    for database in store.databases() { points[database] = try driver.dump(database: database) }
    return points
  }

  @Test("rows of a restored table are lost under the name that the database has now; the others stay")
  func losesRows() throws {
    let (image, wanted) = try Self.bench()
    let tables = image.files.keys.filter { $0.hasPrefix("tables/0000002/") }.sorted()
    #expect(tables.count == 3)
    for name in tables {
      let fileSystem = try image.flipping(8 * 20, of: name).make()
      let report = try Store.repair(fileSystem: fileSystem)
      #expect(report.losses.map(\.database) == ["copy"] && report.losses[0].file == name, "\(report)")
      #expect(try Store.verify(fileSystem: fileSystem).isClean)
      let found = try Self.points(fileSystem)
      let gone = Set(wanted["copy"] ?? []).subtracting(found["copy"] ?? [])
      #expect(found["metrics"] == wanted["metrics"] && gone.count == 3)
      #expect(gone.allSatisfy { $0.hasPrefix(report.losses[0].series ?? "-") }, "\(gone)")
    }
  }

  @Test("a restored table whose footer is damaged is written anew, whole, with the names that it has now")
  func footers() throws {
    let (image, wanted) = try Self.bench()
    for name in image.files.keys.filter({ $0.hasPrefix("tables/") }).sorted() {
      let bytes = image.files[name] ?? []
      let fileSystem = try image.flipping(8 * (bytes.count - 20), of: name).make()
      #expect(try !Store.repair(fileSystem: fileSystem).isLossy)
      #expect(try Store.verify(fileSystem: fileSystem).isClean)
      #expect(try Self.points(fileSystem) == wanted, "\(name)")
    }
  }

  @Test("a lost manifest brings back both databases, each with its own points", arguments: [false, true])
  func manifest(dropsOriginal: Bool) throws {
    var (image, wanted) = try Self.bench(dropsOriginal: dropsOriginal)
    for name in image.files.keys where name.hasPrefix("MANIFEST") || name == "CURRENT" {
      image.files[name] = nil
    }
    let fileSystem = try image.make()
    let report = try Store.repair(fileSystem: fileSystem)
    #expect(!report.isLossy, "\(report.losses)")
    #expect(try Store.verify(fileSystem: fileSystem).isClean)
    #expect(try Self.points(fileSystem) == wanted)
    // With a table of before the restore alone, the name is taken, or that of before.
    for name in image.files.keys where name.hasPrefix("tables/0000002/") {
      let table = try #require(image.files[name])
      var alone = image
      for other in image.files.keys where other.hasPrefix("tables/0000002/") || other.hasPrefix("wal/") {
        alone.files[other] = nil
      }
      alone.files[name] = table
      let disk = try alone.make()
      #expect(try !Store.repair(fileSystem: disk).isLossy && Store.verify(fileSystem: disk).isClean)
      let found = try Self.points(disk)
      #expect(found["metrics"] == wanted["metrics"] || dropsOriginal)
      #expect(found.values.contains { $0.count == 3 }, "\(found)")
    }
  }
}

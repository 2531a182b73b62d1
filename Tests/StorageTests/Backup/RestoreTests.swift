import Coding
import FoundationEssentials
import Storage
import TestSupport
import Testing

@Suite("Restore")
struct RestoreTests {
  private static let hour: Int64 = 3_600_000_000_000

  /// Points in tables, behind a delete, and in the log only.
  private static func filled(_ root: any FileSystem = MemoryFileSystem()) throws -> BackupBench {
    let bench = try BackupBench(root)
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0))
    try bench.driver.writeDurably(BackupBench.lines("mem,host=a", from: 0))
    try bench.store.flush()
    try bench.store.delete(
      Deletion(measurements: [.name("cpu")], predicate: nil, times: .min..<BackupBench.start + 2),
      from: "metrics")
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=b", from: 0))
    return bench
  }

  @Test(
    "a database comes back beside the one that went on: policies, rules, deletes, and what only the log held")
  func beside() throws {
    let bench = try Self.filled()
    try bench.store.createPolicy(
      "week", on: "metrics", ttl: 168 * Self.hour, windowLength: 2 * Self.hour, isDefault: false)
    try bench.store.setRules([PolicyRule(measurement: "edge*", policy: "week")], of: "metrics")
    _ = try bench.driver.write(BackupBench.lines("x", from: 0), policy: "week")
    let wanted = (try bench.driver.dump(), try bench.driver.dump(policy: "week"))
    _ = try bench.store.backUp(to: "/backup")
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=c", from: 0))
    let now = try bench.driver.dump()
    let report = try bench.store.restore(from: "/backup", database: "metrics", as: "then")
    #expect(report.databases == ["then"] && report.tableCount > 0 && report.rowCount >= wanted.0.count)
    #expect(bench.store.databases() == ["metrics", "then"])
    for _ in 0..<2 {
      #expect(try bench.driver.dump(database: "then") == wanted.0)
      #expect(try bench.driver.dump(database: "then", policy: "week") == wanted.1)
      #expect(try bench.driver.dump() == now)
      let (made, old) = (bench.store.policies(of: "then") ?? [], bench.store.policies(of: "metrics") ?? [])
      #expect(made.map(\.name) == ["autogen", "week"] && made.map(\.isDefault) == [true, false])
      #expect(made.map(\.ttl) == old.map(\.ttl) && made.map(\.windowLength) == old.map(\.windowLength))
      #expect(Set(made.map(\.keyspace)).isDisjoint(with: old.map(\.keyspace)))
      #expect(bench.store.rules(of: "then") == bench.store.rules(of: "metrics"))
      try bench.reopen()
    }
    // It lives: written to, merged, deleted from, dropped; the other is not touched.
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 1, value: 9), database: "then")
    try bench.store.delete(
      Deletion(measurements: [.name("mem")], predicate: nil, times: .min ..< .max), from: "then")
    try bench.store.compact()
    #expect(try bench.driver.dump(database: "then").filter { $0.contains("v=9i") }.count == 3)
    #expect(try bench.driver.dump() == now)
    try bench.store.dropDatabase("then")
    #expect(try bench.driver.dump() == now)
    #expect(try !bench.root.exists("data/restoring"))
  }

  @Test("tables that were restored hold their checks, under the numbers that they got")
  func verified() throws {
    let bench = try Self.filled()
    _ = try bench.store.backUp(to: "/backup")
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "copy")
    let report = try bench.store.backUp(to: "/second", database: "copy", isVerified: true)
    #expect(report.verifiedCount > 1)
    #expect(try bench.dump("/second", database: "copy") == bench.driver.dump(database: "copy"))
  }

  @Test("a backup of a store that is far ahead makes numbers leap, in memory, in the log and in a replay")
  func leap() throws {
    let root = MemoryFileSystem(isForgetful: true)
    var state = ManifestState()
    state.lastSequence = 1 << 40
    let far = root.rooted(at: "/far")
    try far.createDirectory("")
    try Manifest.write(state, number: 1, to: far)
    let other = try BackupBench(root, at: "/far")
    try other.driver.writeDurably(BackupBench.lines("cpu,host=f", from: 0))
    #expect(try other.store.backUp(to: "/backup").lastSequence > 1 << 40)

    let bench = try BackupBench(root)
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0))
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "far")
    // Into the same window as what came before the leap; a kill right behind it, and one later.
    for round in 0..<2 {
      if round == 1 {
        try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 1, value: 2))
        try bench.driver.writeDurably(BackupBench.lines("cpu,host=f", from: 1, value: 2), database: "far")
      }
      let (near, away) = (try bench.driver.dump(), try bench.driver.dump(database: "far"))
      let left = root.crash(keeping: .nothing)
      let store = try BackupBench.open(left.rooted(at: "/data"), bench.clocks)
      let driver = StoreDriver(store)
      #expect(try driver.dump() == near)
      #expect(try driver.dump(database: "far") == away)
      try driver.writeDurably(BackupBench.lines("cpu,host=z", from: 0))
      #expect(try driver.dump().count == near.count + 3)
      try store.close()
    }
  }

  @Test("what has expired since stays away")
  func expired() throws {
    let bench = try Self.filled()
    try bench.store.alterPolicy(
      "autogen", on: "metrics", ttl: 2 * Self.hour, windowLength: nil, isDefault: nil)
    _ = try bench.store.backUp(to: "/backup")
    bench.clocks.advance(seconds: 3 * 3_600)
    try bench.driver.writeDurably("cpu,host=n v=1i \(BackupBench.start + 3 * Self.hour)\n")
    let report = try bench.store.restore(from: "/backup", database: "metrics", as: "then")
    #expect(report.databases == ["then"])
    #expect(try bench.driver.dump(database: "then") == [])
    // Nor for a longer TTL.
    try bench.store.alterPolicy("autogen", on: "then", ttl: 0, windowLength: nil, isDefault: nil)
    #expect(try bench.driver.dump(database: "then") == [])
  }

  @Test("a backup with one wrong byte, wherever, is refused with its place, and nothing is changed")
  func damaged() throws {
    let disk = FailingFileSystem(wrapping: MemoryFileSystem(), takesLinks: false)
    let bench = try Self.filled(disk)
    _ = try bench.store.backUp(to: "/backup")
    let backup = disk.rooted(at: "/backup")
    let before = try bench.files("/data").filter { !$0.key.hasPrefix("wal/") }
    for (name, bytes) in try bench.files("/backup") {
      for offset in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 40)) {
        let file = try backup.openForWriting(name)
        try file.write([bytes[offset] ^ 0x20], at: UInt64(offset))
        let error = BackupBench.error {
          _ = try bench.store.restore(from: "/backup", database: "metrics", as: "then")
        }
        #expect(error != nil, "\(name):\(offset)")
        if name.contains("/") {
          #expect(
            error?.code == .corrupt && error?.file.hasSuffix("/backup/" + name) == true,
            "\(name):\(offset): \(error as Any)")
        }
        try file.write([bytes[offset]], at: UInt64(offset))
      }
    }
    #expect(bench.store.databases() == ["metrics"])
    #expect(try bench.files("/data").filter { !$0.key.hasPrefix("wal/") } == before)
    _ = try bench.store.restore(from: "/backup", database: "metrics", as: "then")
    #expect(try bench.driver.dump(database: "then") == bench.driver.dump())
  }

  @Test("names and directories that will not do are refused with what would")
  func refusals() throws {
    let bench = try Self.filled()
    try bench.store.createDatabase("edge")
    _ = try bench.store.backUp(to: "/backup")
    func refusal(_ path: String, _ database: String?, _ name: String?) -> StorageError? {
      BackupBench.error { _ = try bench.store.restore(from: path, database: database, as: name) }
    }
    #expect(refusal("/backup", nil, nil)?.code == .exists)
    #expect(refusal("/backup", "metrics", "edge")?.detail.contains("--as") == true)
    #expect(refusal("/backup", "nothing", "x")?.detail.contains("it has: edge, metrics") == true)
    #expect(refusal("/backup", nil, "x")?.detail.contains("2 databases") == true)
    #expect(refusal("/backup", "metrics", "a/b")?.code == .invalid)
    #expect(refusal("/nowhere", "metrics", "x")?.code == .notFound)
    #expect(try !bench.root.exists("nowhere"))
    #expect(refusal("/data", "metrics", "x")?.code == .invalid)
    #expect(refusal("backup", "metrics", "x")?.code == .invalid)
    let opened = try bench.open("/backup")
    #expect(refusal("/backup", "metrics", "x")?.code == .locked)
    try opened.close()
    #expect(refusal("/backup", "metrics", "x")?.detail.contains("is no backup") == true)
  }

  @Test("every database of a backup comes into an empty store")
  func all() throws {
    let bench = try Self.filled()
    try bench.store.createDatabase("edge")
    try bench.driver.writeDurably(BackupBench.lines("m", from: 0), database: "edge")
    _ = try bench.store.backUp(to: "/backup")
    let store = try bench.open("/fresh")
    defer { try? store.close() }
    #expect(try store.restore(from: "/backup").databases == ["edge", "metrics"])
    for name in ["edge", "metrics"] {
      #expect(try StoreDriver(store).dump(database: name) == bench.driver.dump(database: name))
    }
  }

  @Test("what a restore left behind goes with the next start")
  func leftovers() throws {
    let bench = try Self.filled()
    let data = bench.root.rooted(at: "/data")
    for folder in ["restoring/wal", "restoring/tables/0000001"] { try data.createDirectory(folder) }
    for name in [
      "LOCK", "CURRENT", "MANIFEST-0000000001", "wal/0000000001.wal", "tables/0000001/x-1.sst.part",
    ] {
      _ = try data.create("restoring/" + name)
    }
    try bench.reopen()
    #expect(try !data.exists("restoring"))
  }

  @Test("a store whose manifest is of format 1 is read, backed up and restored from")
  func formatOne() throws {
    let bench = try BackupBench()
    try bench.driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0))
    try bench.reopen()
    let wanted = try bench.driver.dump()
    try bench.store.close()
    let data = bench.root.rooted(at: "/data")
    let state = try Manifest.open(fileSystem: data, isReadOnly: true).state
    // As format 1 was written: without what it did not know.
    var text = String(decoding: try JSONEncoder().encode(state), as: UTF8.self)
    for unknown in [#""tombstones":[]"#, #""isRuled":false"#, #""clearedThrough":0"#, #""rules":{}"#] {
      text = text.replacing("," + unknown, with: "").replacing(unknown + ",", with: "")
    }
    #expect(!text.contains("tombstones") && !text.contains("clearedThrough"))
    text = #"{"format":1,"number":9,"state":\#(text)}"#
    for name in try data.list("") where name.hasPrefix("MANIFEST-") { try data.remove(name) }
    try data.remove("CURRENT")
    for (name, line) in [("MANIFEST-0000000009", text), ("CURRENT", "MANIFEST-0000000009")] {
      let digits = String(crc32c(Array(line.utf8).span), radix: 16)
      let checksum = String(repeating: "0", count: 8 - digits.count) + digits
      try data.create(name).write("\(checksum) \(line)\n", at: 0)
    }
    #expect(try bench.dump("/data") == wanted)
    let store = try bench.open("/data")
    defer { try? store.close() }
    _ = try store.backUp(to: "/backup", isVerified: true)
    _ = try store.restore(from: "/backup", database: "metrics", as: "then")
    #expect(try StoreDriver(store).dump(database: "then") == wanted)
  }
}

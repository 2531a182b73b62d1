import Storage
import TestSupport
import Testing

@Suite("Repair of the log")
struct LogRepairTests {
  private struct Place {
    var offset: Int
    var type: String
    var text: String
  }

  private static func segments(_ image: StoreImage) -> [String] {
    image.files.keys.filter { $0.hasPrefix("wal/") && image.files[$0]?.contains { $0 != 0 } == true }.sorted()
  }

  /// Where the records of a segment lie.
  private static func records(of name: String, in image: StoreImage) throws -> [Place] {
    try dumpSegment(fileSystem: image.make(), name: name, describe: { _, _ in [] }).split(separator: "\n")
      .compactMap {
        let words = $0.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard words.count == 3, let offset = Int(words[0]) else { return nil }
        return Place(offset: offset, type: String(words[1]), text: String(words[2]))
      }
  }

  @Test(
    "of several segments each cut at each of its first bytes, around each record and behind it: nothing is lost unsaid"
  )
  func cuts() throws {
    let bench = try DamageBench(startCount: 3)
    let names = Self.segments(bench.image)
    #expect(names.count == 3)
    var (faults, count) = ([String](), 0)
    for name in names {
      let bounds = try Self.records(of: name, in: bench.image).map(\.offset)
      let around = bounds.flatMap { [$0 - 1, $0, $0 + 1, $0 + 20, $0 + 37] }
      let isLast = name == names.last
      for length in Set([0, 1, 2, 11, 55, 56, 57] + around).sorted()
      where length >= (isLast ? 1 : 0) && length < bench.image.files[name]?.count ?? 0 {
        count += 1
        if let fault = try bench.repairFault(of: bench.image.cutting(name, to: length)) {
          faults.append("\(name) cut to \(length): \(fault)")
        }
      }
    }
    #expect(count > 100)
    #expect(faults.isEmpty, "\(faults.count) of \(count): \(faults.prefix(5))")
  }

  @Test("of several segments each gone, each made zeros from each record on, and two of them damaged at once")
  func gone() throws {
    let bench = try DamageBench(startCount: 3)
    let names = Self.segments(bench.image)
    var faults: [String] = []
    func check(_ damaged: StoreImage, _ what: String) throws {
      if let fault = try bench.repairFault(of: damaged) { faults.append("\(what): \(fault)") }
    }
    // The first may have been removed, and the last never have been there.
    var damaged = bench.image
    damaged.files[names[1]] = nil
    try check(damaged, "without \(names[1])")
    for name in names.dropLast() {
      for record in try Self.records(of: name, in: bench.image) {
        damaged = bench.image
        let byteCount = damaged.files[name]?.count ?? 0
        damaged.files[name]?.replaceSubrange(
          record.offset..., with: repeatElement(0, count: byteCount - record.offset))
        try check(damaged, "\(name) zeros from \(record.offset)")
        try check(damaged.cutting(names[2], to: 30), "\(name) zeros from \(record.offset), \(names[2]) cut")
      }
    }
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(5))")
  }

  @Test(
    "a record with a damaged payload names its batch, the series that it can be of, and the windows not flushed through it"
  )
  func namesOneBatch() throws {
    let bench = try DamageBench(startCount: 2)
    let name = Self.segments(bench.image)[0]
    let rows = try Self.records(of: name, in: bench.image).filter { $0.type == "rows" }
    // The batch of `disk`, behind those of `cpu` and `mem` of two days.
    let place = rows[2]
    let fileSystem = try bench.image.flipping(8 * (place.offset + 40), of: name).make()
    let losses = try Store.repair(fileSystem: fileSystem).losses
    let day = DamageBench.start - DamageBench.start % DamageBench.day
    let stretches = ["metrics 0 1", "metrics 3 6", "other 0 1"]
    for loss in losses {
      #expect(loss.file == name && loss.firstBatch == 3 && loss.lastBatch == 3)
      #expect(["cpu", "mem", "disk"].contains(loss.measurement) && loss.series?.contains("host=") == true)
      let (from, through) = try (#require(loss.from), #require(loss.through))
      let days = ((from - day) / DamageBench.day, (through + 1 - day) / DamageBench.day)
      #expect(stretches.contains("\(loss.database) \(days.0) \(days.1)"))
    }
    #expect(Set(losses.compactMap(\.series)).count == 7 && losses.count == 21)
  }

  /// A store that writes `batches`, is killed, starts again and writes another, so that none of the first is the log's last record.
  private static func image(of batches: [String], flushingAfter flushed: Int = .max) throws -> StoreImage {
    let fileSystem = MemoryFileSystem()
    let store = try DamageBench.open(fileSystem, isReadOnly: false)
    let driver = StoreDriver(store)
    try store.createDatabase("metrics", ttl: 0, windowLength: DamageBench.day)
    for (index, batch) in batches.enumerated() {
      try driver.writeDurably(batch)
      if index + 1 == flushed { try store.flush() }
    }
    let restarted = try StoreImage(fileSystem).make()
    try store.close()
    let second = try DamageBench.open(restarted, isReadOnly: false)
    try second.waitUntilReplayed()
    try StoreDriver(second).writeDurably("cpu,host=a user=9 \(DamageBench.start + 9)\n")
    let image = try StoreImage(restarted)
    try second.close()
    return image
  }

  @Test("rows of which a name is lost say their keyspace and their times to the nanosecond")
  func namesTimes() throws {
    let start = DamageBench.start
    let image = try Self.image(of: [
      "net,host=a in=1i \(start)\n", "net,host=b in=2i \(start + 5)\nnet,host=c in=2i \(start + 9)\n",
      "net,host=a in=3i \(start + 20)\n",
    ])
    let name = Self.segments(image)[0]
    let definitions = try Self.records(of: name, in: image).filter { $0.type == "definitions" }
    #expect(definitions.count == 2)
    let report = try Store.repair(
      fileSystem: image.flipping(8 * (definitions[1].offset + 40), of: name).make())
    let loss = try #require(report.losses.first)
    #expect(
      report.losses.count == 1 && loss.database == "metrics" && loss.firstBatch == 2 && loss.lastBatch == 2)
    #expect(loss.from == start + 5 && loss.through == start + 9, "\(loss)")
  }

  @Test("a segment that is gone names the batches between its neighbours, in the windows that were open")
  func namesSegment() throws {
    let bench = try DamageBench(startCount: 3)
    let names = Self.segments(bench.image)
    var damaged = bench.image
    damaged.files[names[1]] = nil
    let losses = try Store.repair(fileSystem: damaged.make()).losses
    #expect(Set(losses.map(\.database)) == ["metrics", "other"])
    #expect(losses.allSatisfy { $0.firstBatch == 6 && $0.lastBatch == 9 && $0.file == names[1] }, "\(losses)")
    #expect(losses.allSatisfy { $0.what.contains("batches 6 to 9") && $0.from != nil }, "\(losses)")
  }

  @Test("a record whose points all lie in tables loses nothing, and repair says why")
  func losesNothing() throws {
    let lines = ["cpu,host=a user=1 \(DamageBench.start)\n", "cpu,host=b user=1 \(DamageBench.start)\n"]
    let image = try Self.image(of: lines, flushingAfter: 1)
    let name = Self.segments(image)[0]
    let records = try Self.records(of: name, in: image).filter { $0.type == "rows" }
    for (index, record) in records.enumerated() {
      let report = try Store.repair(fileSystem: image.flipping(8 * (record.offset + 40), of: name).make())
      #expect(!report.problems.isEmpty && report.losses.isEmpty == (index == 0), "\(report)")
      #expect(report.notes.contains { $0.contains("no point is lost") } == (index == 0), "\(report.notes)")
    }
  }
}

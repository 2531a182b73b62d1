import LineProtocol
import Storage
import Synchronization
import TestSupport
import Testing

@Suite("Limits of series and tag values")
struct CardinalityTests {
  private static let time = ClockedStore.start

  private static func bench(series: Int = 0, tagValues: Int = 0) throws -> ClockedStore {
    var options = StoreOptions()
    options.cardinality.seriesCountMax = series
    options.cardinality.tagValueCountMax = tagValues
    return try ClockedStore(options: options)
  }

  @Test("the last series that fits is taken, the next is refused by name, and those that are there keep writing")
  func seriesEdge() throws {
    let bench = try Self.bench(series: 3)
    #expect(try bench.driver.write("http,id=1 v=1 1\nhttp,id=2 v=1 1\nhttp,id=3,z=y v=1 1\n").acceptedCount == 3)
    let mixed = try bench.driver.write("http,id=1 v=2 2\nhttp,id=4 v=9 2\nhttp,id=3,z=y v=2 2\nhttp,id=5 v=9 2\n")
    #expect(mixed.acceptedCount == 2)
    #expect(mixed.rejects.map(\.reason) == [.limit, .limit] && mixed.rejects.map(\.line) == [2, 4])
    #expect(
      mixed.rejects[0].message
        == "database \"metrics\" has 3 series, the limit; tag key \"id\" of \"http\" has 3 values")
    #expect(mixed.rejectCounts[Int(RejectReason.limit.rawValue)] == 2)
    let figures = bench.store.statistics().databases[0]
    #expect(figures.refusedBySeriesLimit == 2 && figures.refusedByTagValuesLimit == 0)
    #expect(figures.liveSeries == 3 && figures.tagValuesMax == 3)
    let dump = try bench.driver.dump()
    #expect(dump.count == 5 && !dump.contains { $0.contains("=9.0") })
    #expect(try bench.driver.write("http,id=4 v=9 3\nhttp,id=5 v=9 3\n").acceptedCount == 0)
  }

  @Test("the last value of a tag key that fits is taken, the next refused; other keys and measurements have their own")
  func tagValuesEdge() throws {
    let bench = try Self.bench(tagValues: 2)
    #expect(try bench.driver.write("http,request_id=1 v=1 1\nhttp,request_id=2 v=1 1\n").acceptedCount == 2)
    let mixed = try bench.driver.write(
      "http,request_id=3 v=9 2\nhttp,request_id=2,zone=a v=2 2\nrpc,request_id=3 v=2 2\nhttp,request_id=1 v=2 2\n")
    #expect(mixed.acceptedCount == 3 && mixed.rejects.map(\.line) == [1])
    #expect(
      mixed.rejects.map(\.message) == [
        "database \"metrics\": tag key \"request_id\" of \"http\" has 2 values, the limit"
      ])
    let figures = bench.store.statistics().databases[0]
    #expect(figures.refusedByTagValuesLimit == 1 && figures.refusedBySeriesLimit == 0 && figures.tagValuesMax == 2)
  }

  @Test("a value stays counted until the last of its series is gone, however many they were", arguments: [1, 2, 254, 255, 256, 257, 383, 384, 600])
  func sharedValues(count: Int) throws {
    var limits = CardinalityLimits.none
    limits.tagValueCountMax = 1
    let census = LiveCensus(database: "d", limits: limits)
    func key(_ zone: String, _ number: Int) -> SeriesKey {
      let tags = [("n\(number)", "1"), ("zone", zone)].map { (key: Array($0.0.utf8), value: Array($0.1.utf8)) }
      return SeriesKey(measurement: Array("m".utf8), tags: tags)
    }
    let keys = (0..<count).map { key("a", $0) }
    for key in keys {
      try census.admit(key)
      census.count(byteCount: 64)
    }
    for removed in keys.indices {
      #expect(throws: SeriesRefusal.self) { try census.admit(key("b", 0)) }
      census.remove([(keys[removed], 64)])
    }
    try census.admit(key("b", 0))
    #expect(census.counts.series == 1 && census.counts.tagValuesMax == 1)
  }

  @Test("without limits nothing is refused and nothing counted")
  func none() throws {
    let bench = try Self.bench()
    let lines = (0..<3_000).map { "m,id=\($0) v=1 \($0)" }.joined(separator: "\n")
    #expect(try bench.driver.write(lines + "\n").acceptedCount == 3_000)
    #expect(bench.store.statistics().databases[0].tagValuesMax == 0)
  }

  @Test("what was refused is not in the log, what was taken comes back whatever the limit is by then")
  func replay() throws {
    var options = StoreOptions()
    options.cardinality.seriesCountMax = 2
    let bench = try ClockedStore(options: options, fileSystem: MemoryFileSystem(isForgetful: true))
    try bench.driver.writeDurably("m,id=1 v=1 1\nm,id=2 v=1 1\n")
    try bench.driver.writeDurably("m,id=3 v=9 2\nm,id=1 v=2 2\n")
    let before = try bench.driver.dump()
    #expect(before.count == 3)
    let disk = bench.fileSystem.crash(keeping: .everything)
    for limit in [2, 1] {
      var options = StoreOptions()
      options.cardinality.seriesCountMax = limit
      let again = try Store.open(fileSystem: disk.crash(keeping: .everything), options: options)
      let driver = StoreDriver(again)
      #expect(try driver.dump() == before)
      #expect(try driver.write("m,id=2 v=3 3\nm,id=4 v=9 3\n").acceptedCount == 1)
      try again.close()
    }
  }

  @Test("more refusals than are kept: all are refused and counted, again too, and those that are there keep writing")
  func manyRefusals() throws {
    let bench = try Self.bench(series: 1)
    #expect(try bench.driver.write("m,id=0 v=1 1\n").acceptedCount == 1)
    // Refusals of 8,192 series are kept beyond a batch (`RowInserter.refusalCountMax`).
    let batches = (0..<3).map { batch in (1...5_000).map { "m,id=\(batch * 5_000 + $0) v=9 2\n" }.joined() + "m,id=0 v=2 \(batch + 2)\n" }
    for round in 0..<2 {
      for batch in batches {
        let result = try bench.driver.write(batch)
        #expect(result.acceptedCount == 1 && result.rejectCounts[Int(RejectReason.limit.rawValue)] == 5_000, "round \(round)")
      }
    }
    #expect(bench.store.statistics().databases[0].refusedBySeriesLimit == 30_000)
    #expect(try bench.driver.dump().count == 4)
  }

  @Test("series that are let go make room, and must ask again themselves")
  func letGo() throws {
    let bench = try Self.bench(series: 2)
    try bench.driver.write("m,id=1 v=1 1\nm,id=2 v=1 1\n")
    #expect(try bench.driver.write("m,id=3 v=1 1\n").acceptedCount == 0)
    // Two generations without a row of it; the receiver lets go with the batch after each.
    for round in 2..<6 {
      try bench.store.flush()
      try bench.driver.write("m,id=1 v=1 \(round)\n")
    }
    #expect(bench.store.statistics().databases[0].liveSeries == 1)
    #expect(try bench.driver.write("m,id=3 v=1 7\n").acceptedCount == 1)
    #expect(try bench.driver.write("m,id=2 v=1 7\nm,id=1 v=1 7\nm,id=3 v=1 8\n").acceptedCount == 2)
  }

  @Test("the policies of a database share its limit, other databases have their own, a drop frees")
  func databases() throws {
    let bench = try Self.bench(series: 2)
    try bench.store.createPolicy("second", on: "metrics", ttl: 0, windowLength: nil, isDefault: false)
    try bench.store.createDatabase("other")
    #expect(try bench.driver.write("m,id=1 v=1 1\n").acceptedCount == 1)
    #expect(try bench.driver.write("m,id=1 v=1 1\nm,id=2 v=1 1\n", policy: "second").acceptedCount == 1)
    #expect(try bench.driver.write("m,id=1 v=1 1\nm,id=2 v=1 1\nm,id=3 v=1 1\n", database: "other").acceptedCount == 2)
    #expect(try bench.driver.write("m,id=2 v=1 2\n").acceptedCount == 0)
    try bench.store.dropPolicy("second", on: "metrics")
    #expect(try bench.driver.write("m,id=2 v=1 3\nm,id=3 v=1 3\n").acceptedCount == 1)
  }

  @Test("receivers that race for the last places get exactly these")
  func race() throws {
    let bench = try Self.bench(series: 700, tagValues: 650)
    let store = bench.store
    let accepted = Atomic<Int>(0)
    let failures = Atomic<Int>(0)
    let threads = try (0..<3).map { writer in
      try WorkerThread(name: "writer") {
        let driver = StoreDriver(store)
        for start in stride(from: 0, to: 500, by: 20) {
          let lines = (start..<start + 20).map { "m,id=\(writer)-\($0) v=1 1" }.joined(separator: "\n")
          do {
            accepted.add(try driver.write(lines + "\n").acceptedCount, ordering: .relaxed)
          } catch {
            failures.add(1, ordering: .relaxed)
          }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(failures.load(ordering: .relaxed) == 0 && accepted.load(ordering: .relaxed) == 650)
    #expect(try bench.driver.dump().count == 650)
    let figures = bench.store.statistics().databases[0]
    #expect(figures.liveSeries == 650 && figures.tagValuesMax == 650 && figures.refusedByTagValuesLimit == 850)
  }

  @Test("windows whose rows are all refused are not written to")
  func windows() throws {
    let bench = try Self.bench(series: 1)
    let day: Int64 = 86_400_000_000_000
    try bench.driver.write("m,id=1 v=1 \(Self.time)\n")
    let lines = (1...4 as ClosedRange<Int64>).map { "m,id=2 v=9 \(Self.time - $0 * 30 * day)" }
    let mixed = try bench.driver.write(lines.joined(separator: "\n") + "\nm,id=1 v=2 \(Self.time - 300 * day)\n")
    #expect(mixed.acceptedCount == 1 && mixed.rejects.count == 4)
    try bench.store.flush()
    #expect(bench.store.statistics().databases[0].windows == 2)
    #expect(try bench.driver.dump().count == 2)
  }

  @Test("points that are expired when they come are counted")
  func expiredOnArrival() throws {
    let bench = try Self.bench(series: 10)
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: 3_600_000_000_000, windowLength: nil, isDefault: nil)
    try bench.driver.write("m v=1 1\nm v=1 2\nm v=1 \(Self.time)\n")
    #expect(bench.store.statistics().databases[0].expiredOnArrival == 2)
  }
}

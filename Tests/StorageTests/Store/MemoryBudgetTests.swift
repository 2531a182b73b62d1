import LineProtocol
import Storage
import TestSupport
import Testing

/// The split of `--memory`, and that those who hold memory keep to their share.
@Suite("Memory budget")
struct MemoryBudgetTests {
  @Test(
    "the shares are the budget, none is negative, and more memory is no smaller share",
    arguments: [0, 1, 64 << 10, 64 << 20, 128 << 20, 256 << 20, 1 << 30, 8 << 30, 1 << 40])
  func split(byteCount: Int) {
    let budget = MemoryBudget(byteCount: byteCount)
    let shares = MemoryBudget.Part.allCases.map { budget.share(of: $0) }
    #expect(shares.reduce(0, +) == byteCount)
    #expect(shares.allSatisfy { $0 >= 0 })
    let more = MemoryBudget(byteCount: byteCount * 2)
    for part in MemoryBudget.Part.allCases { #expect(more.share(of: part) >= budget.share(of: part)) }
  }

  @Test("rows have at most 256 MiB, whatever the memory: the bound is the time to put them back")
  func largest() {
    #expect(MemoryBudget(byteCount: 1 << 40).share(of: .memtable) == 256 << 20)
    #expect(MemoryBudget(byteCount: 256 << 20).share(of: .memtable) < 80 << 20)
  }

  @Test("blocks that wait to be used again do not go beyond the pool's bound")
  func pool() throws {
    let pool = ArenaPool(byteCountMax: 4 << 20)
    let memtable = Memtable(pool: pool, clock: { 0 })
    var sequence: UInt64 = 0
    let window: Range<Int64> = 0..<Int64.max
    let receiver = PoolWriter(memtable)
    // Rows of many sizes of blocks, more than the bound; all of it goes at once.
    while memtable.byteCount <= 6 << 20 {
      sequence += 1
      receiver.insert(sequence: sequence, window: window)
    }
    #expect(pool.byteCounts.taken > 6 << 20)
    for part in memtable.parts() {
      memtable.seal(part)
      memtable.remove(part)
    }
    receiver.forget()
    #expect(pool.byteCounts.taken == 0)
    #expect(pool.byteCounts.idle <= 4 << 20)
    #expect(pool.byteCounts.idle > 2 << 20)
  }

  /// A store with a memory of 16 MiB, of which series may have so many live ones.
  private func open(memory: Int = 16 << 20, windows: Int = Store.windowCountMax) throws -> Store {
    var options = StoreOptions()
    options.memoryByteCount = memory
    options.segmentByteCount = 1 << 20
    options.windowCountMax = windows
    return try Store.open(fileSystem: MemoryFileSystem(), options: options, wallClock: { 1_000 })
  }

  private func admit(_ key: SeriesKey, _ byteCount: Int, _ census: LiveCensus) throws {
    try census.admit(key)
    census.count(byteCount: byteCount)
  }

  @Test("a series beyond the memory of series is refused with a reason that names --memory; live ones go on")
  func series() throws {
    let room = 75
    let keys = (0..<room).map { SeriesKey(measurement: Array("m\($0)".utf8), tags: []) }
    let memory = SeriesMemory(byteCountMax: 100 * (64 + SeriesMemory.entryByteCount))
    let census = LiveCensus(database: "d", limits: CardinalityLimits(), memory: memory)
    for key in keys { try admit(key, 64, census) }
    #expect(memory.byteCount == room * (64 + SeriesMemory.entryByteCount))
    let one = SeriesKey(measurement: Array("one more".utf8), tags: [])
    let refusal = #expect(throws: SeriesRefusal.self) { try census.admit(one) }
    #expect(refusal?.limit == .series)
    #expect(refusal?.message.contains("75 series are live") == true && refusal?.message.contains("--memory") == true)
    // Those that the log holds are taken whatever the memory is.
    census.add(one)
    census.count(byteCount: 64)
    #expect(memory.seriesCount == room + 1)
    census.remove([(keys[0], 64), (keys[1], 64)])
    #expect(memory.seriesCount == room - 1)
    try admit(keys[0], 64, census)
    #expect(throws: SeriesRefusal.self) { try census.admit(keys[1]) }
  }

  @Test("parts are sealed for the sake of series when many new ones came, and not again for those that stay")
  func release() {
    // Room for 1,536 live series, which 3 and 16 divide.
    let memory = SeriesMemory(byteCountMax: 1_536 * (64 + SeriesMemory.entryByteCount) / 3 * 4)
    func add(_ count: Int) { for _ in 0..<count { memory.add(64) } }
    add(1_152)
    #expect(!memory.isToBeReleased)
    add(1)
    #expect(memory.isToBeReleased)
    #expect(memory.takeRelease())
    #expect(!memory.takeRelease())
    add(96)
    #expect(!memory.takeRelease())
    add(1)
    #expect(memory.takeRelease())
    // Let go of, they count anew when they come again.
    for _ in 0..<1_250 { memory.remove(64) }
    #expect(memory.seriesCount == 0 && memory.byteCount == 0)
    #expect(!memory.takeRelease())
    add(1_153)
    #expect(memory.takeRelease())
  }

  @Test("between seals series are let go where some are refused and parts are gone: twice, for receivers come after the first time")
  func releaseBetweenSeals() {
    var release = SeriesRelease()
    let due = [(1, 0), (1, 1), (1, 1), (2, 1), (3, 1), (3, 9)].map { release.isDue(refusalCount: $0.0, giveCount: $0.1) }
    #expect(due == [false, true, false, true, false, true])
  }

  @Test("series that a query's snapshot alone kept live are let go after it, though no row comes in that would bring a flush about")
  func pinned() throws {
    let store = try open(memory: 4 << 20)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    var number = 0
    /// Rows taken of so many, each of a new series.
    func write(_ count: Int) throws -> Int {
      defer { number += count }
      return try driver.write((number..<number + count).map { "m,s=\($0) v=1i 1\n" }.joined()).acceptedCount
    }
    var snapshot: Snapshot?
    while try write(200) == 200 { snapshot = try store.snapshot(of: store.keyspace(database: "metrics", policy: nil)) }
    try store.flush()
    #expect(try write(200) == 0)
    try store.flush()
    #expect(try write(200) == 0)
    #expect(snapshot != nil)
    snapshot = nil
    for _ in 0..<2 {
      try store.flush()
      _ = try write(200)
    }
    try store.flush()
    #expect(try write(200) == 200)
    try store.close()
  }

  @Test("a longer key takes as much more of the memory of series, keys like it take little, and all comes back")
  func keyLengths() throws {
    let memory = SeriesMemory()
    let table = LiveSeriesTable(census: LiveCensus(database: "d", limits: CardinalityLimits(), memory: memory))
    /// Bytes a series, of so many that differ in a number.
    func growth(_ letter: Character, length: Int, count: Int) throws -> Int {
      let before = memory.byteCount
      for number in 0..<count {
        let tags = [(key: Array("k".utf8), value: Array("\(1_000_000 + number)".utf8))]
        let key = SeriesKey(measurement: Array(String(repeating: letter, count: length).utf8), tags: tags)
        let series = try table.admit(key)
        #expect(series.key == key)
        series.release()
      }
      return (memory.byteCount - before) / count
    }
    // What the allocator adds goes by 16 bytes, now and then by 32; a key up to 512 bytes may lie there twice.
    #expect(abs(try growth("a", length: 2_001, count: 1) - growth("b", length: 1_001, count: 1) - 1_000) <= 32)
    #expect(abs(try growth("c", length: 401, count: 1) - growth("d", length: 201, count: 1) - 400) <= 64)
    // A whole key a shard, and the rest are told by it.
    let many = try growth("e", length: 401, count: 4_000)
    #expect(many <= SeriesMemory.entryByteCount + 64, "\(many)")
    table.endGeneration(partNumberFloor: 0)
    #expect(table.count == 0 && memory.byteCount == 0 && memory.seriesCount == 0)
  }

  @Test("vocabularies are forgotten as the share fills up, each but for its part of an eighth")
  func vocabularies() {
    let memory = SeriesMemory(byteCountMax: 8_000)
    memory.vocabularyOpened()
    #expect(memory.vocabularyChanged(by: 7_000, total: 7_000) == .keep)
    #expect(memory.vocabularyChanged(by: 1, total: 1_000) == .keep)
    #expect(memory.vocabularyChanged(by: 0, total: 1_001) == .forget)
    #expect(memory.vocabularyChanged(by: 999, total: 1_001) == .forget)
    #expect(memory.vocabularyChanged(by: 1, total: 1_001) == .forgetNow)
    #expect(memory.byteCount == 8_001)
    memory.vocabularyOpened()
    #expect(memory.vocabularyChanged(by: 0, total: 500) == .keep)
    #expect(memory.vocabularyChanged(by: 0, total: 501) == .forgetNow)
    memory.vocabularyClosed(8_001)
    #expect(memory.byteCount == 0)
  }

  @Test("names of series that are refused do not outgrow the share either")
  func refusedNames() throws {
    let store = try open(memory: 4 << 20)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    func series() throws -> StoreStatistics.Memory { try #require(store.statistics().memory.first { $0.part == .series }) }
    let budgetByteCount = try series().budgetBytes
    var (acceptedCount, most) = (0, 0)
    for group in 0..<250 {
      let text = (0..<200).map { "m,s=\(group * 200 + $0) v=1i 1\n" }.joined()
      let result = try driver.write(text)
      acceptedCount += result.acceptedCount
      most = max(most, try series().usedBytes ?? 0)
    }
    #expect(acceptedCount > 1_000 && acceptedCount < 25_000, "\(acceptedCount)")
    // A batch takes some 40 KiB of names before it is looked at.
    #expect(most <= budgetByteCount + (64 << 10), "\(most) of \(budgetByteCount)")
    try store.close()
  }

  @Test("a store whose vocabulary is forgotten again and again stores every point")
  func forgetful() throws {
    // Half a megabyte of memory for series: a vocabulary of some thousand.
    let store = try open(memory: 4 << 20)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    var expected: [String] = []
    for round in 0..<4 {
      for group in 0..<20 {
        var text = ""
        for series in 0..<200 {
          let time = round * 1_000 + 1
          text += "m,s=\(group * 200 + series) v=\(round)i \(time)\n"
          expected.append("m,s=\(group * 200 + series) v=\(round)i \(time)")
        }
        let result = try driver.write(text)
        #expect(result.acceptedCount == 200, "\(result.rejects.first?.message ?? "")")
      }
    }
    #expect(try driver.dump() == expected.sorted())
    try store.close()
  }

  @Test("a live series of one receiver takes at most 300 bytes beside its point, be its key of 60 bytes or 200", arguments: [0, 140])
  func liveSeries(moreKeyBytes: Int) throws {
    var options = StoreOptions()
    options.memoryByteCount = 2 << 30
    options.cardinality.seriesCountMax = .max
    options.cardinality.tagValueCountMax = .max
    let store = try Store.open(fileSystem: MemoryFileSystem(), options: options, wallClock: { 1_000 })
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    func used() -> Int {
      store.statistics().memory.reduce(0) { sum, memory in
        [.memtable, .series].contains(memory.part) ? sum + (memory.usedBytes ?? 0) : sum
      }
    }
    // What the first point makes once and for all is not a series'.
    try driver.write("http v=0i 1\n")
    let before = used()
    let (seriesCount, batchCount) = (40_000, 8)
    let region = String(repeating: "e", count: 9 + moreKeyBytes)
    for batch in 0..<batchCount {
      var text = ""
      for number in batch * (seriesCount / batchCount)..<(batch + 1) * (seriesCount / batchCount) {
        text += "http,host=host-\(number % 1_000),region=\(region),request_id=r\(1_000_000_000 + number) value=\(number)i 1\n"
      }
      #expect(try driver.write(text).acceptedCount == seriesCount / batchCount)
    }
    // A row of one value is 24 bytes.
    let byteCount = (used() - before) / seriesCount - 24
    #expect(byteCount <= 300, "\(byteCount) bytes")
    #expect(store.statistics().databases.first?.liveSeries == seriesCount + 1)
    try store.close()
  }

  @Test("a point that needs one window more than a policy may have is refused; others of its batch stand")
  func windows() throws {
    let store = try open(windows: 2)
    try store.createDatabase("metrics")
    try store.createPolicy("hours", on: "metrics", ttl: 0, windowLength: 3_600 * 1_000_000_000, isDefault: true)
    let driver = StoreDriver(store)
    let hour: Int64 = 3_600 * 1_000_000_000
    let result = try driver.write("m v=1i 1\nm v=2i \(-hour)\nm v=3i \(-2 * hour)\nm v=4i 2\n")
    #expect(result.acceptedCount == 3)
    #expect(result.rejects.map(\.line) == [3])
    #expect(result.rejects.first?.reason == .limit)
    #expect(result.rejects.first?.message == "the policy has 2 windows, the limit: it needs longer ones, or a TTL")
    #expect(try driver.dump() == ["m v=1i 1", "m v=2i \(-hour)", "m v=4i 2"].sorted())
    try store.close()
  }
}

/// Inserts rows of new series, a batch each.
private final class PoolWriter {
  private let memtable: Memtable
  private let vocabulary = Vocabulary()
  private let batch = LineBatch()
  private var inserter: RowInserter?
  private var parts: [Part] = []
  private var number = 0

  init(_ memtable: Memtable) {
    self.memtable = memtable
    inserter = memtable.makeInserter(for: KeyspaceID(1))
  }

  func insert(sequence: UInt64, window: Range<Int64>) {
    batch.reset()
    var text = ""
    for _ in 0..<100 {
      number += 1
      text += "m,s=\(number) v=\(number)i,w=1i,x=2i \(number)\n"
    }
    let bytes = Array(text.utf8)
    bytes.withUnsafeBytes { _ = LineParser(vocabulary: vocabulary).parse($0, now: 0, into: batch) }
    var placement = RowPlacement()
    do {
      try placement.place(batch, valid: 0..<Int64.max) { _ throws(StorageError) in window }
    } catch {
      Issue.record(error)
    }
    memtable.hold(KeyspaceID(1), windows: placement.windows, sequence: sequence, parts: &parts)
    inserter?.insert(batch, names: vocabulary, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
    parts = []
  }

  func forget() { inserter = nil }
}

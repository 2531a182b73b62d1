import LineProtocol
import Storage
import Synchronization
import TestSupport
import Testing

/// Data of awkward shapes: right answers, and neither files nor rewrites without end.
@Suite("Awkward data")
struct StoreShapesTests {
  private static let minute: Int64 = 60_000_000_000

  private static func statistics(_ bench: ClockedStore) -> StoreStatistics.Database {
    bench.store.statistics().databases.first ?? StoreStatistics.Database()
  }

  @Test("one late point in a hundred does not rewrite closed windows again and again")
  func steadilyLate() throws {
    var options = StoreOptions()
    options.compactorCount = 0
    options.defaultWindowLength = 60 * Self.minute
    let bench = try ClockedStore(options: options)
    var random = SplitMix64(seed: 1)
    let steps = 2 * 24 * 6
    // Ten minutes a step: ten series, a point in six seconds each, one in a hundred late by up to a day; then a flush.
    for step in 0..<steps {
      let now = ClockedStore.start + Int64(step) * 10 * Self.minute
      var lines = ""
      for second in stride(from: 0, to: 600, by: 6) as StrideTo<Int64> {
        for series in 0..<10 {
          let isLate = random.next() % 100 == 0
          let time = now + second * 1_000_000_000 - (isLate ? Int64(random.next() % 1_440) * Self.minute : 0)
          lines += "m,s=s\(series) v=\(random.next() % 1_000)i \(time)\n"
        }
      }
      try bench.driver.write(lines)
      bench.clocks.advance(seconds: 600)
      try bench.store.flush()
      bench.store.runDueCompactions()
    }
    let found = Self.statistics(bench)
    let perWindow = Double(bench.store.compactionReport().jobsDone) / Double(found.windows)
    // Flushes alone come to 25 small files a step: each window of the last day is met by a late point now and then.
    #expect(perWindow < 12, "\(perWindow) merges a window")
    #expect(found.writeAmplification < 5, "\(found.writeAmplification) written")
    #expect(found.windowRunsMax <= 17)
    #expect(found.tables <= 17 * found.windows)
    try bench.store.compact()
    #expect(Self.statistics(bench).tables == Self.statistics(bench).windows)
  }

  @Test("a TTL shorter than a window hides points at once and drops the window when all of it is expired")
  func shortTTL() throws {
    var options = StoreOptions()
    options.compactorCount = 0
    options.defaultWindowLength = 1_440 * Self.minute
    options.defaultTTL = 60 * Self.minute
    let bench = try ClockedStore(options: options)
    let day = 1_440 * Self.minute
    let start = (ClockedStore.start / day + 1) * day
    bench.clocks.advance(seconds: (start - ClockedStore.start) / 1_000_000_000)
    try bench.driver.writeDurably("m v=1i \(start)\nm v=2i \(start + 1)\n")
    try bench.store.flush()
    #expect(try bench.driver.dump().count == 2)
    bench.clocks.advance(seconds: 3_601)
    #expect(try bench.driver.dump().count == 0)
    #expect(try bench.driver.write("m v=3i \(start)\n").acceptedCount == 0)
    try bench.driver.writeDurably("m v=4i \(start + 50 * Self.minute)\n")
    bench.store.runUpkeep()
    #expect(Self.statistics(bench).windows == 1)
    // An hour at a time: a longer step forward would be doubted.
    for _ in 0..<24 {
      bench.clocks.advance(seconds: 3_599)
      bench.store.runUpkeep()
    }
    bench.clocks.advance(seconds: 60)
    bench.store.runUpkeep()
    #expect(Self.statistics(bench).windows == 0 && Self.statistics(bench).expiredWindows == 1)
  }

  @Test(
    "a TTL changed back and forth while points come never brings back what was hidden for good, and loses nothing that was not"
  )
  func changingTTL() throws {
    var options = StoreOptions()
    options.defaultWindowLength = 60 * Self.minute
    let bench = try ClockedStore(options: options)
    var random = SplitMix64(seed: 5)
    for round in 0..<60 {
      let now = bench.clocks.wall.load(ordering: .relaxed)
      try bench.driver.writeDurably("m,r=\(round) v=1i \(now)\n")
      let hours: Int64 = [0, 1, 3, 24][Int(random.next() % 4)]
      try bench.store.alterPolicy(
        "autogen", on: "metrics", ttl: hours * 60 * Self.minute, windowLength: nil, isDefault: nil)
      if round % 7 == 0 { try bench.store.flush() }
      bench.clocks.advance(seconds: 120)
      bench.store.runUpkeep()
      // The point was written two minutes ago: no TTL that was ever in force hides it.
      #expect(try bench.driver.dump().contains("m,r=\(round) v=1i \(now)"))
    }
    try bench.store.alterPolicy("autogen", on: "metrics", ttl: 0, windowLength: nil, isDefault: nil)
    let left = try bench.driver.dump()
    try bench.reopen()
    #expect(try bench.driver.dump() == left)
    // An hour of it is younger than the shortest TTL.
    #expect(left.count >= 30)
  }

  @Test("a TTL changed back and forth while senders write, flush and merge: no young point is ever hidden, no file is left open")
  func changingTTLUnderLoad() throws {
    var options = StoreOptions()
    options.defaultWindowLength = 60 * Self.minute
    options.memoryByteCount = 8 << 20
    let bench = try ClockedStore(options: options)
    let (store, roundCount) = (bench.store, 60)
    let rounds = WriterRounds(writerCount: 2, clocks: bench.clocks)
    let writers = try (0..<2).map { writer in
      try WorkerThread(name: "writer") { Self.writeAndCheck(store, writer, rounds) }
    }
    var random = SplitMix64(seed: 8)
    for round in 0..<roundCount {
      let hours: Int64 = [0, 1, 3, 24][Int(random.next() % 4)]
      try store.alterPolicy("autogen", on: "metrics", ttl: hours * 60 * Self.minute, windowLength: nil, isDefault: nil)
      if round % 5 == 0 { try store.flush() }
      if round % 11 == 0 { try store.compact() }
      rounds.advance(seconds: 120)
      store.runUpkeep()
    }
    rounds.stop()
    for writer in writers { writer.join() }
    #expect(rounds.hiddenCount == 0)
    #expect(rounds.checkCounts.allSatisfy { $0 >= roundCount }, "\(rounds.checkCounts)")
    try store.alterPolicy("autogen", on: "metrics", ttl: 0, windowLength: nil, isDefault: nil)
    let left = try bench.driver.dump()
    try bench.reopen()
    #expect(try bench.driver.dump() == left)
    #expect(Self.statistics(bench).tables <= 17 * Self.statistics(bench).windows)
  }

  /// Writes points as old as the clock says, and looks for them, until it is told to stop.
  private static func writeAndCheck(_ store: Store, _ writer: Int, _ rounds: WriterRounds) {
    defer { rounds.leave(writer) }
    let driver = StoreDriver(store)
    var written = 0
    while let now = rounds.begin(writer) {
      let lines = (0..<200).map { "m,w=\(writer) v=\(written)i \(now - Int64($0) * 1_000_000)\n" }.joined()
      do {
        let accepted = try driver.writeDurably(lines).acceptedCount
        // The clock goes on by two minutes at most until they are read: the shortest TTL is an hour.
        let isThere = try driver.dump().contains("m,w=\(writer) v=\(written)i \(now)")
        rounds.end(writer, isHidden: accepted < 200 || !isThere)
      } catch {
        Issue.record("\(error)")
        return
      }
      written += 1
    }
  }

  @Test("a tag of a million values: each is found, in bounded memory and few files", .tags(.slow), .enabled(if: runsSlowTests))
  func millionValues() throws {
    var options = StoreOptions()
    options.memoryByteCount = 256 << 20
    options.cardinality.seriesCountMax = 0
    options.cardinality.tagValueCountMax = 0
    let bench = try ClockedStore(options: options)
    let (start, count, step) = (ClockedStore.start, 1_000_000, 10_000)
    for first in stride(from: 0, to: count, by: step) {
      try bench.driver.write(
        (first..<first + step).map { "tagged,id=i\($0),zone=z\($0 % 7) v=\($0)i \(start)\n" }.joined())
    }
    try bench.store.compact()
    #expect(Self.statistics(bench).tables <= 8)
    try bench.reopen()
    let snapshot = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    let window = try #require(snapshot.windows.first)
    #expect(try window.series(of: Array("tagged".utf8), where: nil, times: .min ..< .max).count == count)
    for number in stride(from: 1, to: count, by: 99_991) {
      let one = TagPredicate.equals(key: Array("id".utf8), value: Array("i\(number)".utf8))
      let found = try window.series(of: Array("tagged".utf8), where: one, times: .min ..< .max)
      #expect(found.count == 1)
    }
    let zone = TagPredicate.equals(key: Array("zone".utf8), value: Array("z3".utf8))
    #expect(try window.series(of: Array("tagged".utf8), where: zone, times: .min ..< .max).count == (count + 3) / 7)
  }

  @Test("a tag of many values, many fields, and a type that changes with every point")
  func wideAndOdd() throws {
    let bench = try ClockedStore()
    let (start, count) = (ClockedStore.start, 10_000)
    try bench.driver.write((0..<count).map { "tagged,id=i\($0) v=\($0)i \(start)\n" }.joined())
    for row in 0..<40 {
      let fields = (0..<100).map { "f\(row * 100 + $0)=\($0)" }.joined(separator: ",")
      try bench.driver.write("wide \(fields) \(start + Int64(row))\n")
    }
    let values = ["1", "2i", "3u", "true", "\"s\""]
    for row in 0..<50 { try bench.driver.write("odd v=\(values[row % 5]) \(start + Int64(row))\n") }
    let before = try bench.driver.dump()
    #expect(before.count == count + 4_000 + 50)
    try bench.store.compact()
    #expect(Self.statistics(bench).tables == 1)
    try bench.reopen()
    #expect(try bench.driver.dump() == before)
    let snapshot = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    #expect(try snapshot.fields(of: Array("wide".utf8)).count == 4_000)
    #expect(try snapshot.fields(of: Array("odd".utf8)).count == 5)
  }

  @Test("ten thousand measurements lie in one table, and each is found")
  func manyMeasurements() throws {
    let bench = try ClockedStore()
    let lines = (0..<10_000).map { "m\($0),t=a v=\($0)i \(ClockedStore.start + Int64($0))\n" }
    try bench.driver.write(lines.joined())
    try bench.store.compact()
    try bench.reopen()
    #expect(Self.statistics(bench).tables == 1)
    let snapshot = try bench.store.snapshot(of: bench.store.keyspace(database: "metrics"))
    #expect(try snapshot.measurements().count == 10_000)
    for number in stride(from: 0, to: 10_000, by: 499) {
      let series = try snapshot.windows[0].series(
        of: Array("m\(number)".utf8), where: nil, times: .min ..< .max)
      #expect(series.count == 1 && series.timeRange(0).lowerBound == ClockedStore.start + Int64(number))
    }
  }

  @Test("points of a year in random order end in one run a window, with few files on the way")
  func backfill() throws {
    var options = StoreOptions()
    options.compactorCount = 0
    let bench = try ClockedStore(options: options)
    var random = SplitMix64(seed: 3)
    let day = 1_440 * Self.minute
    var most = 0
    for batch in 0..<60 {
      var lines = ""
      for point in 0..<500 {
        lines +=
          "m,s=s\(random.next() % 20) v=\(point)i \(ClockedStore.start - Int64(random.next() % UInt64(365 * day)))\n"
      }
      try bench.driver.write(lines)
      if batch % 3 == 2 {
        try bench.store.flush()
        bench.store.runDueCompactions()
        most = max(most, Self.statistics(bench).tables)
      }
    }
    let windows = Self.statistics(bench).windows
    #expect(windows == 53 || windows == 54)
    #expect(most <= 17 * windows)
    bench.clocks.advance(seconds: 700)
    bench.store.runDueCompactions()
    // All but the week that has not ended.
    let left = bench.store.compactionReport().windows.filter { $0.tables > 1 }
    #expect(left.map(\.isClosed) == [false])
    #expect(left.allSatisfy { $0.tables <= 16 })
    #expect(try bench.driver.dump().count == 30_000)
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Memtable")
struct MemtableTests {
  private func line(_ series: Int, _ time: Int64, fields: Int = 1) -> SentLine {
    SentLine(
      key: SeriesKey(measurement: Array("m".utf8), tags: [(Array("s".utf8), Array("\(series)".utf8))]),
      timestamp: time, fields: (0..<fields).map { ("f\($0)", .integer(time)) })
  }

  @Test("batches after a seal go to another part, and a held one is not flushable")
  func sealing() throws {
    let writer = Writer()
    let memtable = writer.memtable
    try writer.write([line(1, 10)], sequence: 4)
    try writer.write([line(1, 20), line(1, 1_500)], sequence: 7)
    let first = try #require(memtable.parts().first)
    #expect(memtable.parts().count == 2 && first.firstSequence == 4 && first.sequenceRange == 4...7)
    var held: [Part] = []
    memtable.hold(writer.keyspace, windows: [0..<1_000], sequence: 9, parts: &held)
    #expect(held.count == 1 && held[0] === first)
    #expect(memtable.seal(first) && !memtable.seal(first))
    #expect(first.isSealed && !first.isFlushable && first.sealedThrough == 9)
    held[0].release()
    #expect(first.isFlushable)

    try writer.write([line(1, 30)], sequence: 12)
    let parts = memtable.parts()
    #expect(parts.map(\.window.lowerBound) == [0, 0, 1_000])
    #expect(parts[0] === first && parts[1].firstSequence == 12 && first.rowCount == 2)
    #expect(memtable.oldestSequence == 4)
    memtable.remove(first)
    #expect(memtable.parts().count == 2 && memtable.oldestSequence == 7)
    #expect(!memtable.seal(first))
  }

  @Test("the largest parts are sealed first, and those that are old or pin the log")
  func choosing() throws {
    let pool = ArenaPool()
    let clock = TestClock()
    let writer = Writer(Memtable(pool: pool, clock: { clock.now }))
    let memtable = writer.memtable
    for window in 0..<4 {
      clock.now = UInt64(window) * 100
      let lines = (0..<10 << (window * 2)).map {
        line($0 % 10, Int64(window * 1_000 + $0 % 1_000), fields: 8)
      }
      try writer.write(lines, sequence: UInt64(window + 1))
    }
    let parts = memtable.parts()
    let bytes = parts.map(\.byteCount)
    #expect(memtable.totals.byteCount > bytes.reduce(0, +) && memtable.byteCount == bytes.reduce(0, +))
    #expect(
      memtable.totals.liveSeriesCount == 10
        && memtable.totals.rowCount == parts.reduce(0) { $0 + $1.rowCount })
    #expect(memtable.partsToSeal(byteCountTarget: memtable.byteCount).isEmpty)
    #expect(memtable.partsToSeal(byteCountTarget: memtable.byteCount - 1).map(\.number) == [parts[3].number])
    #expect(memtable.partsToSeal(byteCountTarget: 0).count == 4)
    #expect(memtable.partsToSeal(olderThan: 150).map(\.number) == parts.prefix(2).map(\.number))
    #expect(memtable.partsToSeal(olderThan: 301).isEmpty)
    #expect(memtable.partsToSeal(pinning: 3).map(\.number) == parts.prefix(3).map(\.number))
    memtable.drop(writer.keyspace, before: 2_500)
    #expect(memtable.parts().map(\.window.lowerBound) == [2_000, 3_000])
    memtable.drop(writer.keyspace)
    #expect(memtable.parts().isEmpty && memtable.totals == Memtable.Totals())
  }

  @Test("series are let go when two seals have passed without a row, and memory comes back to the pool")
  func generations() throws {
    let pool = ArenaPool()
    let writer = Writer(Memtable(pool: pool, clock: { 0 }))
    let memtable = writer.memtable
    try writer.write((0..<1_000).map { line($0, 1) }, sequence: 1)
    #expect(memtable.totals(of: writer.keyspace).liveSeriesCount == 1_000)
    for sequence in UInt64(2)...7 {
      for part in memtable.parts() {
        memtable.seal(part)
        memtable.remove(part)
      }
      try writer.write([line(5, Int64(sequence)), line(2_000, Int64(sequence))], sequence: sequence)
    }
    #expect(memtable.totals(of: writer.keyspace).liveSeriesCount == 2)
    let run = try #require(memtable.parts().first?.makeRun())
    #expect(try RunContents(run).series.map { $0.points.map(\.timestamp) } == [[7], [7]])
    #expect(pool.byteCounts.taken == ArenaPool.blockByteCountMin && pool.byteCounts.idle > 0)

    pool.trim(now: 0)
    pool.trim(now: ArenaPool.idleNanoseconds - 1)
    #expect(pool.byteCounts.idle > 0)
    pool.trim(now: ArenaPool.idleNanoseconds)
    #expect(pool.byteCounts.idle == 0)
    pool.prepare(blockCount: 3)
    #expect(pool.byteCounts.idle == 3 * ArenaPool.blockByteCountMax)
  }

  @Test("a run keeps its rows after the memtable let go of the part")
  func runOutlivesPart() throws {
    let writer = Writer()
    try writer.write((0..<50).map { line($0 % 5, Int64($0)) }, sequence: 1)
    let run = try #require(writer.memtable.parts().first?.makeRun())
    let before = try RunContents(run)
    writer.memtable.drop(writer.keyspace)
    #expect(try RunContents(run) == before && before.series.count == 5)
  }

  @Test("a series with one row costs one row")
  func small() throws {
    let writer = Writer()
    try writer.write((0..<20_000).map { line($0, 1) }, sequence: 1)
    let part = try #require(writer.memtable.parts().first)
    #expect(part.seriesCount == 20_000)
    // 24 the row, 24 before it, 16 the series, and what is left of the last block.
    #expect(part.byteCount < 20_000 * 64 + ArenaPool.blockByteCountMax, "\(part.byteCount) bytes")
    #expect(part.byteCount > 20_000 * 64)
  }

  @Test(
    "a part shows all its series in order, whenever they came",
    arguments: [1, 15, 16, 17, 31, 32, 33, 1_023, 1_024, 1_025, 2_047, 2_048, 2_049, 5_000])
  func seriesCounts(count: Int) throws {
    let writer = Writer()
    try writer.write((0..<count).map { line(($0 * 7_919) % count, 1) }, sequence: 1)
    let part = try #require(writer.memtable.parts().first)
    let keys = (0..<count).map { line($0, 1).key }.sorted()
    #expect(part.seriesCount == count)
    #expect(try RunContents(#require(part.makeRun())).series.map(\.key) == keys)
    // Those that come after it was read stand in their places too.
    let more = (count..<count + 20).map { line($0, 2) }
    try writer.write(more, sequence: 2)
    #expect(try RunContents(#require(part.makeRun())).series.map(\.key) == (keys + more.map(\.key)).sorted())
  }

  @Test("a series whose fields come in turns in several lists keeps to one chunk a list", arguments: [1, 2, 3, 8, 9, 31])
  func alternatingLists(listCount: Int) throws {
    let writer = Writer(windowLength: 0)
    let rounds = 200
    let lines = (0..<rounds * listCount).map { index in
      let name = "g\(index % listCount)"
      return SentLine(key: line(0, 0).key, timestamp: Int64(index / listCount), fields: [(name, .integer(Int64(index)))])
    }
    for batch in 0..<10 {
      let count = lines.count / 10
      try writer.write(Array(lines[batch * count..<(batch + 1) * count]), sequence: UInt64(batch + 1))
    }
    let part = try #require(writer.memtable.parts().first)
    let points = try RunContents(#require(part.makeRun())).series[0].points
    #expect(points.count == rounds && points.allSatisfy { $0.fields.count == listCount })
    // Chunks double: of 200 rows 255 have room. Beside rows there are 8 headers a list, and blocks.
    #expect(part.byteCount <= listCount * (255 * 24 + 8 * 48) * 2 + ArenaPool.blockByteCountMin * 2, "\(part.byteCount) bytes")
  }

  @Test("a part makes room at once for as many rows of a series as half of the series had in the part before", arguments: [1, 3, 4, 8, 20])
  func expectedRows(rowCount: Int) throws {
    let writer = Writer(windowLength: 0)
    var sequence: UInt64 = 0
    func fill(_ series: Range<Int>, rows: Int) throws -> Part {
      for row in 0..<rows {
        sequence += 1
        try writer.write(series.map { line($0, Int64(row), fields: 8) }, sequence: sequence)
      }
      let part = try #require(writer.memtable.parts().last)
      #expect(writer.memtable.seal(part))
      let points = try RunContents(#require(part.makeRun())).series.map { $0.points.map(\.timestamp) }
      #expect(points.count == series.count && points.allSatisfy { $0 == (0..<Int64(rows)).map { $0 } })
      return part
    }
    let seriesCount = 1_024
    let first = try fill(0..<seriesCount, rows: rowCount)
    let second = try fill(0..<seriesCount, rows: rowCount)
    #expect(first.typicalRowCount == min(rowCount, 8) && second.typicalRowCount == first.typicalRowCount)
    // 696 bytes a series in chunks of one row, two and four; 392 in one of four.
    if rowCount == 4 { #expect(second.byteCount * 3 < first.byteCount * 2, "\(second.byteCount) of \(first.byteCount) bytes") }
    // Of series that come once only one part expects more.
    let once = try fill(seriesCount..<2 * seriesCount, rows: 1)
    let last = try fill(2 * seriesCount..<3 * seriesCount, rows: 1)
    #expect(once.typicalRowCount == 1)
    // 120 bytes a series, in blocks that double.
    #expect(last.byteCount <= 240 << 10, "\(last.byteCount) bytes")
  }

  @Test("numbers of parts beyond 32 bits are told apart: rows go where they belong")
  func partNumbers() throws {
    for first in [UInt64(UInt32.max) - 3, UInt64(UInt32.max), 1 << 32, 1 << 40] {
      let writer = Writer(Memtable(firstPartNumber: first, clock: { 0 }))
      for round in 0..<12 {
        // Two windows in turns, the first of them sealed now and then.
        let times = [Int64(round), Int64(1_000 + round)]
        try writer.write(times.map { line(1, $0) }, sequence: UInt64(round + 1))
        if round % 3 == 2, let part = writer.memtable.parts().first(where: { !$0.isSealed }) { writer.memtable.seal(part) }
      }
      let parts = writer.memtable.parts()
      #expect(parts.count == 5 && Set(parts.map(\.number)).count == 5)
      for part in parts {
        let points = try RunContents(#require(part.makeRun())).series.flatMap(\.points)
        #expect(points.allSatisfy { part.window.contains($0.timestamp) } && points.count == part.rowCount)
      }
      #expect(parts.reduce(0) { $0 + $1.rowCount } == 24)
    }
  }

  @Test("a receiver that comes late to a part with a lower number than those it knows writes to it")
  func olderPart() throws {
    let memtable = Memtable(firstPartNumber: 1 << 40, clock: { 0 })
    let (early, late) = (Writer(memtable), Writer(memtable))
    try early.write([line(1, 1)], sequence: 1)
    for (sequence, time) in [(2, 1_001), (3, 2), (4, 1_002), (5, 3)] {
      try late.write([line(1, Int64(time))], sequence: UInt64(sequence))
    }
    let points = try memtable.parts().map { try RunContents(#require($0.makeRun())).series.flatMap(\.points).map(\.timestamp) }
    #expect(points == [[1, 2, 3], [1_001, 1_002]])
  }

  @Test("many field lists for one series are joined, and cost a row each")
  func oddFieldLists() throws {
    let writer = Writer()
    let odd = (0..<600).map { index in
      SentLine(key: line(0, 0).key, timestamp: Int64(index % 90), fields: [("g\(index)", .integer(1))])
    }
    try writer.write(odd + odd, sequence: 1)
    let part = try #require(writer.memtable.parts().first)
    let contents = try RunContents(#require(part.makeRun())).series[0]
    #expect(contents.points.count == 90 && contents.points.reduce(0) { $0 + $1.fields.count } == 600)
    #expect(part.byteCount < 1 << 18)
  }
}

final class TestClock: @unchecked Sendable {
  // One thread in the tests that use it.
  var now: UInt64 = 0
}

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
    #expect(part.byteCount < 20_000 * 170, "\(part.byteCount) bytes")
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

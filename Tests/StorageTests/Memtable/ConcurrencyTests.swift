import LineProtocol
import Storage
import Synchronization
import TestSupport
import Testing

/// Also what the thread sanitizer is to look at.
@Suite("Memtable under several threads")
struct MemtableConcurrencyTests {
  /// What writers share, as the store has it: the lock that numbers batches.
  private final class Log: Sendable {
    let sequence = Lock<UInt64>(0)
    let done = Atomic<Int>(0)
  }

  @Test("several receivers write, parts are sealed, readers see whole rows, and nothing is lost")
  func writersAndReaders() throws {
    let memtable = Memtable(clock: { 0 })
    let log = Log()
    let sealed = Lock<[Part]>([])
    let (writerCount, batchCount, rowCount) = (3, 60, 50)
    let threads = try (0..<writerCount).map { writer in
      try WorkerThread(name: "writer") {
        Self.write(memtable, log, writer: writer, batchCount: batchCount, rowCount: rowCount)
      }
    }
    var torn = 0
    while log.done.load(ordering: .acquiring) < writerCount {
      for part in memtable.parts() {
        let through = part.sequenceRange?.upperBound ?? 0
        if let run = part.makeRun(visibleThrough: through) { torn += try Self.tornCount(run) }
        if let run = part.makeRun() { torn += try Self.tornCount(run) }
        if part.rowCount > 1_500, memtable.seal(part) { sealed.withLock { $0.append(part) } }
      }
    }
    for thread in threads { thread.join() }
    #expect(torn == 0)
    var rows = 0
    for part in memtable.parts() {
      #expect(!part.isHeld)
      rows += part.rowCount
      let run = try #require(part.makeRun())
      rows -= part.rowCount - (try Self.count(run))
      if let through = part.sealedThrough {
        let range = try #require(part.sequenceRange)
        #expect(range.upperBound <= through && part.isFlushable)
      }
    }
    // Timestamps are unique over all writers.
    #expect(rows == writerCount * batchCount * rowCount)
    #expect(memtable.totals.liveSeriesCount == 4)
  }

  private static func write(_ memtable: Memtable, _ log: Log, writer: Int, batchCount: Int, rowCount: Int) {
    let names = BatchMaker()
    let inserter = memtable.makeInserter(for: KeyspaceID(1))
    let batch = LineBatch()
    var placement = RowPlacement()
    for number in 0..<batchCount {
      let lines = (0..<rowCount).map { row -> SentLine in
        let time = Int64((number * rowCount + row) * 8 + writer)
        let key = SeriesKey(measurement: Array("m".utf8), tags: [(Array("s".utf8), Array("\(row % 4)".utf8))])
        return SentLine(
          key: key, timestamp: time,
          fields: [("a", .integer(time)), ("b", .integer(-time)), ("c", .string("\(time)"))])
      }
      names.fill(batch, with: lines)
      do throws(StorageError) {
        try placement.place(batch, valid: .min ..< .max) { time throws(StorageError) in
          time / 8_192 * 8_192..<(time / 8_192 + 1) * 8_192
        }
      } catch { return }
      var parts: [Part] = []
      let sequence = log.sequence.withLock { sequence in
        sequence += 1
        memtable.hold(KeyspaceID(1), windows: placement.windows, sequence: sequence, parts: &parts)
        return sequence
      }
      inserter.insert(batch, names: names, sequence: sequence, placement: placement, parts: parts)
      for part in parts { part.release() }
    }
    log.done.add(1, ordering: .releasing)
  }

  /// Rows whose fields do not belong together.
  private static func tornCount(_ run: PartRun) throws -> Int {
    try RunContents(run).series.reduce(0) { sum, series in
      sum
        + series.points.count {
          $0.fields != [
            "a": .integer($0.timestamp), "b": .integer(-$0.timestamp), "c": .string("\($0.timestamp)"),
          ]
        }
    }
  }

  private static func count(_ run: PartRun) throws -> Int {
    try RunContents(run).series.reduce(0) { $0 + $1.points.count }
  }
}

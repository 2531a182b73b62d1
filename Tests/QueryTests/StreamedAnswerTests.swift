import LineProtocol
import Query
import Storage
import Synchronization
import TestSupport
import Testing

/// Answers that are handed on in pieces say what whole ones do.
@Suite("Streamed answers")
struct StreamedAnswerTests {
  /// Series of four hosts and three regions, some missing; every time is that of several series, whose tags order them, since no
  /// field's name comes before theirs. `y` is long now and then.
  private static func points(seed: UInt64) -> [ModelPoint] {
    var random = SplitMix64(seed: seed)
    var lines: [String] = []
    for host in ["a", "b", "c", "d"] {
      for region in ["north", "east", "west"] where Int.random(in: 0..<5, using: &random) > 0 {
        for step in 0..<120 where Int.random(in: 0..<4, using: &random) > 0 {
          var fields = ["v=\(Int.random(in: 0..<1_000, using: &random))i"]
          if Int.random(in: 0..<3, using: &random) == 0 { fields.append("x=\(step).5") }
          if Int.random(in: 0..<20, using: &random) == 0 {
            fields.append("y=\"\(String(repeating: host, count: Int.random(in: 0..<400, using: &random)))\"")
          }
          if Int.random(in: 0..<10, using: &random) == 0 { fields.removeFirst() }
          guard !fields.isEmpty else { continue }
          lines.append("\(Int.random(in: 0..<9, using: &random) == 0 ? "n" : "m"),host=\(host),region=\(region) \(fields.joined(separator: ",")) \(step * 10)")
        }
      }
    }
    return modelPoints(lines.joined(separator: "\n"))
  }

  private static let statements = [
    "SELECT * FROM m", "SELECT * FROM m ORDER BY time DESC", "SELECT * FROM m, n", "SELECT * FROM m, n ORDER BY time DESC",
    "SELECT v FROM m GROUP BY *", "SELECT v, x, y FROM m GROUP BY host, region ORDER BY time DESC",
    "SELECT v + 1, y FROM m, n GROUP BY region, host", "SELECT * FROM m WHERE v > 500 AND host != 'b' GROUP BY region",
    "SELECT *, host FROM m WHERE time >= 200 AND time < 921", "SELECT * FROM m WHERE host = 'a' ORDER BY time DESC",
    "SELECT v, host FROM m, n WHERE region = 'east' AND time > 95 LIMIT 20000 OFFSET 40", "SELECT * FROM m WHERE host = 'nobody'", "SELECT * FROM m LIMIT 20000",
    "SELECT * FROM m LIMIT 20000 OFFSET 333", "SELECT v FROM m GROUP BY * LIMIT 90 OFFSET 7", "SELECT nosuch FROM m",
    "SELECT v FROM m WHERE v > 5000", "SELECT * FROM m LIMIT 3", "SELECT mean(v) FROM m GROUP BY time(30ns), host fill(none)",
    "SELECT v FROM m GROUP BY * SLIMIT 2 SOFFSET 1", "SHOW SERIES", "SHOW TAG VALUES WITH KEY IN (host, region)",
    "SELECT v FROM (SELECT v FROM m) GROUP BY host",
  ]

  private func engine(_ points: [ModelPoint], windowLength: Int64, held: Int) -> QueryEngine {
    var limits = QueryLimits()
    (limits.pieceRowCountMax, limits.streamedByteCountMax) = (23, held)
    // Strings that pieces share, and strings of their own.
    limits.sharedByteCountMax = held / 20
    return QueryEngine(
      catalog: FakeCatalog("d", Snapshot.ofPoints([points], windowLength: windowLength)), limits: limits)
  }

  private func run(_ engine: QueryEngine, _ text: String, inPieces: Bool) throws -> [StatementResult] {
    var request = QueryRequest(text: text, database: "d", now: 10_000)
    request.isStreamed = inPieces
    var results: [StatementResult] = []
    try engine.run(request) { results.append($0) }
    return results
  }

  @Test(
    "pieces put together are the whole answer, however little may be held and however long windows are",
    arguments: [(UInt64(1), Int64(40)), (2, 300), (3, 1 << 40), (4, 1 << 40)])
  func pieces(seed: UInt64, windowLength: Int64) throws {
    let points = Self.points(seed: seed)
    for held in [12_000, 60_000, 1 << 30] {
      let engine = engine(points, windowLength: windowLength, held: held)
      for text in Self.statements {
        let whole = try run(engine, text, inPieces: false)
        let pieces = try run(engine, text, inPieces: true)
        #expect(pieces.allSatisfy { $0.series.reduce(0) { $0 + $1.rowCount } <= 23 + 22 }, "\(text)")
        #expect(pieces.dropLast().allSatisfy(\.hasMore) && pieces.last?.hasMore == false, "\(text)")
        for format in [ResultFormat.json, .csv, .jsonl, .line, .influxCSV, .vertical] {
          let (a, b) = (written(whole, format), written(pieces, format))
          if a != b {
            Issue.record("\(text), \(format), \(held) bytes:\n\(a.prefix(1_500))\nin pieces:\n\(b.prefix(1_500))")
            return
          }
        }
        for size in [1, 10, 1_000] {
          var options = RenderOptions(precision: .nanoseconds)
          (options.chunkRowCount, options.isPretty) = (size, size == 10)
          let areEqual = written(whole, .json, options) == written(pieces, .json, options)
          #expect(areEqual, "\(text), chunks of \(size)")
        }
      }
    }
  }

  /// Twelve series of two tags, whose names come before those of the ten fields; some rows and some values are missing.
  private static func widePoints(seed: UInt64) -> [ModelPoint] {
    var random = SplitMix64(seed: seed)
    var lines: [String] = []
    for host in 0..<12 {
      for step in 0..<150 where Int.random(in: 0..<9, using: &random) > 0 {
        let fields = (0..<10).filter { $0 != 3 || step % 7 == 0 }.map { "zz\($0)=\(Int.random(in: 0..<1_000, using: &random))i" }
        lines.append("m,host=h\(host),zone=z\(host % 5) \(fields.joined(separator: ",")) \(step * 10)")
      }
    }
    return modelPoints(lines.joined(separator: "\n"))
  }

  @Test(
    "rows of many series and columns are laid in their order, few or many at a time",
    arguments: [UInt64(1), 2], [(100, 1 << 30), (130, 1 << 30), (700, 1 << 30), (10_000, 1 << 30), (400, 200_000)])
  func wide(seed: UInt64, bounds: (pieceRowCount: Int, held: Int)) throws {
    var limits = QueryLimits()
    (limits.pieceRowCountMax, limits.streamedByteCountMax) = (bounds.pieceRowCount, bounds.held)
    let engine = QueryEngine(
      catalog: FakeCatalog("d", Snapshot.ofPoints([Self.widePoints(seed: seed)], windowLength: 1 << 40)), limits: limits)
    for text in [
      "SELECT * FROM m", "SELECT * FROM m ORDER BY time DESC", "SELECT * FROM m WHERE zz1 > 300 AND time >= 70", "SELECT * FROM m LIMIT 15000 OFFSET 77",
    ] {
      let (whole, pieces) = (try run(engine, text, inPieces: false), try run(engine, text, inPieces: true))
      #expect(pieces.count > 1 || bounds.pieceRowCount > 1_000)
      for format in [ResultFormat.json, .influxCSV] {
        let areEqual = written(whole, format) == written(pieces, format)
        #expect(areEqual, "\(text), \(format)")
      }
    }
  }

  @Test("rows of one time that nothing orders are all there, each once", arguments: [UInt64(1), 2])
  func unordered(seed: UInt64) throws {
    let engine = engine(Self.points(seed: seed), windowLength: 1 << 40, held: 1_500)
    for text in ["SELECT v FROM m", "SELECT x, v FROM m ORDER BY time DESC"] {
      func rows(_ results: [StatementResult]) -> (times: [Substring], sorted: [Substring]) {
        let lines = written(results, .csv).split(separator: "\n")
        return (lines.map { $0.prefix { $0 != "," } }, lines.sorted())
      }
      let (whole, pieces) = (rows(try run(engine, text, inPieces: false)), rows(try run(engine, text, inPieces: true)))
      #expect(whole == pieces)
    }
  }

  @Test("a table's columns are as wide as its first piece needs, and no cell is cut")
  func table() throws {
    var first = StatementResult(statementID: 0)
    var column = Column(key: FieldKey(name: [], type: .integer))
    (column.values, column.presentCount) = ([7], 1)
    first.series = [ResultSeries(name: "m", columnNames: ["v"], timestamps: nil, columns: [column], rowCount: 1)]
    first.hasMore = true
    var second = first
    column.values = [123]
    second.series[0].columns = [column]
    (second.hasMore, second.continuation) = (false, .sameSeries)
    #expect(written([first, second], .table) == "v\n─\n7\n123\n")
    #expect(written([first, second], .markdown) == "|   v |\n| --: |\n|   7 |\n| 123 |\n")
  }

  @Test("why an answer ends stands behind its last rows, in chunks in the last document alone", arguments: [1, 100])
  func reason(chunkRowCount: Int) throws {
    var first = StatementResult(statementID: 0)
    var column = Column(key: FieldKey(name: [], type: .integer))
    (column.values, column.presentCount) = ([7, 8], 2)
    first.series = [ResultSeries(name: "m", columnNames: ["v"], timestamps: nil, columns: [column], rowCount: 2)]
    first.hasMore = true
    for continuation in [StatementResult.Continuation.sameSeries, .nextSeries] {
      var last = first
      (last.hasMore, last.continuation, last.error) = (false, continuation, "query interrupted")
      var options = RenderOptions()
      options.chunkRowCount = chunkRowCount
      var renderer = JSONRenderer(options)
      var out: [UInt8] = []
      renderer.begin(into: &out)
      for piece in [first, last] { renderer.append(piece, into: &out) }
      renderer.finish(into: &out)
      let documents = String(decoding: out, as: UTF8.self).split(separator: "\n")
      #expect(documents.last?.hasSuffix("[8]]}],\"error\":\"query interrupted\"}]}") == true, "\(documents)")
      #expect(documents.dropLast().allSatisfy { !$0.contains("error") }, "\(documents)")
      #expect(documents.count == (chunkRowCount == 1 ? 4 : continuation == .sameSeries ? 1 : 2))
    }
  }

  @Test("what is held while an answer of any length is handed on is bounded, and given back")
  func memory() throws {
    let points = modelPoints((0..<60_000).map { "m,s=\($0 % 50) v=\($0)i \($0)" }.joined(separator: "\n"))
    let memory = QueryMemory(byteCountMax: 800_000)
    let engine = QueryEngine(
      catalog: FakeCatalog("d", Snapshot.ofPoints([points], windowLength: 1 << 40)), memory: memory)
    for text in ["SELECT v FROM m", "SELECT v FROM m GROUP BY s", "SELECT v, s FROM m ORDER BY time DESC"] {
      var request = QueryRequest(text: text, database: "d", now: 0)
      var error: String?
      try engine.run(request) { error = $0.error }
      #expect(error?.contains("max-select-memory") == true)
      request.isStreamed = true
      var (rowCount, most) = (0, 0)
      try engine.run(request) { piece in
        error = piece.error
        rowCount += piece.series.reduce(0) { $0 + $1.rowCount }
        most = max(most, memory.byteCount)
      }
      #expect(error == nil && rowCount == 60_000)
      #expect(most > 0 && most < 600_000, "\(text): \(most)")
      #expect(memory.byteCount == 0)
    }
  }

  @Test("series whose clocks agree are read a few times more where there is no memory for one moment's rows, not once for each bit of a minute")
  func moments() throws {
    let minute: Int64 = 60_000_000_000
    let lines = (0..<3).flatMap { moment in (0..<1_000).map { "m,s=\($0) v=\($0)i \(Int64(moment) * minute)" } }
    let snapshot = Snapshot.ofPoints([modelPoints(lines.joined(separator: "\n"))], windowLength: 1 << 40)
    for order in ["", " ORDER BY time DESC"] {
      var counts: [Int] = []
      for held in [1 << 20, 20_000] {
        var limits = QueryLimits()
        limits.streamedByteCountMax = held
        let looks = Mutex(0)
        var request = QueryRequest(text: "SELECT v, s FROM m" + order, database: "d", now: 10 * minute)
        request.isStreamed = true
        // Asked with each series that is read.
        request.isCancelled = {
          looks.withLock { $0 += 1 }
          return false
        }
        var rowCount = 0
        try QueryEngine(catalog: FakeCatalog("d", snapshot), limits: limits).run(request) { piece in
          rowCount += piece.series.reduce(0) { $0 + $1.rowCount }
        }
        #expect(rowCount == 3_000)
        counts.append(looks.withLock { $0 })
      }
      #expect(counts[0] >= 1_000 && counts[1] < 12 * counts[0], "\(counts)")
    }
  }

  @Test("whoever takes the pieces can end it, and is told no more")
  func ended() throws {
    struct Enough: Error {}
    let engine = engine(Self.points(seed: 1), windowLength: 700, held: 1 << 20)
    var request = QueryRequest(text: "SELECT * FROM m; SELECT * FROM n", database: "d", now: 0)
    request.isStreamed = true
    var count = 0
    #expect(throws: Enough.self) {
      try engine.run(request) { _ in
        count += 1
        if count == 3 { throw Enough() }
      }
    }
    #expect(count == 3)
  }
}

private func written(
  _ results: [StatementResult], _ format: ResultFormat, _ options: RenderOptions = RenderOptions(precision: .nanoseconds)
) -> String { rendered(results, format, options) }

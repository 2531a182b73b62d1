import LineProtocol
import Query
import Storage
import TestSupport
import Testing

@Suite("Answers from damaged files")
struct DamagedAnswerTests {
  private static let start: Int64 = 1_700_000_000_000_000_000
  private static let hour: Int64 = 3_600_000_000_000

  /// Two windows; in the first two runs of which the later overwrites the earlier.
  private static func image() throws -> StoreImage {
    let bench = try ClockedStore()
    try bench.store.createPolicy("hours", on: "metrics", ttl: 0, windowLength: hour, isDefault: true)
    for window in 0..<2 as Range<Int64> {
      for run in 0..<2 {
        var lines = ""
        for step in 0..<40 as Range<Int64> {
          for host in ["a", "b"] {
            let time = start - window * 2 * hour + step * 1_000_000_000
            lines +=
              "cpu,host=\(host) v=\(step + Int64(run) * 100)i,f\(run)=1.5 \(time)\nmem,host=\(host) free=\(step).5 \(time)\n"
          }
        }
        try bench.driver.writeDurably(lines)
        try bench.store.flush()
      }
    }
    var image = try StoreImage(bench.fileSystem)
    image.files["RESERVE"] = nil
    return image
  }

  private static let statements = [
    "SELECT v, f0, f1 FROM cpu GROUP BY host",
    "SELECT sum(v), count(f1), first(v), last(v), max(v) FROM cpu WHERE time >= \(start - 3 * hour) AND time <= \(start + hour) GROUP BY time(1h), host fill(none)",
    "SELECT mean(free) FROM mem WHERE host = 'a' AND time >= \(start - 3 * hour) AND time <= \(start + hour) GROUP BY time(1h) fill(none)",
    "SHOW SERIES", "SHOW TAG VALUES WITH KEY = host", "SHOW FIELD KEYS", "SHOW MEASUREMENTS",
  ]

  private static func open(_ image: StoreImage) throws -> Store {
    var options = StoreOptions()
    options.isReadOnly = true
    options.segmentByteCount = 1 << 20
    return try Store.open(
      fileSystem: image.make(), options: options, wallClock: { start }, monotonicClock: { 1 })
  }

  private static func answers(_ store: Store, isStrict: Bool = false) throws -> [StatementResult] {
    var request = QueryRequest(text: statements.joined(separator: "; "), database: "metrics", now: start)
    request.isStrict = isStrict
    var results: [StatementResult] = []
    try QueryEngine(store: store).run(request) { results.append($0) }
    return results
  }

  private static func lines(_ result: StatementResult) -> Set<String> {
    var renderer = ResultFormat.csv.makeRenderer()
    var out: [UInt8] = []
    var bare = result
    bare.messages = []
    renderer.append(bare, into: &out)
    return Set(String(decoding: out, as: UTF8.self).split(separator: "\n").map(String.init))
  }

  @Test("nothing is written of what would lack something")
  func into() throws {
    let image = try Self.image()
    let target = try Store.inMemory()
    try target.createDatabase("metrics")
    let statements = ["SELECT v INTO x FROM cpu GROUP BY host", "SELECT mean(v) INTO x FROM cpu WHERE time > 0 GROUP BY time(1s)"]
    var partialCount = 0
    for (name, bytes) in image.files where name.hasPrefix("tables/") {
      for bit in stride(from: 3, to: bytes.count * 8, by: 4_099) {
        let store = try Self.open(image.flipping(bit, of: name))
        guard try Self.answers(store).contains(where: { $0.isPartial && !$0.series.isEmpty }) else { continue }
        partialCount += 1
        for text in statements {
          let sink = MemorySink(target)
          var results: [StatementResult] = []
          let request = QueryRequest(text: text, database: "metrics", now: Self.start)
          try QueryEngine(catalog: store, sink: sink).run(request) { results.append($0) }
          let isWhole = sink.writes.withLock { !$0.isEmpty }
          // Damage of another measurement is none of the statement's.
          #expect(results[0].error?.contains("what is damaged") ?? isWhole)
          if results[0].error != nil { #expect(!isWhole) }
        }
      }
    }
    #expect(partialCount > 3)
  }

  @Test("an answer is whole, or partial with true rows only and says what it lacks; a strict one fails then")
  func flips() throws {
    let image = try Self.image()
    let whole = try Self.answers(Self.open(image))
    #expect(whole.allSatisfy { !$0.isPartial && $0.error == nil && !$0.series.isEmpty })
    let truth = whole.map(Self.lines)
    var (faults, partialCount) = ([String](), 0)
    for (name, bytes) in image.files where name.hasPrefix("tables/") {
      for bit in stride(from: 3, to: bytes.count * 8, by: runsSlowTests ? 17 : 1_301) {
        let store = try Self.open(image.flipping(bit, of: name))
        let found = try Self.answers(store)
        let strict = try Self.answers(store, isStrict: true)
        for (index, result) in found.enumerated() {
          let lines = Self.lines(result)
          let place = "\(Self.statements[index]) with bit \(bit) of \(name)"
          if let error = result.error { faults.append("\(place): \(error)") }
          if !lines.isSubset(of: truth[index]) {
            faults.append("\(place): \(lines.subtracting(truth[index]).prefix(2))")
          }
          if !result.isPartial, lines != truth[index] {
            faults.append("\(place): lacks rows and does not say it")
          }
          if result.isPartial != result.lacksDamaged { faults.append("\(place): partial without a reason") }
          if result.isPartial, strict[index].error == nil { faults.append("\(place): strict and answers") }
          if result.isPartial { partialCount += 1 }
        }
      }
    }
    #expect(partialCount > 50)
    #expect(faults.isEmpty, "\(faults.count): \(faults.prefix(4))")
  }

  @Test("a damaged row group costs its series in its window; the message names file and offset")
  func message() throws {
    let image = try Self.image()
    let name = try #require(image.files.keys.filter { $0.hasPrefix("tables/") }.min())
    let store = try Self.open(image.flipping(8 * 20, of: name))
    let results = try Self.answers(store)
    #expect(results[0].isPartial && results[0].series.count == 2)
    let text = try #require(results[0].messages.first?.text)
    #expect(
      text.hasPrefix("left out as damaged: cpu,host=a and 1 more series from 2023-11-14T20:00:00Z"), "\(text)"
    )
    #expect(text.contains("\(name):16: ") && text.hasSuffix("run `varve repair`"), "\(text)")
    // What was not touched is whole.
    #expect(!results[2].isPartial && !results[6].isPartial)
    var request = QueryRequest(
      text: "EXPLAIN ANALYZE \(Self.statements[0])", database: "metrics", now: Self.start)
    request.isCancelled = { false }
    var plan: [String] = []
    try QueryEngine(store: store).run(request) { plan += Self.lines($0) }
    #expect(plan.contains { $0.contains("LEFT OUT AS DAMAGED: cpu,host=a") }, "\(plan)")
    #expect(
      store.statistics().corruptions.contains {
        $0.database == "metrics" && $0.kind == "table" && $0.count > 0
      })
  }
}

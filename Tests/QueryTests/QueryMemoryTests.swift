import Query
import Storage
import TestSupport
import Testing

/// What statements may hold.
@Suite("Memory of statements")
struct QueryMemoryTests {
  /// Rows of one series, and what they take by the count of the pass: two words a row and a rank.
  private static let catalog = FakeCatalog(
    "d",
    Snapshot.ofPoints(
      [modelPoints((0..<20_000).map { "m,s=\($0 % 50) v=\($0)i \($0)" }.joined(separator: "\n"))], windowLength: 1 << 40))

  private func run(_ text: String, _ memory: QueryMemory, emit: (StatementResult) throws -> Void = { _ in }) throws -> [StatementResult] {
    var results: [StatementResult] = []
    try QueryEngine(catalog: Self.catalog, memory: memory).run(QueryRequest(text: text, database: "d", now: 0)) {
      results.append($0)
      try emit($0)
    }
    return results
  }

  @Test("a statement that needs more than one may have ends with an error that names the bound; a smaller one is answered")
  func statement() throws {
    let memory = QueryMemory(byteCountMax: 800_000)
    #expect(memory.statementByteCountMax == 600_000)
    let large = try run("SELECT v FROM m", memory)
    let error = try #require(large.first?.error)
    #expect(error.contains("600000 bytes") && error.contains("--memory") && error.contains("LIMIT"), "\(error)")
    #expect(large.first?.isCrowdedOut == false)
    #expect(large.first?.series.isEmpty == true)
    #expect(memory.byteCount == 0)
    #expect(try run("SELECT v FROM m LIMIT 10", memory).first?.series.first?.rowCount == 10)
    #expect(try run("SELECT v FROM m WHERE s = '7'", memory).first?.series.first?.rowCount == 400)
    #expect(memory.byteCount == 0)
  }

  @Test("the bound is met at its edge: as many bytes as a statement needs are enough, a byte less is not")
  func edge() throws {
    let text = "SELECT v FROM m GROUP BY s"
    func succeeds(_ bound: Int) throws -> Bool {
      // Of all there is three quarters are one statement's.
      let memory = QueryMemory(byteCountMax: bound * 4)
      #expect(memory.statementByteCountMax == bound * 3)
      let error = try run(text, memory).first?.error
      #expect(memory.byteCount == 0)
      #expect(error == nil || error?.contains("needs more than \(bound * 3) bytes") == true)
      return error == nil
    }
    var (little, enough) = (1, 1 << 24)
    #expect(try !succeeds(little))
    #expect(try succeeds(enough))
    while enough - little > 1 {
      let middle = (little + enough) / 2
      if try succeeds(middle) { enough = middle } else { little = middle }
    }
    // Two words and a rank a row, at least.
    #expect(enough * 3 > 20_000 * 20)
  }

  @Test("groups of aggregates count by their buckets")
  func aggregates() throws {
    let memory = QueryMemory(byteCountMax: 1 << 20)
    let text = "SELECT mean(v) FROM m WHERE time >= 0 AND time < 20000 GROUP BY time(1u), s"
    #expect(try run(text, memory).first?.error == nil)
    let wide = "SELECT mean(v) FROM m WHERE time >= 0 AND time < 20000 GROUP BY time(10ns), s"
    #expect(try run(wide, memory).first?.error?.contains("max-select-memory") == true)
    #expect(memory.byteCount == 0)
  }

  @Test("what others hold is refused for now, and had when they are done")
  func crowded() throws {
    let memory = QueryMemory(byteCountMax: 4 << 20)
    let text = "SELECT v FROM m"
    var inner: [StatementResult] = []
    var held = 0
    let outer = try run(text, memory) { _ in
      held = memory.byteCount
      // One half of what is left is held by another answer.
      let other = QueryAccount(memory)
      try other.add(memory.byteCountMax - held - 1_000)
      inner = try run(text, memory)
      #expect(!memory.waitForRoom(atMost: .zero))
      withExtendedLifetime(other) {}
    }
    #expect(outer.first?.error == nil)
    #expect(held > 20_000 * 20)
    #expect(inner.first?.isCrowdedOut == true)
    #expect(inner.first?.error?.contains("try again later") == true)
    #expect(memory.byteCount == 0)
    #expect(memory.waitForRoom(atMost: .zero))
    #expect(try run(text, memory).first?.error == nil)
  }
}

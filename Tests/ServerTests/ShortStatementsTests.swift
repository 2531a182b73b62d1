import Server
import Storage
import TestSupport
import Testing

@Suite("Statements that are short")
struct ShortStatementsTests {
  private static func likeness(_ text: String) throws -> ShortStatements.Likeness {
    try #require(ShortStatements.Likeness(text, "metrics"))
  }

  @Test("texts are alike where digits alone differ")
  func alike() throws {
    let one = try Self.likeness("SELECT max(v) FROM m WHERE time > 1700000000s")
    #expect(try one == Self.likeness("SELECT max(v) FROM m WHERE time > 1800000000s"))
    #expect(try one != Self.likeness("SELECT max(u) FROM m WHERE time > 1700000000s"))
    #expect(ShortStatements.Likeness("ab", "c") != ShortStatements.Likeness("a", "bc"))
    let longest = String(repeating: "x", count: ShortStatements.byteCountMax)
    #expect(ShortStatements.Likeness(longest) != nil && ShortStatements.Likeness(longest, "y") == nil)
  }

  @Test("a statement is short where its like was the last time")
  func foretold() throws {
    let shorts = ShortStatements()
    let likeness = try Self.likeness("SELECT v FROM m")
    #expect(!shorts.isShort(likeness))
    shorts.note(likeness, nanoseconds: ShortStatements.nanosecondsMax)
    #expect(shorts.isShort(likeness))
    #expect(try !shorts.isShort(Self.likeness("SELECT u FROM m")))
    shorts.note(likeness, nanoseconds: ShortStatements.nanosecondsMax + 1)
    #expect(!shorts.isShort(likeness))
  }

  @Test("after a failure a worker is asked some times, and more often after the next")
  func failed() throws {
    let shorts = ShortStatements()
    let likeness = try Self.likeness("SELECT v FROM m")
    shorts.note(likeness, nanoseconds: 1)
    var waits: [Int] = []
    for _ in 0..<9 {
      shorts.noteFailure(likeness)
      var count = 0
      while !shorts.isShort(likeness) {
        shorts.note(likeness, nanoseconds: 1)
        count += 1
      }
      waits.append(count)
    }
    #expect(waits == [1, 3, 7, 15, 31, 63, 127, 127, 127])
  }

  @Test("a pool's work is done by another thread only where a worker would begin it at once")
  func runHere() throws {
    let pool = try WorkerPool(name: "test", threadCount: 1)
    #expect(pool.runHere { 1 } == 1)
    let state = Monitor((isRunning: false, isReleased: false))
    let changed = Condition()
    #expect(
      pool.submit {
        state.withLock { $0.isRunning = true }
        changed.notifyAll()
        state.withLock(on: changed, when: { $0.isReleased }) { _ in }
      })
    state.withLock(on: changed, when: { $0.isRunning }) { _ in }
    #expect(pool.runHere { 1 } == nil)
    state.withLock { $0.isReleased = true }
    changed.notifyAll()
    // What is queued while another thread works is begun when that ends.
    var value: Int?
    while value == nil {
      value = pool.runHere {
        _ = pool.submit {
          state.withLock { $0.isReleased = false }
          changed.notifyAll()
        }
        return state.withLock { $0.isReleased } ? 1 : 2
      }
    }
    #expect(value == 1)
    state.withLock(on: changed, when: { !$0.isReleased }) { _ in }
    pool.stop()
    #expect(pool.runHere { 1 } == nil)
  }

  @Test("a statement that is asked again and again is answered the same, and counted each time")
  func asked() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let lines = (0..<1_000).map { "m,h=h\($0 % 5) v=\($0) \(1_700_000_000 + $0)000000000" }
      _ = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array(lines.joined(separator: "\n").utf8))
      for limit in 1...20 {
        let answer = try server.ask("SELECT v FROM m WHERE h = 'h1' LIMIT \(limit)")
        #expect(answer.first?.values.map { $0[1] } == (0..<limit).map { .integer(Int64($0) * 5 + 1) })
      }
      #expect(try server.metrics().sum("varve_query_seconds_count") == 20)
      #expect(server.stop() == 0)
    }
  }
}

import Storage
import Testing

/// Also what the thread sanitizer is to look at.
@Suite("Lock")
struct LockTests {
  private struct Refusal: Error, Equatable {}

  @Test("bodies of several threads run one at a time")
  func contention() throws {
    let total = Lock((count: 0, isInside: false))
    let overlaps = Lock(0)
    let (threadCount, turnCount) = (4, 20_000)
    let threads = try (0..<threadCount).map { _ in
      try WorkerThread(name: "locker") {
        for _ in 0..<turnCount {
          let overlapped = total.withLock { total in
            defer { total.isInside = false }
            let wasInside = total.isInside
            total.isInside = true
            total.count += 1
            return wasInside
          }
          if overlapped { overlaps.withLock { $0 += 1 } }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(total.withLock { $0.count } == threadCount * turnCount)
    #expect(overlaps.withLock { $0 } == 0)
  }

  @Test("a body's error comes out as its own type, and leaves the lock free and the change made")
  func failure() {
    let value = Lock(1)
    let outcome = Result<Int, Refusal> { () throws(Refusal) in
      try value.withLock { value throws(Refusal) in
        value = 2
        throw Refusal()
      }
    }
    #expect(outcome == .failure(Refusal()))
    #expect(value.withLock { $0 } == 2)
  }

  @Test("the value goes with the lock")
  func release() {
    final class Witness: Sendable {}
    weak var witness: Witness?
    do {
      let value = Lock(Witness())
      witness = value.withLock { $0 }
      #expect(witness != nil)
    }
    #expect(witness == nil)
  }
}

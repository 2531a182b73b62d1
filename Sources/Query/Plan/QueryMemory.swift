import Storage
import Synchronization

/// What all statements under way hold in memory, and the bounds of it: of one, and of all together.
package final class QueryMemory: Sendable {
  /// What all together may hold, and one.
  package let byteCountMax: Int
  package let statementByteCountMax: Int
  private let held = Monitor(0)
  private let hasLess = Storage.Condition()

  /// - Parameter byteCountMax: of all; one statement may have three quarters of it.
  package init(byteCountMax: Int = .max) {
    self.byteCountMax = byteCountMax
    statementByteCountMax = byteCountMax / 4 * 3
  }

  /// Bytes held now.
  package var byteCount: Int { held.withLock { $0 } }

  /// Waits until there is room for one more statement: until three quarters are free, or as long as `limit`.
  ///
  /// - Returns: `false` where there is none in time.
  package func waitForRoom(atMost limit: Duration) -> Bool {
    held.withLock(on: hasLess, for: limit, when: { $0 <= byteCountMax / 4 * 3 }) { $0 <= byteCountMax / 4 * 3 }
  }

  fileprivate func take(_ byteCount: Int) -> Bool {
    held.withLock { held in
      guard held <= byteCountMax - byteCount else { return false }
      held += byteCount
      return true
    }
  }

  fileprivate func give(_ byteCount: Int) {
    held.withLock { $0 -= byteCount }
    hasLess.notifyAll()
  }
}

/// What one statement, or one answer, holds of the memory of queries; given back when the last who holds the account lets go of it.
package final class QueryAccount: Sendable {
  private let memory: QueryMemory
  private let held = Atomic<Int>(0)
  private let isCrowdedOut = Atomic<Bool>(false)

  package init(_ memory: QueryMemory) { self.memory = memory }

  deinit { memory.give(held.load(ordering: .relaxed)) }

  /// An account of the same memory for a part of the statement, of which nothing is held when it is done.
  package func makePart() -> QueryAccount { QueryAccount(memory) }

  /// Whether it was refused memory that others hold: later there may be some.
  package var wasCrowdedOut: Bool { isCrowdedOut.load(ordering: .relaxed) }

  /// Takes more; a negative number gives some back. Safe from several threads.
  ///
  /// - Throws: where the statement, or all together, would hold more than they may.
  package func add(_ byteCount: Int) throws(QueryFailure) {
    if byteCount == 0 { return }
    let total = held.add(byteCount, ordering: .relaxed).newValue
    if byteCount < 0 { return memory.give(-byteCount) }
    if total > memory.statementByteCountMax {
      held.subtract(byteCount, ordering: .relaxed)
      throw QueryFailure(
        "max-select-memory limit exceeded: the statement needs more than \(memory.statementByteCountMax) bytes; "
          + "ask for less time, fewer series or with LIMIT, or raise --memory", isLimit: true)
    }
    guard memory.take(byteCount) else {
      held.subtract(byteCount, ordering: .relaxed)
      isCrowdedOut.store(true, ordering: .relaxed)
      throw QueryFailure(
        "the statements under way hold \(memory.byteCount) bytes, at most \(memory.byteCountMax) may be held; try again later, "
          + "or raise --memory")
    }
  }
}

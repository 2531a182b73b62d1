import Storage
import Synchronization

/// The queries under way, by number, for `SHOW QUERIES` and `KILL QUERY`.
final class QueryRegistry: Sendable {
  /// One query: the statements that one client sent together.
  struct Entry: Sendable {
    var id: Int64
    var text: String
    var database: String
    var startedAt: ContinuousClock.Instant
    var isKilled: Bool
  }

  private struct State {
    var next: Int64 = 1
    var running: [Int64: RunningQuery] = [:]
  }
  private let state = Lock(State())

  /// Takes a query in; it is to be ended.
  func begin(_ statements: [Statement], database: String) -> RunningQuery {
    state.withLock { state in
      let query = RunningQuery(id: state.next, statements: statements, database: database)
      state.next += 1
      state.running[query.id] = query
      return query
    }
  }

  func end(_ query: RunningQuery) { state.withLock { _ = $0.running.removeValue(forKey: query.id) } }

  /// By number.
  var entries: [Entry] {
    state.withLock { state in state.running.values.map(\.entry).sorted { $0.id < $1.id } }
  }

  /// Has a query stop; `false` if none of that number is under way.
  func kill(_ id: Int64) -> Bool {
    guard let query = state.withLock({ $0.running[id] }) else { return false }
    query.kill()
    return true
  }
}

/// A query under way: what is told of it, and whether it is to stop.
final class RunningQuery: Sendable {
  let id: Int64
  private let statements: [Statement]
  private let database: String
  private let startedAt = ContinuousClock.now
  private let killed = Atomic<Bool>(false)

  init(id: Int64, statements: [Statement], database: String) {
    self.id = id
    self.statements = statements
    self.database = database
  }

  var isKilled: Bool { killed.load(ordering: .relaxed) }

  func kill() { killed.store(true, ordering: .relaxed) }

  var entry: QueryRegistry.Entry {
    // Written when it is asked for: most queries end unseen.
    QueryRegistry.Entry(
      id: id, text: statements.map(\.description).joined(separator: "; "), database: database, startedAt: startedAt,
      isKilled: isKilled)
  }
}

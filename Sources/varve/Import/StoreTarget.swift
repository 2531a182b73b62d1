import LineProtocol
import Query
import Storage

/// Takes lines straight into a store.
final class StoreTarget: ImportTarget {
  private let store: Store
  private let receiver: Receiver
  private let parser: LineParser
  private let batch = LineBatch()
  private var target: WriteTarget?
  private var database = ""

  init(_ store: Store, precision: Precision = .nanoseconds) {
    self.store = store
    receiver = store.makeReceiver()
    parser = LineParser(vocabulary: receiver.vocabulary, options: LineParser.Options(precision: precision))
  }

  func use(database: String, policy: String?) throws {
    self.database = database
    if store.policies(of: database) == nil { try store.createDatabase(database) }
    target = try store.target(database: database, policy: policy)
  }

  func execute(_ statement: String) throws { _ = try ask(statement) }

  func ask(_ statement: String) throws -> [ResultSeries] {
    let request = QueryRequest(text: statement, database: database, now: wallNanoseconds())
    var series: [ResultSeries] = []
    try QueryEngine(store: store, isBounded: false).run(request) { result in
      if let error = result.error { throw CommandFailure("\(statement): \(error)") }
      series += result.series
    }
    return series
  }

  func write(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome {
    guard let target else { throw CommandFailure("lines before a database was named") }
    batch.reset()
    unsafe parser.parse(lines, now: wallNanoseconds(), firstLine: UInt64(firstLine), into: batch)
    // Past a bound a batch only counts its rejects.
    if batch.rejectCount > batch.rejects.count,
      let outcome = try unsafe writeHalves(lines, firstLine: firstLine)
    {
      return outcome
    }
    var outcome = ImportOutcome()
    outcome.refused = batch.rejects.map { RefusedLine(line: $0.line, column: $0.column, reason: $0.message) }
    if batch.count > 0 {
      let result = try receiver.commit(batch, to: target)
      outcome.acceptedCount = result.acceptedCount
      outcome.refused += result.rejects.map {
        RefusedLine(line: $0.line, column: $0.column, reason: $0.message)
      }
      try store.wait(for: result.ticket)
    }
    return outcome
  }
}

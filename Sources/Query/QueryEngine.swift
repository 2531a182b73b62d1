public import Storage

/// Runs InfluxQL against a store. Safe from several threads.
public final class QueryEngine: Sendable {
  let catalog: any Catalog
  private let sink: (any PointSink)?
  private let limits: QueryLimits
  /// What statements may hold, and do.
  package let memory: QueryMemory
  private let registry = QueryRegistry()
  private let texts = ParsedTexts()
  /// Bytes of rows that a streamed answer may hold at least; else an eighth of what all statements may.
  private static let streamedByteCountMin = 256 << 10

  /// What was asked with `isShort` cannot be answered so: it is no single `SELECT` that only reads, it was cancelled or failed, or what it
  /// reads from tables is not in memory. Nothing was handed on; asked anew without `isShort` it is answered.
  public struct NotShort: Error {}

  /// An engine over all databases of a store.
  ///
  /// - Parameters:
  ///   - isBounded: statements hold no more than the store's budget gives them; else what the process can get.
  ///   - sink: where `SELECT … INTO` writes; without one such statements are refused.
  public init(store: Store, isBounded: Bool = true, sink: (any PointSink)? = nil) {
    catalog = store
    self.sink = sink
    limits = QueryLimits()
    memory = QueryMemory(byteCountMax: isBounded ? store.memoryBudget.share(of: .queries) : .max)
  }

  /// An engine over any catalog, for tests.
  package init(
    catalog: any Catalog, limits: QueryLimits = QueryLimits(), memory: QueryMemory = QueryMemory(),
    sink: (any PointSink)? = nil
  ) {
    self.catalog = catalog
    self.limits = limits
    self.memory = memory
    self.sink = sink
  }

  /// Parses all, then runs statement after statement, handing each answer on as it is ready.
  ///
  /// Meanwhile `SHOW QUERIES` shows them as one query. Killed or cancelled, the statement under way fails within milliseconds, and
  /// so do those after it.
  ///
  /// - Throws: `QueryParseError` before anything is run; `NotShort`; what `emit` throws, which ends the run. A statement that fails is an
  ///   answer with its `error` set.
  public func run(_ request: QueryRequest, emit: (StatementResult) throws -> Void) throws {
    let statements = try texts.statements(of: request.text, parameters: request.parameters)
      .map { $0.asked(for: request.timeRange, zone: request.timeZone) }
    let query = registry.begin(statements, database: request.database)
    defer { registry.end(query) }
    var request = request
    let isAbandoned = request.isCancelled
    request.isCancelled = { query.isKilled || isAbandoned() }
    if request.isShort {
      let (result, account) = try answerShortly(statements, request, query)
      return try withExtendedLifetime(account) { try emit(result) }
    }
    for (index, statement) in statements.enumerated() {
      let (result, account) = try answer(statement, index, request, emit)
      // What was counted is held as long as the answer is.
      try withExtendedLifetime(account) { try emit(result) }
    }
  }

  /// Answers a statement by this thread alone, from what is in memory.
  private func answerShortly(
    _ statements: [Statement], _ request: QueryRequest, _ query: RunningQuery
  ) throws -> (StatementResult, QueryAccount) {
    guard statements.count == 1, case .select(let select) = statements[0], select.target == nil else { throw NotShort() }
    let (result, account) = try HeldBlocks.only { () throws in try answer(statements[0], 0, request, to: nil) }
    // Killed, it is not begun anew.
    if result.error != nil, !query.isKilled { throw NotShort() }
    return (result, account)
  }

  /// Runs one statement. Where it meets damage it is run anew without what lies there, so that no value is in the answer that a
  /// damaged piece might have overwritten; but one that writes fails.
  ///
  /// Once a piece was handed on it is not run anew: damage is then its error, and the next time it is asked it is answered without.
  private func answer(
    _ statement: Statement, _ index: Int, _ request: QueryRequest, _ emit: (StatementResult) throws -> Void
  ) throws -> (StatementResult, QueryAccount) {
    guard request.isStreamed else { return try answer(statement, index, request, to: nil) }
    return try withoutActuallyEscaping(emit) { emit in
      let emitter = PieceEmitter(
        statementID: index, timeZone: statement.timeZone, limits: limits, isCancelled: request.isCancelled, emit: emit)
      var (result, account) = try answer(statement, index, request, to: emitter)
      if !emitter.isUsed { try emitter.takeAll(&result) }
      emitter.finish(&result)
      return (result, account)
    }
  }

  private func answer(
    _ statement: Statement, _ index: Int, _ request: QueryRequest, to emitter: PieceEmitter?
  ) throws -> (StatementResult, QueryAccount) {
    var request = request
    while true {
      var result = StatementResult(statementID: index)
      result.timeZone = statement.timeZone
      request.leftOut = LeftOut()
      var limits = limits
      limits.account = QueryAccount(memory)
      // No other threads are begun and waited for.
      if request.isShort { limits.sharedValueCountMin = .max }
      limits.streamedByteCountMax = min(
        limits.streamedByteCountMax, max(Self.streamedByteCountMin, memory.byteCountMax / 8))
      do {
        if request.isCancelled() { throw QueryFailure.interrupted }
        try StatementExecutor(
          catalog: catalog, sink: sink, registry: registry, request: request, limits: limits, emitter: emitter
        ).run(statement, into: &result)
        if request.isReading, statement.changesSomething {
          result.messages.append(
            ResultMessage(
              level: "warning",
              text: "deprecated use of '\(statement)' in a read only context, please use a POST request instead"))
        }
        if !request.leftOut.isEmpty {
          result.takeLoss(request.leftOut, isStrict: request.isStrict || statement.writesPoints)
        }
      } catch let failure as QueryFailure {
        result.error = failure.message
        result.errorPlace = failure.part.flatMap {
          Parser.place(
            of: $0, levels: failure.levels, statement: index, in: request.text, parameters: request.parameters)?.description
        }
        result.isCrowdedOut = limits.account.wasCrowdedOut
      } catch let error as StorageError {
        // What is damaged is looked at by who may read: here all that is not in memory would pass for damaged.
        if request.isShort { throw NotShort() }
        let isBegun = emitter?.hasEmitted ?? false
        if catalog.contain(error), !statement.writesPoints, !isBegun {
          emitter?.reset()
          continue
        }
        // What a cancel broke off is the cancel's.
        let isBroken = error.code == .cancelled && request.isCancelled()
        result.error = isBroken ? QueryFailure.interrupted.message : error.description
        if isBegun, !isBroken { result.error? += "; a part of the answer was sent before: ask again for what is whole" }
      }
      return (result, limits.account)
    }
  }

  /// Whether a text only asks for the queries under way or ends some: what may not wait behind them.
  public static func isAboutQueries(_ text: String) -> Bool {
    // Far longer than any such text is worth parsing twice, and so is one that begins otherwise or is without their words.
    guard text.utf8.count <= 1_024, !beginsWithSelect(text), hasWord(of: queryWords, in: text), let statements = try? Parser.parse(text), !statements.isEmpty
    else { return false }
    return statements.allSatisfy { statement in
      switch statement {
      case .killQuery: true
      case .show(let show): show.kind == .queries
      default: false
      }
    }
  }

  private static func beginsWithSelect(_ text: String) -> Bool {
    text.utf8.lazy.map { $0 | 0x20 }.starts(with: selectWord)
  }

  private static let selectWord = Array("select ".utf8)
  private static let queryWords = ["queries", "kill"].map { Array($0.utf8) }

  /// Whether one of some words of small letters stands in a text, its letters large or small.
  private static func hasWord(of words: [[UInt8]], in text: String) -> Bool {
    // With the bit that tells small letters from large ones.
    let bytes = text.utf8.map { $0 | 0x20 }
    return words.contains { word in
      bytes.indices.contains { bytes[$0] == word[0] && bytes[$0...].starts(with: word) }
    }
  }

  /// The statements of a text as InfluxQL in one canonical form each, for tests and tools.
  package static func canonical(
    _ text: String, parameters: [String: String] = [:]
  ) throws(QueryParseError) -> [String] {
    try Parser.parse(text, parameters: parameters).map(\.description)
  }
}

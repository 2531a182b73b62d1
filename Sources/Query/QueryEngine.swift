public import Storage

/// Runs InfluxQL against a store. Safe from several threads.
public final class QueryEngine: Sendable {
  private let catalog: any Catalog
  private let limits: QueryLimits
  /// What statements may hold, and do.
  package let memory: QueryMemory

  /// An engine over all databases of a store.
  ///
  /// - Parameter isBounded: statements hold no more than the store's budget gives them; else what the process can get.
  public init(store: Store, isBounded: Bool = true) {
    catalog = store
    limits = QueryLimits()
    memory = QueryMemory(byteCountMax: isBounded ? store.memoryBudget.share(of: .queries) : .max)
  }

  /// An engine over any catalog, for tests.
  package init(
    catalog: any Catalog, limits: QueryLimits = QueryLimits(), memory: QueryMemory = QueryMemory()
  ) {
    self.catalog = catalog
    self.limits = limits
    self.memory = memory
  }

  /// Parses all, then runs statement after statement, handing each answer on as it is ready.
  ///
  /// - Throws: `QueryParseError` before anything is run; what `emit` throws, which ends the run. A statement that fails is an
  ///   answer with its `error` set.
  public func run(_ request: QueryRequest, emit: (StatementResult) throws -> Void) throws {
    let statements = try Parser.parse(request.text, parameters: request.parameters)
    for (index, statement) in statements.enumerated() {
      let (result, account) = try answer(statement, index, request)
      // What was counted is held as long as the answer is.
      try withExtendedLifetime(account) { try emit(result) }
    }
  }

  /// Runs one statement. Where it meets damage it is run anew without what lies there, so that no value is in the answer that a
  /// damaged piece might have overwritten.
  private func answer(
    _ statement: Statement, _ index: Int, _ request: QueryRequest
  ) throws -> (StatementResult, QueryAccount) {
    var request = request
    while true {
      var result = StatementResult(statementID: index)
      request.leftOut = LeftOut()
      var limits = limits
      limits.account = QueryAccount(memory)
      do {
        try StatementExecutor(catalog: catalog, request: request, limits: limits).run(
          statement, into: &result)
        if !request.leftOut.isEmpty { result.takeLoss(request.leftOut, isStrict: request.isStrict) }
      } catch let failure as QueryFailure {
        result.error = failure.message
        result.isCrowdedOut = limits.account.wasCrowdedOut
      } catch let error as StorageError {
        if catalog.contain(error) { continue }
        result.error = error.description
      }
      return (result, limits.account)
    }
  }

  /// The statements of a text as InfluxQL in one canonical form each, for tests and tools.
  package static func canonical(
    _ text: String, parameters: [String: String] = [:]
  ) throws(QueryParseError) -> [String] {
    try Parser.parse(text, parameters: parameters).map(\.description)
  }
}

public import Storage

/// Runs InfluxQL against a store. Safe from several threads.
public final class QueryEngine: Sendable {
  private let catalog: any Catalog
  private let limits: QueryLimits

  /// An engine over all databases of a store.
  public init(store: Store) {
    catalog = store
    limits = QueryLimits()
  }

  /// An engine over any catalog, for tests.
  package init(catalog: any Catalog, limits: QueryLimits = QueryLimits()) {
    self.catalog = catalog
    self.limits = limits
  }

  /// Parses all, then runs statement after statement, handing each answer on as it is ready.
  ///
  /// - Throws: `QueryParseError` before anything is run; what `emit` throws, which ends the run. A statement that fails is an
  ///   answer with its `error` set.
  public func run(_ request: QueryRequest, emit: (StatementResult) throws -> Void) throws {
    let statements = try Parser.parse(request.text, parameters: request.parameters)
    for (index, statement) in statements.enumerated() {
      try emit(try answer(statement, index, request))
    }
  }

  /// Runs one statement. Where it meets damage it is run anew without what lies there, so that no value is in the answer that a
  /// damaged piece might have overwritten.
  private func answer(_ statement: Statement, _ index: Int, _ request: QueryRequest) throws -> StatementResult {
    var request = request
    while true {
      var result = StatementResult(statementID: index)
      request.leftOut = LeftOut()
      do {
        try StatementExecutor(catalog: catalog, request: request, limits: limits).run(
          statement, into: &result)
        if !request.leftOut.isEmpty { result.takeLoss(request.leftOut, isStrict: request.isStrict) }
        return result
      } catch let failure as QueryFailure {
        result.error = failure.message
        return result
      } catch let error as StorageError {
        if catalog.contain(error) { continue }
        result.error = error.description
        return result
      }
    }
  }

  /// The statements of a text as InfluxQL in one canonical form each, for tests and tools.
  package static func canonical(
    _ text: String, parameters: [String: String] = [:]
  ) throws(QueryParseError) -> [String] {
    try Parser.parse(text, parameters: parameters).map(\.description)
  }
}

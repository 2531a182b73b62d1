public import Storage

/// What to run, and for whom.
public struct QueryRequest: Sendable {
  /// One or several statements of InfluxQL.
  public var text: String
  public var database: String
  /// Empty: the database's default policy.
  public var policy = ""
  /// Bind parameters: `$name` in the text. JSON values as text of InfluxQL literals.
  public var parameters: [String: String] = [:]
  /// Nanoseconds; what `now()` is.
  public var now: Int64
  /// Set from outside to stop: asked at least every few milliseconds.
  public var isCancelled: @Sendable () -> Bool = { false }

  public init(text: String, database: String, now: Int64) {
    self.text = text
    self.database = database
    self.now = now
  }
}

/// Why nothing of a text was run: it does not parse.
public struct QueryParseError: Error, Sendable, Equatable {
  /// InfluxDB's text: "error parsing query: found SELEC, expected … at line 1, char 1".
  public var message: String
  /// Byte in the text.
  public var offset: Int

  public init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

extension QueryEngine {
  /// The statements of a text as InfluxQL in one canonical form each, for tests and tools.
  package static func canonical(_ text: String, parameters: [String: String] = [:]) throws(QueryParseError)
    -> [String]
  {
    try Parser.parse(text, parameters: parameters).map(\.description)
  }
}

/// Runs InfluxQL against a store. Safe from several threads.
public final class QueryEngine: Sendable {
  private let store: Store

  public init(store: Store) { self.store = store }

  /// Parses all, then runs statement after statement, handing each answer on as it is ready.
  public func run(_ request: QueryRequest, emit: (StatementResult) throws -> Void) throws {
    _ = try Parser.parse(request.text, parameters: request.parameters)
    throw QueryParseError(message: "not yet", offset: 0)
  }
}

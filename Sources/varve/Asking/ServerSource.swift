import Client
import Query

/// A running server.
struct ServerSource: QuerySource {
  let client: HTTPClient
  var name: String { client.baseURL }

  init(_ url: String) throws {
    client = try HTTPClient(url)
    client.isCancelled = { Interrupt.wasPressed }
  }

  func run(_ text: String, _ options: QueryOptions, emit: (StatementResult) throws -> Void) throws {
    var parameters = [
      (name: "db", value: options.database), ("q", text), ("epoch", "ns"), ("types", "true"),
    ]
    if let policy = options.policy { parameters.append(("rp", policy)) }
    if options.isPartial { parameters.append(("partial", "true")) }
    if options.isStrict { parameters.append(("strict", "true")) }
    if let time = options.time { parameters.append(("time", time)) }
    if !options.timeZone.isEmpty { parameters.append(("tz", options.timeZone)) }
    if !options.parameters.isEmpty { parameters.append(("params", BindParameter.json(options.parameters))) }
    guard options.isInPieces else {
      return try results(of: try client.postForm("/query", parameters), text).forEach(emit)
    }
    try runInPieces(text, parameters + [("chunked", "true")], emit: emit)
  }

  /// Reads an answer document after document.
  private func runInPieces(
    _ text: String, _ parameters: [(name: String, value: String)], emit: (StatementResult) throws -> Void
  ) throws {
    var pieces = ChunkedResults()
    let response = try withoutActuallyEscaping(emit) { emit in
      try client.postForm("/query", parameters, receiving: { try pieces.take($0, emit: emit) })
    }
    if response.isSuccess { return try pieces.finish(emit: emit) }
    try results(of: response, text).forEach(emit)
  }

  /// The results of a whole answer.
  private func results(of response: HTTPResponse, _ text: String) throws -> [StatementResult] {
    let document = try client.resultDocument(response)
    if let message = document.error {
      if response.status == 400, message.hasPrefix("error parsing query") {
        throw QueryParseError(message: message, offset: offset(named: message, in: text) ?? text.utf8.count)
      }
      throw CommandFailure("\(client.baseURL) answered \(response.status): \(message)")
    }
    return document.results
  }
}

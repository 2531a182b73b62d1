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
    let response = try client.postForm("/query", parameters)
    let document: ResultDocument
    do {
      document = try ResultDocument(response.body)
    } catch {
      throw CommandFailure("\(client.baseURL) answered \(response.status) with what is no result: \(error)")
    }
    if let message = document.error {
      if response.status == 400, message.hasPrefix("error parsing query") {
        throw QueryParseError(message: message, offset: offset(named: message, in: text))
      }
      throw CommandFailure("\(client.baseURL) answered \(response.status): \(message)")
    }
    for result in document.results { try emit(result) }
  }

  /// The byte that "at line 1, char 8" at a message's end names.
  private func offset(named message: String, in text: String) -> Int {
    let words = message.split { !($0.isLetter || $0.isNumber) }
    guard words.count >= 4, words[words.count - 4] == "line", words[words.count - 2] == "char",
      let line = Int(words[words.count - 3]), let column = Int(words[words.count - 1])
    else { return text.utf8.count }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard line >= 1, line <= lines.count else { return text.utf8.count }
    let before = lines[..<(line - 1)].reduce(0) { $0 + $1.utf8.count + 1 }
    return before + lines[line - 1].unicodeScalars.prefix(column - 1).reduce(0) { $0 + $1.utf8.count }
  }
}

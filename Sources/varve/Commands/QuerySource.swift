import Client
import Query
import Storage

/// Where statements are answered.
protocol QuerySource {
  /// What error messages call it: the server's URL, the directory, the files.
  var name: String { get }
  /// Runs a text, handing on each statement's answer. Ctrl-C, where it is awaited (`Interrupt.during`), breaks off the statement under way.
  ///
  /// - Throws: `QueryParseError` where it does not parse: nothing is run then.
  func run(_ text: String, _ options: QueryOptions, emit: (StatementResult) throws -> Void) throws
}

/// What `--server`, `--data` or `--from` name.
func openSource(_ arguments: Arguments) throws -> any QuerySource {
  if ["data", "from", "server"].count(where: arguments.isWritten) > 1 {
    throw UsageError("--server, --data and --from exclude each other")
  }
  if try arguments.isGiven("from") || arguments.usesDirectory() { return try LocalSource(arguments) }
  return try ServerSource(arguments.text("server"))
}

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

/// `--param NAME=VALUE`.
package struct BindParameter: Equatable {
  package var name: String
  package var value: String

  package static func all(_ arguments: Arguments) throws -> [BindParameter] {
    try arguments.strings("param").map { text in
      let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, !pair[0].isEmpty else {
        throw UsageError("--param takes NAME=VALUE, not \"\(text)\"")
      }
      return BindParameter(name: String(pair[0]), value: String(pair[1]))
    }
  }

  /// Whether the value is JSON as it stands: a number, a boolean, or an object that says what it is, such as `{"duration":"1h"}`; all
  /// else is a string.
  private var isBare: Bool {
    if value == "true" || value == "false" || value.hasPrefix("{") && value.hasSuffix("}") { return true }
    let isNumeric = value.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
    return isNumeric && Double(value) != nil && value.first != "+" && value.first != "." && value.last != "."
  }

  /// A JSON object of all parameters.
  package static func json(_ parameters: [BindParameter]) -> String {
    var out: [UInt8] = Array("{".utf8)
    for (index, parameter) in parameters.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.appendJSONString(parameter.name)
      out.append(UInt8(ascii: ":"))
      if parameter.isBare {
        out += Array(parameter.value.utf8)
      } else {
        out.appendJSONString(parameter.value)
      }
    }
    return String(decoding: out, as: UTF8.self) + "}"
  }
}

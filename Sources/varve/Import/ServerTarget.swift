import Client
import Glibc
import LineProtocol
import Query

/// Takes lines to a running server by `POST /write`, over one connection.
final class ServerTarget: ImportTarget {
  private let client: HTTPClient
  private let precision: String
  private var database = ""
  private var policy: String?
  /// Times that a request is sent again while the server says it is overloaded.
  private static let retryCountMax = 120

  init(_ client: HTTPClient, precision: String) {
    self.client = client
    self.precision = precision
  }

  func use(database: String, policy: String?) throws {
    if database != self.database { try execute("CREATE DATABASE \(InfluxQLNames.written(database))") }
    (self.database, self.policy) = (database, policy)
  }

  func execute(_ statement: String) throws { _ = try ask(statement) }

  func ask(_ statement: String) throws -> [ResultSeries] {
    try client.answer(statement, [("db", database), ("types", "true")])
  }

  func write(_ lines: UnsafeRawBufferPointer, firstLine: Int) throws -> ImportOutcome {
    var parameters = [(name: "db", value: database), ("precision", precision)]
    if let policy { parameters.append(("rp", policy)) }
    let response = try unsafe send(lines, parameters)
    if response.status == 204 { return ImportOutcome(acceptedCount: unsafe pointCount(lines)) }
    guard response.status == 400, let answer = WriteAnswer(response.body) else {
      throw CommandFailure(
        "\(client.baseURL)/write answered \(response.status): \(response.text.prefix(300))")
    }
    if answer.rejectedCount > answer.refused.count,
      // The answer names the first hundred. A point that is sent again replaces itself.
      let outcome = try unsafe writeHalves(lines, firstLine: firstLine)
    {
      return outcome
    }
    return ImportOutcome(
      acceptedCount: answer.acceptedCount,
      refused: answer.refused.map {
        RefusedLine(line: $0.line + firstLine - 1, column: $0.column, reason: $0.reason)
      })
  }

  /// Sends until the server is not overloaded.
  private func send(
    _ lines: UnsafeRawBufferPointer, _ parameters: [(name: String, value: String)]
  ) throws -> HTTPResponse {
    for _ in 0..<Self.retryCountMax {
      let response = try unsafe client.post("/write", parameters, body: lines)
      guard response.status == 503 else { return response }
      sleep(response.header("retry-after").flatMap { UInt32($0) } ?? 1)
    }
    throw CommandFailure("\(client.baseURL) stayed overloaded")
  }

  /// Points that a server which took all of some lines has taken: lines without blank ones and comments.
  private func pointCount(_ lines: UnsafeRawBufferPointer) -> Int {
    var (count, isAtStart) = (0, true)
    for index in lines.indices {
      let byte = unsafe lines[index]
      if byte == 0x0a {
        isAtStart = true
      } else if isAtStart, byte != UInt8(ascii: " "), byte != UInt8(ascii: "\r") {
        if byte != UInt8(ascii: "#") { count += 1 }
        isAtStart = false
      }
    }
    return count
  }
}

/// What a server says of lines that it refused.
package struct WriteAnswer: Equatable {
  package struct Line: Equatable {
    package var line = 0
    package var column = 0
    package var reason = ""
  }
  package private(set) var refused: [Line] = []
  package private(set) var acceptedCount = 0
  package private(set) var rejectedCount = 0

  /// Reads the document of a 400 answer; `nil` if it does not name lines.
  package init?(_ body: [UInt8]) {
    var reader = JSONReader(body)
    var (lines, accepted, rejected) = ([Line](), 0, 0)
    do {
      try reader.readObject { key, reader throws(JSONSyntaxError) in
        switch key {
        case "accepted": accepted = Int(try reader.readNumber().integer ?? 0)
        case "rejected": rejected = Int(try reader.readNumber().integer ?? 0)
        case "lines":
          try reader.readArray { reader throws(JSONSyntaxError) in lines.append(try Self.readLine(&reader)) }
        default: try reader.skipValue()
        }
      }
    } catch {
      return nil
    }
    if lines.isEmpty { return nil }
    (refused, acceptedCount, rejectedCount) = (lines, accepted, max(rejected, lines.count))
  }

  private static func readLine(_ reader: inout JSONReader) throws(JSONSyntaxError) -> Line {
    var line = Line()
    try reader.readObject { key, reader throws(JSONSyntaxError) in
      switch key {
      case "line": line.line = Int(try reader.readNumber().integer ?? 0)
      case "column": line.column = Int(try reader.readNumber().integer ?? 0)
      case "reason": line.reason = try reader.readString()
      default: try reader.skipValue()
      }
    }
    return line
  }
}

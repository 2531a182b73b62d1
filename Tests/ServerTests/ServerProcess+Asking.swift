import Foundation
import TestSupport

/// One series of an answer.
struct AnsweredSeries: Decodable {
  /// A value of any type.
  enum Value: Decodable, Equatable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case float(Double)
    case string(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        self = .null
      } else if let value = try? container.decode(Bool.self) {
        self = .boolean(value)
      } else if let value = try? container.decode(Int64.self) {
        self = .integer(value)
      } else if let value = try? container.decode(UInt64.self) {
        self = .unsigned(value)
      } else if let value = try? container.decode(Double.self) {
        self = .float(value)
      } else {
        self = .string(try container.decode(String.self))
      }
    }

    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  }

  var name: String?
  var tags: [String: String]?
  var columns: [String]
  var values: [[Value]]
}

private struct Document: Decodable {
  struct Result: Decodable {
    var series: [AnsweredSeries]?
    var error: String?
  }
  var results: [Result]
}

struct AskingFailure: Error, CustomStringConvertible { var description: String }

extension ServerProcess {
  /// The series of one statement, times as nanoseconds.
  func ask(_ statement: String, database: String = "metrics") throws -> [AnsweredSeries] {
    let target = "/query?db=\(percentEncoded(database))&epoch=ns&q=\(percentEncoded(statement))"
    let answer = try RawHTTP.ask(http, "GET", target)
    guard answer.status == 200 else {
      throw AskingFailure(description: "\(statement): \(answer.status) \(answer.text)")
    }
    let document = try JSONDecoder().decode(Document.self, from: Data(answer.body))
    if let error = document.results.first?.error {
      throw AskingFailure(description: "\(statement): \(error)")
    }
    return document.results.first?.series ?? []
  }

  /// The count of a field over all series; 0 where there is none.
  func count(_ field: String, of measurement: String, database: String = "metrics") throws -> Int64 {
    try ask("SELECT count(\"\(field)\") FROM \"\(measurement)\"", database: database).first?.values.first?.last?.integer ?? 0
  }

  func metrics() throws -> MetricsPage { try MetricsPage(RawHTTP.ask(http, "GET", "/metrics").text) }

  /// Waits, at most 20 s, until the metrics satisfy `condition`; returns the last page read.
  func metrics(until condition: (MetricsPage) -> Bool) throws -> MetricsPage {
    let deadline = Date().addingTimeInterval(20)
    while true {
      let page = try metrics()
      if condition(page) || Date() > deadline { return page }
      usleep(10_000)
    }
  }
}

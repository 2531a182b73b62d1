import Client
import Glibc

/// `varve bench query`: asks a running server the benchmark's questions over one connection that is kept open, and says how long the
/// answers took.
///
/// The first answer of each question is not timed; its rows are counted, and those after it must be the same bytes.
struct QueryBench {
  private let server: String
  private let database: String
  private let language: Question.Language
  private let runCount: Int
  private let questions: [Question]
  private let directory: String?
  private let format: String?

  init(_ arguments: Arguments) throws {
    server = arguments.text("server")
    database = arguments.text("database")
    language = Question.Language(rawValue: arguments.text("language")) ?? .influxql
    runCount = max(arguments.integer("runs") ?? 1, 1)
    directory = arguments.string("answers")
    format = arguments.string("format")
    let asked = arguments.string("question")
    questions = Question.all.filter { asked == nil || $0.name == asked }
    guard !questions.isEmpty else {
      throw UsageError(
        "unknown question \"\(asked ?? "")\"; there are: \(Question.all.map(\.name).joined(separator: ", "))")
    }
  }

  func run() throws -> Int32 {
    let client = try HTTPClient(server)
    var report = Report(
      "query", columns: ["question", "runs", "min_ms", "p50_ms", "p99_ms", "max_ms", "rows", "bytes", "checksum", "check"])
    var areSame = true
    for question in questions {
      let first = AnswerTally(isKept: true)
      _ = try ask(question, client, first)
      if let directory { try writeFile(first.bytes, to: "\(directory)/\(question.name)") }
      let rowCount = try first.rowCount(question, language)
      var times: [Double] = []
      var isSame = true
      for _ in 0..<runCount {
        let tally = AnswerTally()
        times.append(try ask(question, client, tally))
        isSame = isSame && tally.byteCount == first.byteCount && (!isOrdered || tally.checksum == first.checksum)
      }
      let latencies = Latencies(times)
      report.append([
        .text(question.name), .integer(runCount), .number(latencies.milliseconds(0)),
        .number(latencies.milliseconds(0.5)), .number(latencies.milliseconds(0.99)),
        .number(latencies.milliseconds(1)), .integer(rowCount),
        .integer(first.byteCount), .text(first.checksumText), .text(isSame ? "same" : "differs"),
      ])
      areSame = areSame && isSame
    }
    try report.print(format)
    return areSame ? 0 : 1
  }

  /// VictoriaMetrics gives series in any order.
  private var isOrdered: Bool { language == .influxql }

  /// Asks once; the seconds until the last byte.
  private func ask(_ question: Question, _ client: HTTPClient, _ tally: AnswerTally) throws -> Double {
    var (path, parameters, headers) = ("/query", [("db", database), ("q", question.influxQL)], [(String, String)]())
    if question.isExport {
      headers = [("Accept", "application/csv")]
      parameters.append(("epoch", "ns"))
    }
    if language == .metricsql { (path, parameters) = (question.metricsQL.path, question.metricsQL.parameters) }
    let start = monotonicSeconds()
    let response = try client.postForm(path, parameters, headers: headers) { tally.take($0) }
    let seconds = monotonicSeconds() - start
    guard response.isSuccess else { throw CommandFailure("\(question.name): \(response.status) \(response.text)") }
    return seconds
  }
}

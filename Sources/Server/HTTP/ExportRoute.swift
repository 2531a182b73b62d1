import LineProtocol
import Query
import Storage

/// `GET` and `POST /export?db=…&rp=…&measurement=…&where=…&start=…&end=…&tz=…&format=line|csv|jsonl|influx|sst`: points in text, or as a tar of
/// tables, sent while it is made, in bounded memory however many there are.
///
/// An export that cannot go on is cut, so that no client takes it for whole.
struct ExportRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "GET" || request.method == "POST" else {
      return .now(.notAllowed("GET, POST"))
    }
    let request = request.withForm
    let export: ExportRequest
    do {
      export = try self.export(of: request)
    } catch {
      return .now(.error(400, "\(error)"))
    }
    return .later { exchange in
      let limit = context.queryTimeoutNanoseconds
      context.submit(from: .ready) { opened in
        switch opened {
        case .success(let opened):
          let watch = ClientWatch(exchange: exchange, deadline: monotonicNanoseconds() + limit, limit: limit)
          run(export, request, in: opened.engine, to: exchange, watch)
        case .failure(let error): exchange.answer(.unavailable(error))
        }
      }
    }
  }

  private func export(of request: HTTPRequest) throws -> ExportRequest {
    let name = request.parameter("format") ?? "line"
    guard let format = ExportFormat(rawValue: name) else {
      throw QueryFailure(
        "no format \(name): \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    guard let database = request.parameter("db"), !database.isEmpty else {
      throw QueryFailure("database name required")
    }
    var export = ExportRequest(database: database, format: format, now: wallNanoseconds())
    export.policy = request.parameter("rp").flatMap { $0.isEmpty ? nil : $0 }
    export.measurements = request.parameters.filter { $0.name == "measurement" }.map(\.value)
    export.condition = request.parameter("where").flatMap { $0.isEmpty ? nil : $0 }
    export.timeZone = request.parameter("tz") ?? ""
    export.times = try TimeRange(
      from: request.parameter("start"), to: request.parameter("end"), now: export.now, zone: export.timeZone)
    return export
  }

  private func run(
    _ export: ExportRequest, _ request: HTTPRequest, in engine: QueryEngine, to exchange: HTTPExchange,
    _ watch: ClientWatch
  ) {
    var export = export
    let workers = context.workers
    export.isCancelled = { watch.isOver || workers.isStopping }
    let isOver = export.isCancelled
    let sender = BodySender(to: exchange, request, workers: workers)
    let headers = [(name: "Content-Type", value: Self.contentType(of: export.format))]
    do {
      let summary = try engine.export(export) { piece in
        if !sender.isBegun { sender.begin(headers) }
        let bytes = unsafe piece.withUnsafeBytes { unsafe Array($0) }
        guard try sender.send(bytes, isOver: isOver) else { throw QueryFailure.interrupted }
        watch.renew()
      }
      if !sender.isBegun { sender.begin(headers) }
      sender.finish(Self.ending(summary, export.format))
    } catch {
      if sender.cut() { return }
      switch error {
      case let error as QueryParseError: exchange.answer(.error(400, error.message))
      case let error as QueryFailure:
        exchange.answer(.error(error.message.contains("not found") ? 404 : 400, error.message))
      default: exchange.answer(.error(500, "\(error)"))
      }
    }
  }

  /// What is said of points that are not in it: the head is long sent, so a comment, which no reader of lines takes for a point.
  private static func ending(_ summary: ExportSummary, _ format: ExportFormat) -> [UInt8] {
    guard summary.unwritableCount > 0, format == .line || format == .influx else { return [] }
    return Array("# \(summary.unwritableCount) points have names that line protocol cannot write\n".utf8)
  }

  private static func contentType(of format: ExportFormat) -> String {
    switch format {
    case .line, .influx: "text/plain; charset=utf-8"
    case .csv: "text/csv; charset=utf-8"
    case .jsonl: "application/x-ndjson"
    case .sst: "application/x-tar"
    }
  }
}

import LineProtocol
import Query
import Storage

/// `GET` and `POST /export?db=…&rp=…&measurement=…&where=…&start=…&end=…&tz=…&format=line|csv|jsonl|influx`: points in text, sent while it is
/// made, in bounded memory however many there are.
///
/// An export that cannot go on is cut, so that no client takes it for whole.
struct ExportRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "GET" || request.method == "POST" else {
      return .now(.error(405, "Method Not Allowed", headers: [("Allow", "GET, POST")]))
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
    let times = try ["start", "end"].map { name in
      try request.parameter(name).map { try TimeRange.instant($0, now: export.now, zone: export.timeZone) }
    }
    export.times = TimeRange(start: times[0], end: times[1])
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
    let sender = ExportSender(exchange, export.format, packs: takesGzip(request))
    do {
      let summary = try engine.export(export) { piece in
        try sender.send(piece, workers, isOver: isOver)
        watch.renew()
      }
      sender.finish(summary)
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
}

/// The body of one export, on its way.
private final class ExportSender {
  private let exchange: HTTPExchange
  private let format: ExportFormat
  private let packer: GzipStream?
  private var stream: ResponseStream?

  init(_ exchange: HTTPExchange, _ format: ExportFormat, packs: Bool) {
    (self.exchange, self.format) = (exchange, format)
    packer = packs ? GzipStream() : nil
  }

  private func begun() -> ResponseStream {
    if let stream { return stream }
    let stream = ResponseStream()
    var response = HTTPResponse(status: 200, headers: [("Content-Type", contentType)])
    if packer != nil { response.headers.append(("Content-Encoding", "gzip")) }
    response.stream = stream
    exchange.answer(response)
    self.stream = stream
    return stream
  }

  func send(_ piece: RawSpan, _ workers: WorkerPool, isOver: @escaping () -> Bool) throws {
    let stream = begun()
    let bytes = unsafe piece.withUnsafeBytes { unsafe Array($0) }
    let packed = packer.map { $0.pack(bytes) } ?? bytes
    let isTaken =
      stream.isFull
      ? try workers.whileBlocked { () throws(ResponseStream.Gone) in try stream.write(packed, isOver: isOver)
      }
      : try stream.write(packed, isOver: isOver)
    if !isTaken { throw QueryFailure.interrupted }
  }

  func finish(_ summary: ExportSummary) {
    var rest: [UInt8] = []
    if summary.unwritableCount > 0, format == .line || format == .influx {
      // The head is long sent: a comment, which no reader of lines takes for a point.
      rest = Array("# \(summary.unwritableCount) points have names that line protocol cannot write\n".utf8)
    }
    let stream = begun()
    stream.finish(packer.map { $0.pack(rest, isLast: true) } ?? rest, isWhole: true)
  }

  /// Ends what was begun so that it is seen to be cut; `false` where nothing was.
  func cut() -> Bool {
    stream?.finish([], isWhole: false)
    return stream != nil
  }

  private var contentType: String {
    switch format {
    case .line, .influx: "text/plain; charset=utf-8"
    case .csv: "text/csv; charset=utf-8"
    case .jsonl: "application/x-ndjson"
    }
  }
}

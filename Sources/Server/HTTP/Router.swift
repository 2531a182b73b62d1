import LineProtocol
import Query
import Storage

/// Every path of the HTTP interface.
struct Router: Sendable {
  /// What clients of InfluxDB 1.x look for in `X-Influxdb-Version`: the version whose interface this is.
  static let influxVersion = "1.8.10"

  let context: ServerContext
  let query: QueryRoute
  let write: WriteRoute

  func reply(to request: HTTPRequest) -> HTTPReply {
    if request.method == "OPTIONS" { return .now(preflight()) }
    switch request.path {
    case "/ping": return .now(ping(request))
    case "/health": return .now(health())
    case "/ready": return .now(ready())
    case "/status": return .now(HTTPResponse(status: 204))
    case "/debug/vars": return .now(.json(200, VariablesPage.json(metricsPage())))
    case "/metrics":
      let page = metricsPage()
      return .now(
        HTTPResponse(
          status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")], body: page))
    case "/query": return query.reply(to: request)
    case "/export": return ExportRoute(context: context).reply(to: request)
    case "/write": return write.reply(to: request, dialect: .v1)
    case "/api/v2/write": return write.reply(to: request, dialect: .v2)
    case "/rejects": return .now(rejects())
    case "/compact", "/compact/pause", "/compact/resume", "/compact/status":
      return CompactRoute(context: context).reply(to: request)
    case "/verify": return VerifyRoute(context: context).reply(to: request)
    case "/backup", "/restore": return BackupRoute(context: context).reply(to: request)
    case "/stats/compaction", "/stats/retention", "/stats/series":
      return StatsRoute(context: context).reply(to: request)
    case let path where PageRoute.isPage(path): return .now(PageRoute().reply(to: request))
    case "/api/v2/query":
      return .now(
        .json(501, "{\"code\":\"not implemented\",\"message\":\"Flux is not offered: ask InfluxQL at /query\"}"))
    case let path where path.hasPrefix("/api/v2/"):
      let words = "\(path) is not offered: databases are made by InfluxQL at /query"
      return .now(.json(404, "{\"code\":\"not found\",\"message\":\(jsonString(words))}"))
    default: return .now(.error(404, "404 page not found: \(request.path)"))
    }
  }

  /// The headers that every answer of InfluxDB has.
  static let commonHeaders: [(name: String, value: String)] = [
    ("X-Influxdb-Version", influxVersion), ("X-Influxdb-Build", "OSS"),
  ]

  private func metricsPage() -> [UInt8] {
    context.metrics.page(
      context.store?.statistics(),
      used: [.queries: context.opened?.engine.memory.byteCount ?? 0, .bodies: context.bodies.byteCount])
  }

  private func preflight() -> HTTPResponse {
    HTTPResponse(
      status: 200,
      headers: [
        ("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "DELETE, GET, OPTIONS, POST, PUT"),
        (
          "Access-Control-Allow-Headers",
          "Accept, Accept-Encoding, Authorization, Content-Length, Content-Type, X-CSRF-Token, X-HTTP-Method-Override"
        ),
      ])
  }

  private func ping(_ request: HTTPRequest) -> HTTPResponse {
    guard request.method == "GET" || request.method == "HEAD" else { return .notAllowed("GET, HEAD") }
    let verbose = request.parameter("verbose") ?? "false"
    guard verbose != "false", verbose != "0" else { return HTTPResponse(status: 204) }
    return .json(200, "{\"version\":\"\(Self.influxVersion)\"}")
  }

  private func health() -> HTTPResponse {
    .json(
      200,
      "{\"checks\":[],\"message\":\"ready for queries and writes\",\"name\":\"influxdb\",\"status\":\"pass\","
        + "\"version\":\"\(Self.influxVersion)\"}")
  }

  private func ready() -> HTTPResponse {
    if context.isReady { return .json(200, "{\"status\":\"ready\"}") }
    let (bytes, total) = context.replayProgress
    return .json(503, "{\"status\":\"replaying\",\"bytes\":\(bytes),\"total\":\(total)}")
  }

  private func rejects() -> HTTPResponse {
    let rows = context.rejectLog.entries.map { entry in
      "{\"listener\":\(jsonString(entry.listener)),\"time\":\(entry.time),\"line\":\(entry.reject.line),"
        + "\"column\":\(entry.reject.column),\"reason\":\(jsonString(entry.reject.message)),"
        + "\"text\":\(jsonString(String(decoding: entry.reject.text, as: UTF8.self)))}"
    }
    return .json(200, "{\"rejects\":[\(rows.joined(separator: ","))]}")
  }
}

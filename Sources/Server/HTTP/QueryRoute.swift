import LineProtocol
import Query
import Storage
import Synchronization

/// `GET` and `POST /query`: parameters in, statements run on a worker, one document out.
struct QueryRoute: Sendable {
  let context: ServerContext

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "GET" || request.method == "POST" || request.method == "HEAD" else {
      return .now(.error(405, "Method Not Allowed", headers: [("Allow", "GET, POST")]))
    }
    let request = withForm(request)
    guard let text = request.parameter("q"), !text.isEmpty else {
      return .now(.error(400, "missing required parameter \"q\""))
    }
    let (format, options) = rendering(of: request)
    let parameters: [String: String]
    do throws(BindParameters.Failure) {
      let text = request.parameter("params") ?? ""
      parameters = text.isEmpty ? [:] : try BindParameters.literals(json: Array(text.utf8))
    } catch {
      return .now(.error(400, "error parsing query parameters: \(error)"))
    }
    let query: QueryRequest
    do throws(TimeRange.Failure) {
      query = try self.query(text, parameters, of: request)
    } catch {
      return .now(.error(400, "error parsing parameter \"time\": \(error)"))
    }
    // These do not wait for a worker: all may be busy with what is to be ended.
    if let opened = context.opened, QueryEngine.isAboutQueries(text) {
      return .now(run(query, in: opened, format: format, options: options, deadline: nil))
    }
    let isPartialWanted = request.parameter("partial") == "true"
    return .later { exchange in
      let deadline = monotonicNanoseconds() + context.queryTimeoutNanoseconds
      // Asked for a partial answer, it does not wait for the log.
      context.submit(from: isPartialWanted ? .replaying : .ready) { opened in
        let store: ServerContext.Opened
        switch opened {
        case .success(let opened): store = opened
        case .failure(let error): return exchange.answer(.unavailable(error))
        }
        var query = query
        let watch = ClientWatch(exchange: exchange, deadline: deadline)
        query.isCancelled = { watch.isOver }
        let response = run(query, in: store, format: format, options: options, deadline: deadline)
        exchange.answer(compressed(response, for: request))
      }
    }
  }

  private func query(
    _ text: String, _ parameters: [String: String], of request: HTTPRequest
  ) throws(TimeRange.Failure) -> QueryRequest {
    var query = QueryRequest(text: text, database: request.parameter("db") ?? "", now: wallNanoseconds())
    query.policy = request.parameter("rp") ?? ""
    query.parameters = parameters
    query.isStrict = request.parameter("strict") == "true"
    query.timeZone = request.parameter("tz") ?? ""
    if let text = request.parameter("time"), !text.isEmpty {
      query.timeRange = try TimeRange(text, now: query.now, zone: query.timeZone)
    }
    return query
  }

  /// The parameters of a form body stand behind those of the query string.
  private func withForm(_ request: HTTPRequest) -> HTTPRequest {
    guard request.method == "POST",
      request.headers["content-type"]?.hasPrefix("application/x-www-form-urlencoded") == true
    else { return request }
    var merged = request
    merged.parameters += parseForm(request.body)
    return merged
  }

  private func rendering(of request: HTTPRequest) -> (ResultFormat, RenderOptions) {
    var options = RenderOptions(precision: epoch(request.parameter("epoch")))
    options.isPretty = request.parameter("pretty") == "true"
    options.includesTypes = request.parameter("types") == "true"
    if request.parameter("chunked") == "true" {
      options.chunkRowCount = request.parameter("chunk_size").flatMap(Int.init) ?? 10_000
    }
    if let named = request.parameter("format").flatMap(ResultFormat.init) { return (named, options) }
    let accepted = request.headers["accept"] ?? ""
    if accepted.hasPrefix("application/csv") || accepted.hasPrefix("text/csv") {
      if options.precision == nil { options.precision = .nanoseconds }
      return (.influxCSV, options)
    }
    return (.json, options)
  }

  /// InfluxDB's names of units, its own `n` and `u` among them.
  private func epoch(_ name: String?) -> Precision? {
    switch name {
    case "n": .nanoseconds
    case "u", "µ": .microseconds
    case let name?: Precision(name) == .auto ? nil : Precision(name)
    case nil: nil
    }
  }

  private func run(
    _ query: QueryRequest, in opened: ServerContext.Opened, format: ResultFormat, options: RenderOptions, deadline: Int64?
  ) -> HTTPResponse {
    let started = monotonicNanoseconds()
    context.metrics.queriesActive.wrappingAdd(1, ordering: .relaxed)
    defer {
      context.metrics.queriesActive.wrappingSubtract(1, ordering: .relaxed)
      context.metrics.querySeconds.observe(seconds: Double(monotonicNanoseconds() - started) * 1e-9)
    }
    if let deadline, !opened.engine.memory.waitForRoom(atMost: .nanoseconds(max(0, deadline - started))) {
      return .unavailable(StorageError(.overloaded, "the statements under way fill their share of the memory"))
    }
    let account = QueryAccount(opened.engine.memory)
    var isCrowdedOut = false
    // Looked at before the first snapshot is taken: what is said to be whole is.
    let isReplaying = !opened.store.isReplayed
    var isPartial = isReplaying
    var renderer = format.makeRenderer(options)
    var body: [UInt8] = []
    var failures: [String] = []
    renderer.begin(into: &body)
    do {
      try opened.engine.run(query) { result in
        var result = result
        result.isPartial = result.isPartial || isReplaying
        isPartial = isPartial || result.isPartial
        do throws(QueryFailure) {
          try account.add(result.renderedByteCountMax)
        } catch {
          (result.series, result.error) = ([], error.message)
          result.isCrowdedOut = account.wasCrowdedOut
        }
        if let error = result.error { failures.append(error) }
        if result.isCrowdedOut { isCrowdedOut = true }
        renderer.append(result, into: &body)
      }
    } catch let error as QueryParseError {
      return .error(400, error.message)
    } catch {
      return .error(500, "\(error)")
    }
    renderer.finish(into: &body)
    var headers = [("Content-Type", contentType(of: format))]
    // Formats without a place for errors carry them beside the body.
    if !renderer.includesErrors, let first = failures.first { headers.append(("X-Influxdb-Error", first)) }
    if !renderer.includesErrors, isPartial { headers.append(("X-Varve-Partial", "true")) }
    // Nothing was answered yet: a client does better to ask again than to show an error.
    if isCrowdedOut, failures.count == 1, let first = failures.first {
      return .unavailable(StorageError(.overloaded, first))
    }
    var response = HTTPResponse(status: 200, headers: headers, body: body)
    response.account = account
    return response
  }

  private func contentType(of format: ResultFormat) -> String {
    switch format {
    case .json: "application/json"
    case .jsonl: "application/x-ndjson"
    case .csv, .influxCSV: "text/csv; charset=utf-8"
    case .markdown: "text/markdown; charset=utf-8"
    case .table, .line, .vertical: "text/plain; charset=utf-8"
    }
  }
}

import LineProtocol
import Query
import Storage
import Synchronization

/// `GET` and `POST /query`: parameters in, statements run on a worker, an answer out, sent while it is made where it is long.
struct QueryRoute: Sendable {
  let context: ServerContext
  private let shorts = ShortStatements()

  init(context: ServerContext) { self.context = context }

  func reply(to request: HTTPRequest) -> HTTPReply {
    guard request.method == "GET" || request.method == "POST" || request.method == "HEAD" else {
      return .now(.notAllowed("GET, POST"))
    }
    let request = request.withForm
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
      return .now(run(query, request, in: opened, format: format, options: options) ?? HTTPResponse(status: 204))
    }
    let likeness = ShortStatements.Likeness(text, query.database, query.policy, request.parameter("params") ?? "")
    if let likeness, let response = answerShortly(query, request, likeness, format: format, options: options) {
      return .now(response)
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
        let begun = threadNanoseconds()
        let watch = ClientWatch(exchange: exchange, deadline: deadline, limit: context.queryTimeoutNanoseconds)
        query.isCancelled = { watch.isOver }
        let response = run(
          query, request, in: store, format: format, options: options, to: (exchange, watch, deadline))
        guard let response else { return }
        let packed = compressed(response, for: request)
        if let likeness { shorts.note(likeness, nanoseconds: threadNanoseconds() - begun) }
        exchange.answer(packed)
      }
    }
  }

  /// Answers on the daemon's thread what it has time for: less than for a body of lines. `nil`: a worker is to do it.
  private func answerShortly(
    _ query: QueryRequest, _ request: HTTPRequest, _ likeness: ShortStatements.Likeness, format: ResultFormat,
    options: RenderOptions
  ) -> HTTPResponse? {
    guard shorts.isShort(likeness), let opened = context.readied else { return nil }
    return context.workers.runHere {
      let limit = ShortStatements.nanosecondsLimit
      let (begun, end) = (monotonicNanoseconds(), threadNanoseconds() + limit)
      var query = query
      query.isShort = true
      // The kernel is asked for the processor's time only once there can have been so much of it: it is asked for every series.
      query.isCancelled = { monotonicNanoseconds() - begun > limit && threadNanoseconds() > end }
      let response = run(query, request, in: opened, format: format, options: options)
      if response == nil { shorts.noteFailure(likeness) }
      return response
    }
  }

  private func query(
    _ text: String, _ parameters: [String: String], of request: HTTPRequest
  ) throws(TimeRange.Failure) -> QueryRequest {
    var query = QueryRequest(text: text, database: request.parameter("db") ?? "", now: wallNanoseconds())
    query.policy = request.parameter("rp") ?? ""
    query.isReading = request.method != "POST"
    query.parameters = parameters
    query.isStrict = request.parameter("strict") == "true"
    query.timeZone = request.parameter("tz") ?? ""
    if let text = request.parameter("time"), !text.isEmpty {
      query.timeRange = try TimeRange(text, now: query.now, zone: query.timeZone)
    }
    return query
  }

  private func rendering(of request: HTTPRequest) -> (ResultFormat, RenderOptions) {
    var options = RenderOptions(precision: epoch(request.parameter("epoch")))
    options.isPretty = request.parameter("pretty") == "true"
    options.includesTypes = request.parameter("types") == "true"
    if request.parameter("chunked") == "true" {
      let asked = request.parameter("chunk_size").flatMap(Int.init) ?? 0
      options.chunkRowCount = asked > 0 ? asked : 10_000
    }
    if let named = request.parameter("format").flatMap(ResultFormat.init) { return (named, options) }
    let accepted = request.headers["accept"] ?? ""
    if accepted.hasPrefix("application/csv") || accepted.hasPrefix("text/csv") {
      if options.precision == nil { options.precision = .nanoseconds }
      return (.influxCSV, options)
    }
    return (.json, options)
  }

  /// The answer to a text that does not parse; who asks for InfluxDB's CSV reads that.
  private func refusal(_ error: QueryParseError, as format: ResultFormat) -> HTTPResponse {
    var response = HTTPResponse.error(400, error.message, headers: [("X-Varve-Error-At", error.place)])
    guard format == .influxCSV else { return response }
    response.headers.removeAll { $0.name == "Content-Type" }
    response.headers.append(("Content-Type", "text/csv"))
    response.body = Array("error\n\"\(error.message.replacing("\"", with: "\"\""))\"\n".utf8)
    return response
  }

  /// InfluxDB's names of units, its own `n` and `u` among them; of a word that is none nanoseconds, as there.
  private func epoch(_ name: String?) -> Precision? {
    switch name {
    case nil, "": return nil
    case "u", "µ": return .microseconds
    case let name?:
      let unit = Precision(name)
      return unit == nil || unit == .auto ? .nanoseconds : unit
    }
  }

  /// Runs the statements.
  ///
  /// - Parameter waiting: who waits for the answer, and until when.
  /// - Returns: the answer; `nil` where it was sent while it was made, or turned out not to be short.
  private func run(
    _ query: QueryRequest, _ request: HTTPRequest, in opened: ServerContext.Opened, format: ResultFormat,
    options: RenderOptions, to waiting: (exchange: HTTPExchange, watch: ClientWatch, deadline: Int64)? = nil
  ) -> HTTPResponse? {
    let (exchange, watch) = (waiting?.exchange, waiting?.watch)
    let started = monotonicNanoseconds()
    // Not where it is begun anew by a worker.
    var isCounted = true
    context.metrics.queriesActive.wrappingAdd(1, ordering: .relaxed)
    defer {
      context.metrics.queriesActive.wrappingSubtract(1, ordering: .relaxed)
      if isCounted { context.metrics.querySeconds.observe(seconds: Double(monotonicNanoseconds() - started) * 1e-9) }
    }
    if query.isShort {
      isCounted = opened.engine.memory.waitForRoom(atMost: .zero)
      if !isCounted { return nil }
    } else if let deadline = waiting?.deadline, !opened.engine.memory.waitForRoom(atMost: .nanoseconds(max(0, deadline - started))) {
      return .unavailable(StorageError(.overloaded, "the statements under way fill their share of the memory"))
    }
    let account = QueryAccount(opened.engine.memory)
    // Looked at before the first snapshot is taken: what is said to be whole is.
    let isReplaying = !opened.store.isReplayed
    let answer = QueryAnswer(
      to: exchange, request, format, options, watch: watch, workers: context.workers, account: account,
      isPartial: isReplaying)
    var query = query
    query.isStreamed = exchange != nil
    query.takesSingleRows = format == .json && JSONRenderer.takesSingleRows(options)
    let isCancelled = query.isCancelled
    do {
      try opened.engine.run(query) { result in
        var result = result
        result.isPartial = result.isPartial || isReplaying
        do throws(QueryFailure) {
          // Of what is not sent in pieces.
          if exchange == nil { try account.add(result.renderedByteCountMax) }
        } catch {
          result.fail(error.message)
          result.isCrowdedOut = account.wasCrowdedOut
        }
        try answer.take(result, isCancelled: isCancelled)
      }
    } catch is QueryEngine.NotShort {
      isCounted = false
      return nil
    } catch let error as QueryParseError {
      return refusal(error, as: format)
    } catch is ResponseStream.Gone {
      return answer.cut() ? nil : .error(500, "the client is gone")
    } catch {
      return answer.cut() ? nil : .error(500, "\(error)")
    }
    // Nothing was answered yet: a client does better to ask again than to show an error.
    if answer.isCrowdedOut, !answer.isBegun, answer.failures.count == 1, let first = answer.failures.first {
      return .unavailable(StorageError(.overloaded, first))
    }
    return answer.finish()
  }
}

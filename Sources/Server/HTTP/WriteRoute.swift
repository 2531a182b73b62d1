import LineProtocol
import Query
import Storage
import Synchronization

/// `POST /write` and `POST /api/v2/write`: a body of lines in, an answer once they are durable.
struct WriteRoute: Sendable {
  /// Whose words an answer uses.
  enum Dialect { case v1, v2 }
  /// The largest body once inflated.
  static let inflatedByteCountMax = 256 << 20
  /// Bytes of a body that become one batch.
  static let batchByteCount = 1 << 20
  /// Refused lines that an answer names.
  static let rejectCountMax = 100

  let context: ServerContext
  let settings: IngestSettings
  let waiters: TicketWaiters
  let pipelines = PipelinePool()

  init(context: ServerContext, settings: IngestSettings, waiters: TicketWaiters) {
    self.context = context
    self.settings = settings
    self.waiters = waiters
  }

  func reply(to request: HTTPRequest, dialect: Dialect) -> HTTPReply {
    guard request.method == "POST" else {
      return .now(failure(405, "Method Not Allowed", dialect, headers: [("Allow", "OPTIONS, POST")]))
    }
    if let opened = context.opened { return write(request, dialect, opened.store) }
    // Before the log is surveyed there is no store; the daemon's threads never wait for it.
    return .later { exchange in
      context.submit(from: .replaying) { opened in
        switch opened {
        case .success(let opened):
          switch write(request, dialect, opened.store) {
          case .now(let response): exchange.answer(response)
          case .later(let wait): wait(exchange)
          }
        case .failure(let error):
          exchange.answer(failure(503, error.description, dialect, headers: [("Retry-After", "1")]))
        }
      }
    }
  }

  private func write(_ request: HTTPRequest, _ dialect: Dialect, _ store: Store) -> HTTPReply {
    do throws(WriteFailure) {
      let (target, settings) = try target(of: request, dialect, store)
      // Held as long as the body is.
      let memory = BodyMemory.Account(context.bodies)
      defer { withExtendedLifetime(memory) {} }
      let body = try inflated(request, memory)
      let outcome = try ingest(body, to: target, settings, store)
      let response = answer(outcome, dialect)
      guard outcome.ticket.sequence > 0, store.state(of: outcome.ticket) == .pending else {
        if case .failed(let error) = store.state(of: outcome.ticket) {
          return .now(failure(503, "not stored: \(error)", dialect, headers: [("Retry-After", "1")]))
        }
        return .now(response)
      }
      return .later { exchange in
        waiters.add(outcome.ticket, in: store, exchange: exchange, response: response)
      }
    } catch {
      return .now(failure(error.status, error.message, dialect, headers: error.headers))
    }
  }

  // MARK: What is asked

  private func target(
    of request: HTTPRequest, _ dialect: Dialect, _ store: Store
  ) throws(WriteFailure) -> (WriteTarget, IngestSettings) {
    var database = request.parameter("db") ?? ""
    var policy = request.parameter("rp") ?? ""
    if dialect == .v2 {
      let bucket = request.parameter("bucket") ?? ""
      let parts = bucket.split(separator: "/", maxSplits: 1).map(String.init)
      database = parts.first ?? ""
      policy = parts.count > 1 ? parts[1] : ""
      if database.isEmpty { throw WriteFailure(400, "bucket is required") }
    }
    guard !database.isEmpty else { throw WriteFailure(400, "database is required") }
    guard store.policies(of: database) != nil else {
      throw WriteFailure(404, dialect == .v1 ? "database not found: \"\(database)\"" : "bucket \"\(database)\" not found")
    }
    var settings = settings
    settings.precision = try precision(request.parameter("precision"), dialect)
    do throws(StorageError) {
      return (try store.target(database: database, policy: policy), settings)
    } catch {
      throw WriteFailure(dialect == .v1 ? 500 : 404, "retention policy not found: \(policy)")
    }
  }

  /// InfluxDB 1.x takes an unknown unit for nanoseconds; 2.x refuses it.
  private func precision(_ name: String?, _ dialect: Dialect) throws(WriteFailure) -> Precision {
    guard let name, !name.isEmpty else { return settings.precision }
    switch name {
    case "n": return .nanoseconds
    case "u", "µ": return .microseconds
    default:
      if let known = Precision(name) { return known }
      if dialect == .v1 { return .nanoseconds }
      throw WriteFailure(400, "invalid precision \"\(name)\" (use ns, us, ms or s)")
    }
  }

  private func inflated(_ request: HTTPRequest, _ memory: BodyMemory.Account) throws(WriteFailure) -> [UInt8] {
    guard let coding = request.headers["content-encoding"], coding != "identity" else { return request.body }
    guard coding == "gzip" || coding == "deflate" else { throw WriteFailure(415, "unknown Content-Encoding: \(coding)") }
    do throws(InflateError) {
      return try inflate(
        request.body, byteCountMax: min(Self.inflatedByteCountMax, context.bodies.byteCountMax), hold: memory.hold)
    } catch {
      switch error {
      case .malformed: throw WriteFailure(400, "the body is not valid \(coding)")
      case .tooLarge: throw WriteFailure(413, "Request Entity Too Large")
      case .crowdedOut:
        throw WriteFailure(
          503, "the bodies of requests under way fill their share of the memory", headers: [("Retry-After", "1")])
      }
    }
  }

  // MARK: What becomes of it

  private struct Outcome {
    var ticket = Ticket(sequence: 0)
    var acceptedCount = 0
    var rejectedCount = 0
    var rejects: [Reject] = []
  }

  /// Commits the body in batches; the last ticket decides for all, since tickets are decided in order.
  private func ingest(
    _ body: [UInt8], to target: WriteTarget, _ settings: IngestSettings, _ store: Store
  ) throws(WriteFailure) -> Outcome {
    let pipeline = pipelines.take(store: store, configuration: context.configuration)
    defer { pipelines.give(pipeline) }
    // A daemon's thread waits only as long as a scheduler's slice: pressure is answered with 503.
    pipeline.stallLimit = .milliseconds(100)
    settings.counters.bytes.wrappingAdd(UInt64(body.count), ordering: .relaxed)
    let now = wallNanoseconds()
    var outcome = Outcome()
    var failure: StorageError?
    // The bytes live as long as the call.
    unsafe body.withUnsafeBytes { bytes in
      do throws(StorageError) {
        try unsafe ingest(bytes, pipeline, to: target, settings, now: now, into: &outcome)
      } catch {
        failure = error
      }
    }
    if let failure {
      let isTemporary = failure.code == .overloaded || failure.code == .full || failure.code == .io
      throw WriteFailure(
        isTemporary ? 503 : failure.code == .notFound ? 404 : 500, failure.description,
        headers: isTemporary ? [("Retry-After", "1")] : [])
    }
    return outcome
  }

  private func ingest(
    _ bytes: UnsafeRawBufferPointer, _ pipeline: IngestPipeline, to target: WriteTarget, _ settings: IngestSettings,
    now: Int64, into outcome: inout Outcome
  ) throws(StorageError) {
    var framer = pipeline.makeFramer(settings)
    var line: UInt64 = 1
    var (position, end) = (0, 0)
    while position < bytes.count {
      // The framer sees the body a piece at a time, so that a batch ends where a line does; a line longer than a piece
      // gets the next one as well.
      end = min(end + Self.batchByteCount, bytes.count)
      pipeline.begin()
      var isIncomplete = false
      while !isIncomplete, position < end {
        let piece = unsafe framer.next(UnsafeRawBufferPointer(rebasing: bytes[position..<end]), isLast: end == bytes.count)
        switch piece.kind {
        case .lines:
          let lines = unsafe UnsafeRawBufferPointer(rebasing: bytes[position..<position + piece.byteCount])
          line += unsafe pipeline.parse(lines, settings, now: now, firstLine: line)
        case .refused(var reject):
          reject.line += Int(clamping: line) - 1
          pipeline.batch.refuse(reject)
          line += piece.newlineCount
        case .acknowledge, .skipped: line += piece.newlineCount
        case .incomplete: isIncomplete = true
        }
        position += piece.byteCount
      }
      try commit(pipeline, to: target, settings, now: now, into: &outcome)
      if isIncomplete, end == bytes.count { break }
    }
    unsafe nameLines(of: &outcome.rejects, in: bytes)
  }

  private func commit(
    _ pipeline: IngestPipeline, to target: WriteTarget, _ settings: IngestSettings, now: Int64,
    into outcome: inout Outcome
  ) throws(StorageError) {
    let result = try pipeline.commit(to: target, counters: settings.counters, context: context, now: now)
    if result.ticket.sequence > 0 { outcome.ticket = result.ticket }
    outcome.acceptedCount += result.acceptedCount
    outcome.rejectedCount += result.rejectCounts.reduce(0, +) + pipeline.batch.rejectCount
    let room = Self.rejectCountMax - outcome.rejects.count
    if room > 0 {
      let both = (pipeline.batch.rejects.prefix(room) + result.rejects.prefix(room)).sorted { $0.line < $1.line }
      outcome.rejects += both.prefix(room)
    }
  }

  /// Gives the refusals of the store, which knows numbers only, the text of their lines.
  private func nameLines(of rejects: inout [Reject], in bytes: UnsafeRawBufferPointer) {
    var line = 1
    var position = 0
    for index in rejects.indices where rejects[index].text.isEmpty {
      while line < rejects[index].line, position < bytes.count {
        if unsafe bytes[position] == UInt8(ascii: "\n") { line += 1 }
        position += 1
      }
      let text = unsafe bytes[position...].prefix { $0 != UInt8(ascii: "\n") }
      rejects[index].text = unsafe Array(text.prefix(Reject.textByteCountMax))
    }
  }

  // MARK: The answer

  private func answer(_ outcome: Outcome, _ dialect: Dialect) -> HTTPResponse {
    if outcome.rejectedCount == 0 { return HTTPResponse(status: 204) }
    let reasons = outcome.rejects.map { reject in
      reject.reason == .expired
        ? reject.message : "unable to parse '\(String(decoding: reject.text, as: UTF8.self))': \(reject.message)"
    }
    var seen: Set<String> = []
    var message = reasons.filter { seen.insert($0).inserted }.joined(separator: "\n")
    let isAnyExpired = outcome.rejects.contains { $0.reason == .expired }
    if outcome.acceptedCount > 0 || isAnyExpired {
      message = "partial write: \(message) dropped=\(outcome.rejectedCount)"
    }
    let lines = outcome.rejects.map { reject in
      "{\"line\":\(reject.line),\"column\":\(reject.column),\"reason\":\(jsonString(reject.message)),"
        + "\"text\":\(jsonString(String(decoding: reject.text, as: UTF8.self)))}"
    }
    let list = "[\(lines.joined(separator: ","))]"
    let base = HTTPResponse.error(400, message)
    let text =
      dialect == .v1
      ? "{\"error\":\(jsonString(message)),\"lines\":\(list),\"accepted\":\(outcome.acceptedCount),\"rejected\":\(outcome.rejectedCount)}"
      : "{\"code\":\"invalid\",\"message\":\(jsonString(message)),\"lines\":\(list)}"
    return HTTPResponse(status: 400, headers: base.headers, body: Array((text + "\n").utf8))
  }

  private func failure(
    _ status: UInt32, _ message: String, _ dialect: Dialect, headers: [(name: String, value: String)] = []
  ) -> HTTPResponse {
    if dialect == .v1 { return .error(status, message, headers: headers) }
    let code =
      switch status {
      case 400, 415: "invalid"
      case 404: "not found"
      case 405: "method not allowed"
      case 413: "request too large"
      case 503: "unavailable"
      default: "internal error"
      }
    return .json(status, "{\"code\":\"\(code)\",\"message\":\(jsonString(message))}", headers: headers)
  }
}

/// Why nothing of a request was stored.
private struct WriteFailure: Error {
  var status: UInt32
  var message: String
  var headers: [(name: String, value: String)]

  init(_ status: UInt32, _ message: String, headers: [(name: String, value: String)] = []) {
    self.status = status
    self.message = message
    self.headers = headers
  }
}

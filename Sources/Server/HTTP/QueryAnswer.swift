import Query
import Storage

/// Makes the body of an answer of a query's statements: whole where it is short, else sent piece by piece while it is made.
final class QueryAnswer {
  /// Longer ones are sent while they are made.
  private static let wholeByteCountMax = 256 << 10
  /// Bytes that are handed on together.
  private static let pieceByteCount = 64 << 10

  /// `nil`: the answer is always whole.
  private let sender: BodySender?
  private let format: ResultFormat
  private let watch: ClientWatch?
  private let workers: WorkerPool
  private let account: QueryAccount
  private var renderer: any ResultRenderer
  private var body: [UInt8] = []
  private(set) var failures: [String] = []
  /// Where in the text the first of them is.
  private var firstPlace: String?
  private(set) var isCrowdedOut = false
  private var isPartial: Bool
  /// Something was said only after the head of an answer that has no place for words.
  private var isLate = false

  /// - Parameter exchange: who is answered piece by piece; `nil`: the answer is always whole.
  init(
    to exchange: HTTPExchange?, _ request: HTTPRequest, _ format: ResultFormat, _ options: RenderOptions,
    watch: ClientWatch?, workers: WorkerPool, account: QueryAccount, isPartial: Bool
  ) {
    sender = exchange.map { BodySender(to: $0, request, workers: workers) }
    self.format = format
    self.watch = watch
    self.workers = workers
    self.account = account
    self.isPartial = isPartial
    renderer = format.makeRenderer(options)
    renderer.begin(into: &body)
  }

  /// Takes an answer, or a piece of one.
  ///
  /// - Throws: `QueryFailure` where nobody waits any more, `ResponseStream.Gone` where the client went away.
  func take(_ result: StatementResult, isCancelled: @escaping () -> Bool) throws {
    if let error = result.error {
      if failures.isEmpty { firstPlace = result.errorPlace }
      failures.append(error)
    }
    if result.isCrowdedOut { isCrowdedOut = true }
    if isBegun, !renderer.includesErrors, result.error != nil || result.isPartial && !isPartial {
      isLate = true
    }
    isPartial = isPartial || result.isPartial
    renderer.append(result, into: &body)
    guard let sender else { return }
    if result.hasMore, isCancelled() { throw QueryFailure.interrupted }
    if !isBegun, body.count > Self.wholeByteCountMax { sender.begin(headers) }
    guard isBegun, body.count >= Self.pieceByteCount else { return }
    try hand(to: sender, isLast: !result.hasMore, isCancelled)
  }

  /// Gives what is there to the daemon. That nobody waits any more does not fail an answer that is made.
  private func hand(to sender: BodySender, isLast: Bool, _ isCancelled: @escaping () -> Bool) throws {
    let isTaken = try sender.send(body, isOver: { isCancelled() || self.workers.isStopping })
    // Those bytes are the sender's now; memory of this size comes from what was freed, larger one from the system.
    body = []
    body.reserveCapacity(2 * Self.pieceByteCount)
    if isTaken, !workers.isStopping { watch?.renew() }
    if !isTaken, !isLast { throw QueryFailure.interrupted }
  }

  private var headers: [(name: String, value: String)] {
    var headers = [("Content-Type", format.contentType)]
    // Formats without a place for errors carry them beside the body.
    if !renderer.includesErrors, let first = failures.first { headers.append(("X-Influxdb-Error", first)) }
    // InfluxDB's documents have no place for it.
    if let firstPlace { headers.append(("X-Varve-Error-At", firstPlace)) }
    if !renderer.includesErrors, isPartial { headers.append(("X-Varve-Partial", "true")) }
    return headers
  }

  /// Whether a part was sent.
  var isBegun: Bool { sender?.isBegun ?? false }

  /// Ends the answer.
  ///
  /// - Returns: the whole of it; `nil` where it was sent in pieces.
  func finish() -> HTTPResponse? {
    renderer.finish(into: &body)
    if let sender, sender.isBegun {
      sender.finish(body, isWhole: !isLate)
      return nil
    }
    var response = HTTPResponse(status: 200, headers: headers, body: body)
    response.account = account
    return response
  }

  /// Ends an answer that cannot go on, whatever it has.
  func cut() -> Bool { sender?.cut() ?? false }
}

extension ResultFormat {
  fileprivate var contentType: String {
    switch self {
    case .json: "application/json"
    case .jsonl: "application/x-ndjson"
    case .csv: "text/csv; charset=utf-8"
    case .influxCSV: "text/csv"
    case .markdown: "text/markdown; charset=utf-8"
    case .table, .line, .vertical: "text/plain; charset=utf-8"
    }
  }
}

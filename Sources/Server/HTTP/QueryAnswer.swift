import Query
import Storage

/// Makes the body of an answer of a query's statements: whole where it is short, else sent piece by piece while it is made.
final class QueryAnswer {
  /// Longer ones are sent while they are made.
  private static let wholeByteCountMax = 256 << 10
  /// Bytes that are handed on together.
  private static let pieceByteCount = 64 << 10

  private let exchange: HTTPExchange?
  private let request: HTTPRequest
  private let format: ResultFormat
  private let watch: ClientWatch?
  private let workers: WorkerPool
  private let account: QueryAccount
  private var renderer: any ResultRenderer
  private var body: [UInt8] = []
  private var stream: ResponseStream?
  private var packer: GzipStream?
  private(set) var failures: [String] = []
  private(set) var isCrowdedOut = false
  private var isPartial: Bool
  /// Something was said only after the head of an answer that has no place for words.
  private var isLate = false

  /// - Parameter exchange: who is answered piece by piece; `nil`: the answer is always whole.
  init(
    to exchange: HTTPExchange?, _ request: HTTPRequest, _ format: ResultFormat, _ options: RenderOptions,
    watch: ClientWatch?, workers: WorkerPool, account: QueryAccount, isPartial: Bool
  ) {
    self.exchange = exchange
    self.request = request
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
    if let error = result.error { failures.append(error) }
    if result.isCrowdedOut { isCrowdedOut = true }
    if stream != nil, !renderer.includesErrors, result.error != nil || result.isPartial && !isPartial { isLate = true }
    isPartial = isPartial || result.isPartial
    renderer.append(result, into: &body)
    guard let exchange else { return }
    if result.hasMore, isCancelled() { throw QueryFailure.interrupted }
    if stream == nil, body.count > Self.wholeByteCountMax { begin(exchange) }
    guard stream != nil, body.count >= Self.pieceByteCount else { return }
    try hand(isLast: !result.hasMore, isCancelled)
  }

  private func begin(_ exchange: HTTPExchange) {
    let stream = ResponseStream()
    self.stream = stream
    var response = HTTPResponse(status: 200, headers: headers)
    if takesGzip(request), let packer = GzipStream() {
      self.packer = packer
      response.headers.append(("Content-Encoding", "gzip"))
    }
    response.stream = stream
    exchange.answer(response)
  }

  /// Gives what is there to the daemon. That nobody waits any more does not fail an answer that is made.
  private func hand(isLast: Bool, _ isCancelled: @escaping () -> Bool) throws {
    guard let stream else { return }
    let bytes = packer.map { packed + $0.pack(body) } ?? body
    packed = []
    body.removeAll(keepingCapacity: true)
    let isStopped = { isCancelled() || self.workers.isStopping }
    let isTaken =
      stream.isFull
      ? try workers.whileBlocked { () throws(ResponseStream.Gone) in try stream.write(bytes, isOver: isStopped) }
      : try stream.write(bytes, isOver: isStopped)
    if isTaken, !workers.isStopping { watch?.renew() }
    if !isTaken {
      // What was made is not to be missing from the middle: it goes out with the error.
      body = packer == nil ? bytes : []
      packed = packer == nil ? [] : bytes
      if !isLast { throw QueryFailure.interrupted }
    }
  }

  /// Packed bytes for which there was no room.
  private var packed: [UInt8] = []

  private var headers: [(name: String, value: String)] {
    var headers = [("Content-Type", format.contentType)]
    // Formats without a place for errors carry them beside the body.
    if !renderer.includesErrors, let first = failures.first { headers.append(("X-Influxdb-Error", first)) }
    if !renderer.includesErrors, isPartial { headers.append(("X-Varve-Partial", "true")) }
    return headers
  }

  /// Whether a part was sent.
  var isBegun: Bool { stream != nil }

  /// Ends the answer.
  ///
  /// - Returns: the whole of it; `nil` where it was sent in pieces.
  func finish() -> HTTPResponse? {
    renderer.finish(into: &body)
    if let stream {
      let rest = packer.map { packed + $0.pack(body, isLast: true) } ?? body
      stream.finish(rest, isWhole: !isLate)
      return nil
    }
    var response = HTTPResponse(status: 200, headers: headers, body: body)
    response.account = account
    return response
  }

  /// Ends an answer that cannot go on, whatever it has.
  func cut() -> Bool {
    stream?.finish([], isWhole: false)
    return stream != nil
  }
}

extension ResultFormat {
  fileprivate var contentType: String {
    switch self {
    case .json: "application/json"
    case .jsonl: "application/x-ndjson"
    case .csv, .influxCSV: "text/csv; charset=utf-8"
    case .markdown: "text/markdown; charset=utf-8"
    case .table, .line, .vertical: "text/plain; charset=utf-8"
    }
  }
}

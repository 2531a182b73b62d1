/// The body of an answer that is sent while it is made, packed where its client takes that.
final class BodySender {
  private let exchange: HTTPExchange
  private let workers: WorkerPool
  private var packer: GzipStream?
  private let takesPacked: Bool
  private var stream: ResponseStream?
  /// Bytes as they are sent, for which there was no room.
  private var unsent: [UInt8] = []

  init(to exchange: HTTPExchange, _ request: HTTPRequest, workers: WorkerPool) {
    (self.exchange, self.workers) = (exchange, workers)
    takesPacked = takesGzip(request)
  }

  /// Whether the answer's head was sent.
  var isBegun: Bool { stream != nil }

  /// Sends the head.
  func begin(_ headers: [(name: String, value: String)]) {
    let stream = ResponseStream()
    self.stream = stream
    var response = HTTPResponse(status: 200, headers: headers)
    if takesPacked, let packer = GzipStream() {
      self.packer = packer
      response.headers.append(("Content-Encoding", "gzip"))
    }
    response.stream = stream
    exchange.answer(response)
  }

  /// Hands bytes to the daemon, and waits where too many are on the way until `isOver`; `false` if that came first: they then go out with
  /// what comes behind them.
  ///
  /// - Throws: `ResponseStream.Gone` where the client went away.
  func send(_ bytes: [UInt8], isOver: () -> Bool) throws(ResponseStream.Gone) -> Bool {
    guard let stream else { return false }
    let fresh = packer.map { $0.pack(bytes) } ?? bytes
    let packed = unsent.isEmpty ? fresh : unsent + fresh
    let isTaken =
      stream.isFull
      ? try workers.whileBlocked { () throws(ResponseStream.Gone) in try stream.write(packed, isOver: isOver)
      }
      : try stream.write(packed, isOver: isOver)
    unsent = isTaken ? [] : packed
    return isTaken
  }

  /// Ends the answer with the last bytes; one that is not whole is cut behind them.
  func finish(_ bytes: [UInt8], isWhole: Bool = true) {
    stream?.finish(unsent + (packer.map { $0.pack(bytes, isLast: true) } ?? bytes), isWhole: isWhole)
  }

  /// Ends an answer that cannot go on so that it is seen to be cut; `false` where none was begun.
  func cut() -> Bool {
    stream?.finish([], isWhole: false)
    return stream != nil
  }
}

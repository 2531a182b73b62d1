import CShims
import Client
import Glibc
import Storage

/// How lines reach the server.
enum Transport: String, CaseIterable { case tcp, udp, http }

/// What one connection did.
struct SendReport: Sendable {
  /// By the server's answers; for UDP nothing is known.
  var acceptedCount = 0
  var rejectedCount = 0
  /// The first answers that name a refused line.
  var complaints: [String] = []
  /// Seconds from each HTTP request to its answer.
  var batchSeconds: [Double] = []
  var failure: String?
}

/// A TCP or UDP socket of a client, closed with the object. Belongs to one thread.
final class ClientSocket {
  private let descriptor: Int32
  private let name: String

  /// Connects to `127.0.0.1:8094` or `[::1]:8094`; names are resolved.
  init(_ address: String, _ transport: Transport) throws {
    guard let colon = address.lastIndex(of: ":") else {
      throw UsageError("\"\(address)\" is not ADDRESS:PORT")
    }
    let host = address[..<colon].filter { $0 != "[" && $0 != "]" }
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = transport == .udp ? Int32(SOCK_DGRAM.rawValue) : Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(
      host.isEmpty ? "127.0.0.1" : String(host), String(address[address.index(after: colon)...]), &hints,
      &list)
    guard code == 0, let first = unsafe list else { throw CommandFailure("cannot resolve \(address)") }
    defer { unsafe freeaddrinfo(list) }
    let descriptor = unsafe socket(
      first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw CommandFailure("cannot make a socket: \(systemErrorText(errno))") }
    self.descriptor = descriptor
    name = "\(transport.rawValue) \(address)"
    guard unsafe connect(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else {
      let code = errno
      throw CommandFailure(
        "nothing answers at \(name): \(systemErrorText(code)); start a server with \"varve serve\"")
    }
  }

  deinit { close(descriptor) }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    do {
      try unsafe writeAll(bytes, to: descriptor, name: name)
    } catch is BrokenPipe {
      throw CommandFailure("\(name) closed the connection")
    }
  }

  /// Sends lines as datagrams of at most 1,400 bytes.
  func writeDatagrams(_ bytes: UnsafeRawBufferPointer) throws {
    var offset = 0
    while offset < bytes.count, let base = bytes.baseAddress {
      // Inside the bytes by the loop's condition.
      let sent = unsafe CShims_send_lines(
        descriptor, (base + offset).assumingMemoryBound(to: UInt8.self), bytes.count - offset, 1400, 64)
      if sent == -Int(ENOBUFS) || sent == -Int(EAGAIN) || sent == -Int(EINTR) { continue }
      guard sent > 0 else { throw CommandFailure("cannot send to \(name): \(systemErrorText(Int32(-sent)))") }
      offset += sent
    }
  }

  /// Lines of the server's answers, until `body` has enough; `body` gets them without their newline.
  func readLines(_ body: (String) -> Bool) throws {
    var pending: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe read(descriptor, &piece, piece.count)
      let code = errno
      if count < 0, code == EINTR { continue }
      guard count > 0 else {
        throw CommandFailure(
          "\(name) \(count == 0 ? "closed the connection without an answer" : systemErrorText(code))")
      }
      pending += piece[..<count]
      while let newline = pending.firstIndex(of: 0x0a) {
        let line = String(decoding: pending[..<newline], as: UTF8.self)
        pending.removeFirst(newline + 1)
        if !body(line) { return }
      }
    }
  }
}

/// Sends the pieces of a source over several connections at once, each from a thread of its own.
struct LoadSender {
  var source: ByteSource
  var transport: Transport
  /// `ADDRESS:PORT`, or a URL.
  var address: String
  var database: String
  var connectionCount: Int
  /// Lines of one HTTP request.
  var batchLineCount: Int
  /// Lines a second over all connections; 0: as fast as it goes.
  var lineRate: Int

  private static let pieceByteCount = 1 << 20

  /// Sends everything; returns when the server has acknowledged it, or, over UDP, when it is sent.
  func run() throws -> (seconds: Double, reports: [SendReport]) {
    let reports = ReportList(count: connectionCount)
    let start = monotonicSeconds()
    var threads: [WorkerThread] = []
    for index in 0..<connectionCount {
      threads.append(
        try WorkerThread(name: "bench \(index)") {
          var report = SendReport()
          do {
            try send(index, into: &report)
          } catch {
            report.failure = "\(error)"
          }
          reports.set(index, report)
        })
    }
    for thread in threads { thread.join() }
    return (monotonicSeconds() - start, reports.all)
  }

  /// Pieces of a connection: every n-th megabyte, so that all of them are at about the same time of the data.
  private func forEachPiece(_ index: Int, byteCount: Int, _ body: (Range<Int>) throws -> Void) throws {
    var offset = index * byteCount
    while offset < source.byteCount {
      let range = source.lineStart(near: offset)..<source.lineStart(near: offset + byteCount)
      if !range.isEmpty { try body(range) }
      offset += connectionCount * byteCount
    }
  }

  private func send(_ index: Int, into report: inout SendReport) throws {
    switch transport {
    case .tcp: try sendStream(index, &report)
    case .udp: try sendDatagrams(index)
    case .http: try sendRequests(index, &report)
    }
  }

  private func sendStream(_ index: Int, _ report: inout SendReport) throws {
    let socket = try ClientSocket(address, .tcp)
    var pace = Pace(linesASecond: lineRate / connectionCount)
    try forEachPiece(index, byteCount: Self.pieceByteCount) { range in
      try unsafe socket.write(UnsafeRawBufferPointer(rebasing: source.bytes[range]))
      pace.wait(after: lineRate > 0 ? source.lineCount(range) : 0)
    }
    // A last line without its newline must end before the question.
    let question = Array("\n# ack bench\n".utf8)
    try unsafe question.withUnsafeBytes { try unsafe socket.write($0) }
    try socket.readLines { line in
      if line.hasPrefix("reject ") {
        if report.complaints.count < 5 { report.complaints.append(line) }
        return true
      }
      report.acceptedCount += number("accepted=", in: line)
      report.rejectedCount += number("rejected=", in: line)
      if line.hasPrefix("fail ") { report.failure = line }
      return false
    }
  }

  private func sendDatagrams(_ index: Int) throws {
    let socket = try ClientSocket(address, .udp)
    var pace = Pace(linesASecond: lineRate / connectionCount)
    let byteCount = lineRate > 0 ? 1 << 14 : Self.pieceByteCount
    try forEachPiece(index, byteCount: byteCount) { range in
      try unsafe socket.writeDatagrams(UnsafeRawBufferPointer(rebasing: source.bytes[range]))
      pace.wait(after: lineRate > 0 ? source.lineCount(range) : 0)
    }
  }

  private func sendRequests(_ index: Int, _ report: inout SendReport) throws {
    let client = try HTTPClient(address)
    var pace = Pace(linesASecond: lineRate / connectionCount)
    // Lines of one workload are about equally long; the first thousand tell how many bytes a batch has.
    let sample = source.lineStart(near: min(1 << 18, source.byteCount))
    let byteCount = max(sample / max(source.lineCount(0..<sample), 1) * batchLineCount, 1)
    try forEachPiece(index, byteCount: byteCount) { range in
      let body = unsafe UnsafeRawBufferPointer(rebasing: source.bytes[range])
      let start = monotonicSeconds()
      let response = try unsafe client.post("/write", [("db", database)], body: body)
      report.batchSeconds.append(monotonicSeconds() - start)
      let lines = source.lineCount(range)
      if response.status == 204 {
        report.acceptedCount += lines
      } else if response.status == 400, let rejected = number("\"rejected\":", in: response.text) as Int?,
        rejected > 0
      {
        report.rejectedCount += rejected
        report.acceptedCount += lines - rejected
        if report.complaints.count < 5 { report.complaints.append(String(response.text.prefix(300))) }
      } else {
        throw CommandFailure("\(address)/write answered \(response.status): \(response.text.prefix(300))")
      }
      pace.wait(after: lineRate > 0 ? lines : 0)
    }
  }
}

/// The whole number that follows a word; 0 if there is none.
private func number(_ word: String, in text: String) -> Int {
  let bytes = Array(text.utf8)
  let pattern = Array(word.utf8)
  guard bytes.count >= pattern.count else { return 0 }
  for start in 0...bytes.count - pattern.count
  where bytes[start..<start + pattern.count].elementsEqual(pattern) {
    return bytes[(start + pattern.count)...].prefix { (48...57).contains($0) }.reduce(0) {
      $0 * 10 + Int($1 - 48)
    }
  }
  return 0
}

/// What the threads report, each in its place.
private final class ReportList: Sendable {
  private let reports: Lock<[SendReport]>
  init(count: Int) { reports = Lock([SendReport](repeating: SendReport(), count: count)) }
  func set(_ index: Int, _ report: SendReport) { reports.withLock { $0[index] = report } }
  var all: [SendReport] { reports.withLock { $0 } }
}

/// Holds a sender back to a rate.
private struct Pace {
  private let linesASecond: Int
  private let start = monotonicSeconds()
  private var lineCount = 0

  init(linesASecond: Int) { self.linesASecond = linesASecond }

  mutating func wait(after lines: Int) {
    guard linesASecond > 0 else { return }
    lineCount += lines
    let ahead = Double(lineCount) / Double(linesASecond) - (monotonicSeconds() - start)
    if ahead > 0.0005 { usleep(UInt32(min(ahead, 1) * 1e6)) }
  }
}

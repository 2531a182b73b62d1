import Foundation
import Synchronization
import TestSupport
import Testing

/// The budget of the whole process, held under a load that would like more: senders of many series, wide queries, merges.
@Suite("Memory of a server", .serialized)
struct ServerMemoryTests {
  @Test("256 MiB hold for a moment of load")
  func moment() throws { try hold(256 << 20, megabytesEach: 2) }

  @Test(
    "the budget holds, and each part keeps to its share", .tags(.slow), .enabled(if: runsSlowTests),
    arguments: [256 << 20, 1 << 30, 8 << 30])
  func budgets(byteCount: Int) throws { try hold(byteCount, megabytesEach: 192) }

  @Test("a body larger than the share of bodies is refused for good; one that others leave no room for is told to come again")
  func bodies() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory, arguments: ["--memory", "64MiB"])
      let labels = ["part": "bodies"]
      let share = Int(try server.metrics().sum("varve_memory_budget_bytes", labels))
      func write(_ byteCount: Int) throws -> RawHTTP {
        // Empty lines fill the body up.
        let body = Array("m v=1i 1\n".utf8)
        return try RawHTTP.ask(
          server.http, "POST", "/write?db=metrics", body: body + [UInt8](repeating: 0x0a, count: byteCount - body.count))
      }
      #expect(try write(share).status == 204)
      #expect(try write(share + 1).status == 413)
      let slow = try TestSocket(server.http)
      try slow.send(
        "POST /write?db=metrics HTTP/1.1\r\nHost: x\r\nContent-Length: \(share - 1_000)\r\n\r\nm v=2i 2\n")
      _ = try server.metrics { $0.sum("varve_memory_used_bytes", labels) > 0 }
      let refused = try write(2_000)
      #expect(refused.status == 503)
      #expect(refused.headers["retry-after"] == "1")
      slow.reset()
      let page = try server.metrics { $0.sum("varve_memory_used_bytes", labels) == 0 }
      #expect(page.sum("varve_memory_used_bytes", labels) == 0)
      #expect(try write(2_000).status == 204)
      #expect(try server.count("v", of: "m") == 1)
      #expect(server.stop() == 0)
    }
  }

  private static let senderCount = 3
  /// Windows short enough that many are open, and merged, at once.
  private static let arguments = ["--window", "1h", "--lateness", "1s", "--compaction-jobs", "16"]

  private func hold(_ byteCount: Int, megabytesEach: Int) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(
        dataDirectory: directory, arguments: Self.arguments + ["--memory", "\(byteCount)"])
      let isDone = Atomic<Bool>(false)
      let failures = Failures()
      let senders = (0..<Self.senderCount).map { number in
        failures.thread { try LoadSender(number).run(server, byteCount: megabytesEach << 20) }
      }
      let askers = (0..<2).map { number in
        failures.thread {
          while !isDone.load(ordering: .relaxed) { try Self.ask(server, number) }
        }
      }
      for sender in senders { sender.join() }
      let page = try server.metrics()
      _ = try RawHTTP.ask(server.http, "POST", "/compact")
      isDone.store(true, ordering: .relaxed)
      for asker in askers { asker.join() }
      #expect(failures.all.isEmpty, "\(failures.all)")
      let peak = try server.peakResidentByteCount()
      #expect(peak <= byteCount, "\(peak) bytes resident, the budget is \(byteCount)")
      Self.checkShares(page, byteCount)
      print("memory \(byteCount >> 20) MiB: \(peak >> 20) MiB resident at most, \(Int(page.accepted("tcp"))) points")
      #expect(page.accepted("tcp") > 0)
      #expect(server.stop() == 0)
    }
  }

  /// The shares are the budget, and what is counted lies within them.
  private static func checkShares(_ page: MetricsPage, _ byteCount: Int) {
    let budgets = page.samples.filter { $0.name == "varve_memory_budget_bytes" }
    #expect(Int(budgets.reduce(0) { $0 + $1.value }) == byteCount)
    for used in page.samples where used.name == "varve_memory_used_bytes" {
      let share = page.sum("varve_memory_budget_bytes", used.labels)
      #expect(used.value <= share, "\(used.labels): \(used.value) of \(share)")
    }
    #expect(page.sum("varve_process_resident_bytes") > 0)
    #expect(Int(page.sum("varve_process_resident_bytes")) <= byteCount)
  }

  /// Queries that would answer with all there is, in rows and in groups; told that it is too much or that others are under way,
  /// they have done their part.
  private static func ask(_ server: ServerProcess, _ number: Int) throws {
    let statement = ["SELECT * FROM load", "SELECT mean(a) FROM load GROUP BY *", "SELECT a, b FROM load ORDER BY time DESC"]
    let text = statement[number % statement.count]
    let answer = try RawHTTP.status(server.http, "GET", "/query?db=metrics&q=\(percentEncoded(text))")
    guard answer == 200 || answer == 503 else { throw AskingFailure(description: "\(text): \(answer)") }
  }
}

/// Sends lines of ever new series, as fast as they are taken.
private struct LoadSender {
  private let number: Int
  /// Lines of some thousand series with ten fields; places of the digits that change from piece to piece.
  private var piece: [UInt8] = []
  private var places: [Int] = []

  init(_ number: Int) {
    self.number = number
    for line in 0..<4_000 {
      let head = "load,sender=\(number),host=h\(line),run="
      places.append(piece.count + head.utf8.count)
      let fields = "abcdefghij".map { "\($0)=\((line &* 7_919 &+ Int($0.asciiValue ?? 0) &* 104_729) % 1_000_000)i" }
      piece += Array((head + "000000 " + fields.joined(separator: ",") + "\n").utf8)
    }
  }

  /// A token follows each piece, and the sender is one piece ahead of the answers: a busy machine may take its time for all of them,
  /// and for two of them has as long as a query.
  func run(_ server: ServerProcess, byteCount: Int) throws {
    let socket = try TestSocket(server.tcp, timeoutSeconds: 180)
    var bytes = piece
    let roundCount = max(1, byteCount / piece.count)
    for round in 0..<roundCount {
      let digits = Array(String(1_000_000 + round).utf8.dropFirst())
      for place in places { bytes.replaceSubrange(place..<place + 6, with: digits) }
      try socket.send(bytes + Array("# ack \(round)\n".utf8))
      if round > 0 { try check(socket.answer().last, round - 1) }
    }
    try check(socket.answer().last, roundCount - 1)
  }

  private func check(_ answer: String, _ round: Int) throws {
    if !answer.hasPrefix("ok \(round) ") { throw AskingFailure(description: "sender \(number): \(answer)") }
  }
}

/// Errors of threads.
private final class Failures: Sendable {
  private let found = NSLock()
  private nonisolated(unsafe) var texts: [String] = []

  var all: [String] { found.withLock { texts } }

  func thread(_ body: @escaping @Sendable () throws -> Void) -> JoinableThread {
    JoinableThread {
      do { try body() } catch { self.found.withLock { self.texts.append("\(error)") } }
    }
  }
}

/// A thread that can be waited for.
private final class JoinableThread: Sendable {
  private let hasEnded = DispatchSemaphore(value: 0)

  init(_ body: @escaping @Sendable () -> Void) {
    let thread = Thread { [hasEnded] in
      body()
      hasEnded.signal()
    }
    thread.start()
  }

  func join() { hasEnded.wait() }
}

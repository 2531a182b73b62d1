import Foundation
import Server
import Storage
import TestSupport
import Testing

/// A server on real sockets whose replay is held where the test wants it.
@Suite("Start: while the log is replayed", .serialized)
struct StartTests {
  private static let time: Int64 = 1_000_000_000_000_000_000

  /// A server in this process.
  private final class Started: Sendable {
    let server: Server
    let words = Monitor<[String]>([])
    let hasChanged = Condition()
    let hasFailed = Monitor(false)

    init(_ directory: String, _ gate: ReplayGate, queryTimeout: Duration = .seconds(60)) throws {
      var configuration = ServerConfiguration()
      configuration.dataDirectory = directory
      configuration.listeners = ListenerConfiguration.Kind.allCases.map {
        ListenerConfiguration(kind: $0, host: "127.0.0.1", port: 0)
      }
      configuration.queryTimeout = queryTimeout
      configuration.progress = gate.makeProgress()
      let (words, hasChanged, hasFailed) = (words, hasChanged, hasFailed)
      server = try Server(
        configuration,
        say: { line in
          words.withLock { $0.append(line) }
          hasChanged.notifyAll()
        },
        onFailure: {
          hasFailed.withLock { $0 = true }
          hasChanged.notifyAll()
        })
    }

    func address(_ kind: String) -> String {
      server.listening.first { $0.hasPrefix(kind + " ") }.map { String($0.dropFirst(kind.count + 1)) } ?? ""
    }

    func waitUntilReady() {
      words.withLock(on: hasChanged, when: { $0.contains("ready") }) { _ in }
    }

    func waitUntilFailed() { hasFailed.withLock(on: hasChanged, when: { $0 }) { _ in } }

    func get(_ path: String) throws -> RawHTTP { try RawHTTP.ask(address("http"), "GET", path) }

    func query(_ statement: String, _ parameters: String = "") throws -> RawHTTP {
      try get("/query?db=metrics&epoch=ns&q=\(percentEncoded(statement))" + parameters)
    }
  }

  /// A directory as a kill leaves it after so many acknowledged batches of one point each.
  private func killed(
    after count: Int, in directory: String, segmentByteCount: UInt64 = 1 << 20
  ) throws -> String {
    var options = StoreOptions()
    options.segmentByteCount = segmentByteCount
    let store = try Store.open(directory: directory + "/before", options: options)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    for number in 1...count { try driver.writeDurably("m f=\(number)i \(Self.time + Int64(number))\n") }
    let copy = directory + "/killed"
    try FileManager.default.copyItem(atPath: directory + "/before", toPath: copy)
    try store.close()
    return copy
  }

  /// Asks again until the answer is as wanted, at most for 20 s.
  private func eventually(_ ask: () throws -> Bool) throws -> Bool {
    let deadline = Date().addingTimeInterval(20)
    while Date() < deadline {
      if try ask() { return true }
      usleep(5_000)
    }
    return false
  }

  /// Runs the command; what it wrote to standard output and standard error.
  private func run(_ arguments: String...) throws -> (status: Int32, output: String, words: String) {
    let outcome = try ChildProcess.run([ServerProcess.binary] + arguments)
    return (outcome.status, outcome.text, outcome.words)
  }

  @Test("writes are taken at once, a partial answer comes at once and says so, others wait for the whole")
  func serves() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let gate = ReplayGate(at: 6)
      let started = try Started(killed(after: 10, in: directory), gate)
      defer { try? started.server.stop() }
      #expect(try started.get("/health").status == 200)
      #expect(try started.get("/ping").status == 204)
      gate.waitUntilReached(6)
      let ready = try started.get("/ready")
      #expect(ready.status == 503)
      #expect(try started.get("/").text.hasPrefix("<!doctype html>"))
      let said = ready.text.split { !$0.isNumber }.compactMap { Int($0) }
      #expect(ready.text.hasPrefix("{\"status\":\"replaying\",\"bytes\":"), "\(ready.text)")
      #expect(said.count == 2 && said[0] > 0 && said[0] < said[1], "\(ready.text)")

      // More of them than workers.
      let waiting = Monitor<[RawHTTP]>([])
      let group = DispatchGroup()
      for _ in 0..<12 {
        DispatchQueue.global().async(group: group) {
          if let answer = try? started.query("SELECT count(f) FROM m") { waiting.withLock { $0.append(answer) } }
        }
      }
      let socket = try TestSocket(started.address("tcp"))
      try socket.send("m f=11i \(Self.time + 11)\n")
      #expect(try socket.acknowledge("t") == "ok t accepted=1 rejected=0")
      let body = Array("m f=12i \(Self.time + 12)\n".utf8)
      #expect(try RawHTTP.ask(started.address("http"), "POST", "/write?db=metrics", body: body).status == 204)
      try TestSocket(started.address("udp"), isDatagram: true).send("m f=13i \(Self.time + 13)\n")

      // Five replayed, three new: the answer says that it may lack some.
      let partial = "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"m\",\"columns\":[\"time\",\"count\"],"
        + "\"values\":[[0,8]]}],\"partial\":true}]}\n"
      #expect(try eventually { try started.query("SELECT count(f) FROM m", "&partial=true").text == partial })
      let csv = try started.query("SELECT count(f) FROM m", "&partial=true&format=csv")
      #expect(csv.text.hasSuffix(",8\n") && csv.headers["x-varve-partial"] == "true", "\(csv)")
      let command = try run(
        "query", "--server", "http://" + started.address("http"), "--partial", "--format", "csv",
        "SELECT count(f) FROM m")
      #expect(command.output.hasSuffix(",8\n") && command.status == 0, "\(command)")
      #expect(command.words.contains("warning: the log is being replayed"), "\(command)")
      #expect(waiting.withLock { $0.count } == 0)

      gate.open()
      started.waitUntilReady()
      #expect(try started.get("/ready").status == 200)
      #expect(group.wait(timeout: .now() + 20) == .success)
      let whole = partial.replacing(",8]", with: ",13]").replacing(",\"partial\":true", with: "")
      #expect(waiting.withLock { $0.map(\.text) } == [String](repeating: whole, count: 12))
      #expect(try started.query("SELECT count(f) FROM m", "&partial=true").text == whole)
      try started.server.stop()
    }
  }

  @Test("a query waits up to its time limit")
  func timeLimit() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let gate = ReplayGate(at: 2)
      let started = try Started(killed(after: 3, in: directory), gate, queryTimeout: .milliseconds(50))
      defer { try? started.server.stop() }
      gate.waitUntilReached(2)
      let answer = try started.query("SELECT count(f) FROM m")
      #expect(answer.status == 503 && answer.headers["retry-after"] == "1", "\(answer)")
      #expect(answer.text.contains("the log is still being replayed"), "\(answer.text)")
      try started.server.stop()
    }
  }

  @Test("damage that the replay finds is said to who runs the server, and queries are refused with it")
  func damage() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let killed = try killed(after: 200, in: directory, segmentByteCount: 4_096)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: killed + "/wal/0000000001.wal"))
      // The first byte of the first payload; a segment behind it says that this one has ended.
      try file.seek(toOffset: 56 + 36)
      try file.write(contentsOf: [0xff])
      try file.close()
      let started = try Started(killed, ReplayGate(at: .max))
      started.waitUntilFailed()
      let failure = try #require(started.server.failure)
      #expect(failure.code == .corrupt && failure.file == "wal/0000000001.wal" && failure.offset == 56, "\(failure)")
      let answer = try started.query("SELECT count(f) FROM m")
      #expect(answer.status == 503 && answer.text.contains("wal/0000000001.wal:56"), "\(answer)")
      try started.server.stop()
      #expect(!started.words.withLock { $0 }.contains("ready"))
    }
  }

  @Test("stopped while it replays, the server answers who waits, ends at once and loses nothing")
  func stops() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let killed = try killed(after: 10, in: directory)
      let gate = ReplayGate(at: 4)
      let started = try Started(killed, gate)
      gate.waitUntilReached(4)
      let answered = Monitor<RawHTTP?>(nil)
      let group = DispatchGroup()
      DispatchQueue.global().async(group: group) {
        if let answer = try? started.query("SELECT count(f) FROM m") { answered.withLock { $0 = answer } }
      }
      let socket = try TestSocket(started.address("tcp"))
      try socket.send("m f=11i \(Self.time + 11)\n")
      #expect(try socket.acknowledge("t") == "ok t accepted=1 rejected=0")
      // Not read before the server stops.
      try socket.send("m f=12i \(Self.time + 12)\n# ack u\n")
      try started.server.stop()
      #expect(try socket.readLine() == "ok u accepted=1 rejected=0")
      #expect(group.wait(timeout: .now() + 20) == .success)
      #expect(answered.withLock { $0?.status ?? 0 } != 200)
      #expect(!started.words.withLock { $0 }.contains("ready") && started.server.failure == nil)

      let store = try Store.open(directory: killed)
      #expect(try StoreDriver(store).dump() == (1...12 as ClosedRange<Int64>).map { "m f=\($0)i \(Self.time + $0)" }.sorted())
      try store.close()
    }
  }
}

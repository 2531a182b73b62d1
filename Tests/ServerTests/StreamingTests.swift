import Foundation
import Server
import Storage
import TestSupport
import Testing

/// Answers that are sent while they are made, over real connections.
@Suite("Streaming", .serialized)
struct StreamingTests {
  private static let rowCount = 45_000
  private static let hostCount = 60
  private static let start: Int64 = 1_700_000_000

  /// A line of line protocol; what a field is follows from its row.
  private static func line(_ row: Int) -> String {
    "m,h=h\(row % hostCount) i=\(row)i,f=\(row % 977).25,s=\"\(text(row))\" \(start + Int64(row / hostCount))000000000"
  }

  /// Long, so that an answer is larger than what sockets hold.
  private static func text(_ row: Int) -> String { "text \(row % 7) \(String(repeating: "-", count: 240))" }

  private func withServer(_ arguments: [String] = [], _ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory, arguments: ["--memory", "64MiB"] + arguments)
      for part in 0..<15 {
        let rows = part * Self.rowCount / 15..<(part + 1) * Self.rowCount / 15
        let lines = Array(rows.lazy.map(Self.line).joined(separator: "\n").utf8)
        var status = 503
        // Little memory: now and then it has to be flushed first.
        while status == 503 { status = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: lines).status }
        #expect(status == 204)
      }
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  private static func target(_ statement: String, _ rest: String = "") -> String {
    "/query?db=metrics&epoch=s&q=\(percentEncoded(statement))\(rest)"
  }

  /// Asks, and reads nothing of the answer.
  private func begin(_ address: String, _ target: String, version: String = "1.1") throws -> TestSocket {
    let socket = try TestSocket(address, timeoutSeconds: 120, receiveByteCount: 16 << 10)
    try socket.send("GET \(target) HTTP/\(version)\r\nHost: x\r\nConnection: close\r\n\r\n")
    return socket
  }

  /// Numbers of the queries under way, once there are so many.
  private func queries(_ address: String, until count: Int) throws -> [Int64] {
    let deadline = Date().addingTimeInterval(60)
    while true {
      let answer = try RawHTTP.ask(address, "GET", "/query?q=SHOW%20QUERIES")
      let rows = answer.text.components(separatedBy: "[").compactMap { part -> Int64? in
        part.contains("SHOW QUERIES") ? nil : part.split(separator: ",").first.flatMap { Int64($0) }
      }
      if rows.count == count || Date() > deadline { return rows }
      usleep(1_000)
    }
  }

  private static func residentBytes(_ server: ServerProcess) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(server.processIdentifier)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1_024
  }

  @Test("an answer many times larger than the memory of queries is whole, and the process stays within its budget")
  func bounded() throws {
    try withServer { (server: ServerProcess) throws in
      let share = try server.metrics().sum("varve_memory_budget_bytes", ["part": "queries"])
      func expect(_ statement: String, _ rest: String, _ rows: [Int], _ row: (Int) -> String) throws {
        let answer = try RawHTTP.ask(server.http, "GET", Self.target(statement, rest))
        #expect(answer.status == 200 && answer.headers["content-length"] == nil && !answer.isCut)
        #expect(Double(answer.body.count) > 1.2 * share)
        // The rows are those of the model, in its order; what stands around them was tested with short answers.
        var place = answer.body[...]
        var found = 0
        for number in rows {
          let text = Array(row(number).utf8)
          guard let next = place.firstRange(of: text) else { break }
          if next.lowerBound - place.startIndex > 500 { break }
          place = place[next.upperBound...]
          found += 1
        }
        #expect(found == rows.count, "\(statement)\(rest): row \(found)")
      }
      let all = Array(0..<Self.rowCount)
      func json(_ row: Int) -> String {
        "[\(Self.start + Int64(row / Self.hostCount)),\(row % 977).25,\"h\(row % Self.hostCount)\",\(row),\"\(Self.text(row))\"]"
      }
      // Rows of one time are in the order of their hosts where these decide, and here they do not: by what each row says alone.
      let byHost = all.sorted {
        let (a, b) = ("h\($0 % Self.hostCount)", "h\($1 % Self.hostCount)")
        return a != b ? a < b : $0 < $1
      }
      func short(_ row: Int) -> String { "[\(Self.start + Int64(row / Self.hostCount)),\(row),\"\(Self.text(row))\"]" }
      try expect("SELECT i, s FROM m GROUP BY h", "", byHost, short)
      try expect("SELECT i, s FROM m GROUP BY h", "&chunked=true&chunk_size=500", byHost, short)
      try expect("SELECT i, s FROM m GROUP BY h ORDER BY time DESC", "", byHost.reversed(), short)
      try expect("SELECT i, s FROM m GROUP BY h", "&format=csv", byHost) {
        "\n\(Self.start + Int64($0 / Self.hostCount)),h\($0 % Self.hostCount),\($0),\(Self.text($0))"
      }
      let whole = try RawHTTP.ask(server.http, "GET", Self.target("SELECT f, h, i, s FROM m"), version: "HTTP/1.0")
      let rows = whole.text.components(separatedBy: "[[").last?.components(separatedBy: "]]").first?
        .components(separatedBy: "],[") ?? []
      let wanted = all.map { json($0).dropFirst().dropLast() }
      #expect(rows.count == wanted.count && rows.map { $0[...] }.sorted() == wanted.sorted())
      let resident = try Self.residentBytes(server)
      #expect(resident < 72 << 20, "\(resident)")
      #expect(try server.metrics().sum("varve_memory_used_bytes", ["part": "queries"]) == 0)
    }
  }

  @Test("a packed answer is sent packed while it is made")
  func packed() throws {
    try withServer { (server: ServerProcess) throws in
      let target = Self.target("SELECT i FROM m GROUP BY h")
      let plain = try RawHTTP.ask(server.http, "GET", target)
      let packed = try RawHTTP.ask(server.http, "GET", target, headers: ["Accept-Encoding: gzip"])
      #expect(packed.headers["content-encoding"] == "gzip" && packed.body.count < plain.body.count / 2)
      #expect(try gzip(packed.body, ["-dc"]) == plain.body)
    }
  }

  @Test("readers that stand still hold up nobody, cost a bounded amount, and get the rest when they read on")
  func slowReaders() throws {
    try withServer { (server: ServerProcess) throws in
      // More than there are workers.
      let target = Self.target("SELECT i, s FROM m GROUP BY h")
      let sockets = try (0..<7).map { _ in try begin(server.http, target) }
      #expect(try queries(server.http, until: 7).count == 7)
      let asked = ContinuousClock.now
      #expect(try server.count("i", of: "m") == Int64(Self.rowCount))
      #expect(ContinuousClock.now - asked < .seconds(20))
      let share = try server.metrics().sum("varve_memory_budget_bytes", ["part": "queries"])
      #expect(try server.metrics().sum("varve_memory_used_bytes", ["part": "queries"]) <= share)
      let first = RawHTTP.parse(try sockets[0].readToEnd())
      #expect(first.status == 200 && !first.isCut && first.text.hasSuffix("]]}]}]}\n"))
      for socket in sockets.dropFirst() {
        let answer = RawHTTP.parse(try socket.readToEnd())
        #expect(answer.body == first.body)
      }
      #expect(try queries(server.http, until: 0).isEmpty)
    }
  }

  @Test("a reader that goes away takes its query with it, read or not", arguments: [true, false])
  func gone(resets: Bool) throws {
    try withServer { (server: ServerProcess) throws in
      for reads in [false, true] {
        let socket = try begin(server.http, Self.target("SELECT i, s FROM m GROUP BY h"))
        #expect(try queries(server.http, until: 1).count == 1)
        if reads { _ = try socket.readLine() }
        let left = ContinuousClock.now
        if resets { socket.reset() } else { socket.close() }
        #expect(try queries(server.http, until: 0).isEmpty)
        #expect(ContinuousClock.now - left < .seconds(5))
      }
    }
  }

  @Test("KILL QUERY ends an answer in its middle: the document is whole and says why, a format without words is cut")
  func killed() throws {
    try withServer { (server: ServerProcess) throws in
      for format in ["", "&chunked=true", "&format=csv"] {
        let socket = try begin(server.http, Self.target("SELECT i, s FROM m GROUP BY h", format))
        let id = try #require(try queries(server.http, until: 1).first)
        // The client stands still, and the worker soon too.
        _ = try server.metrics { _ in socket.isReadable(withinMilliseconds: 1_000) }
        let killedAt = ContinuousClock.now
        _ = try RawHTTP.ask(server.http, "POST", "/query?q=" + percentEncoded("KILL QUERY \(id)"))
        #expect(try queries(server.http, until: 0).isEmpty)
        #expect(ContinuousClock.now - killedAt < .seconds(2))
        let answer = RawHTTP.parse(try socket.readToEnd())
        #expect(answer.status == 200)
        if format == "&format=csv" {
          #expect(answer.isCut)
          continue
        }
        #expect(!answer.isCut && answer.text.hasSuffix("\"error\":\"query interrupted\"}]}\n"), "\(answer.text.suffix(300))")
        for document in answer.text.split(separator: "\n") {
          #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(document.utf8)) }
        }
      }
    }
  }

  @Test("a client that takes nothing for as long as a query may take gets the end that says so")
  func timeLimit() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var configuration = ServerConfiguration()
      configuration.dataDirectory = directory
      configuration.listeners = [ListenerConfiguration(kind: .http, host: "127.0.0.1", port: 0)]
      configuration.queryTimeout = .milliseconds(700)
      let isReady = DispatchSemaphore(value: 0)
      let server = try Server(configuration, say: { if $0 == "ready" { isReady.signal() } }, onFailure: {})
      isReady.wait()
      let http = try #require(server.listening.first?.split(separator: " ").last.map(String.init))
      let lines = Array((0..<Self.rowCount).lazy.map(Self.line).joined(separator: "\n").utf8)
      #expect(try RawHTTP.ask(http, "POST", "/write?db=metrics", body: lines).status == 204)
      let socket = try begin(http, Self.target("SELECT i, s FROM m GROUP BY h"))
      #expect(socket.isReadable(withinMilliseconds: 60_000))
      #expect(try queries(http, until: 0).isEmpty)
      let answer = RawHTTP.parse(try socket.readToEnd())
      #expect(answer.text.hasSuffix("\"error\":\"query interrupted\"}]}\n"), "\(answer.text.suffix(300))")
      try server.stop()
    }
  }

  @Test("a server that is stopped does not wait for a client that stands still")
  func stopped() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try begin(server.http, Self.target("SELECT i, s FROM m GROUP BY h"))
      #expect(socket.isReadable(withinMilliseconds: 60_000))
      let asked = ContinuousClock.now
      #expect(server.stop() == 0)
      #expect(ContinuousClock.now - asked < .seconds(20))
    }
  }

  @Test("damage that is met after bytes are out ends the answer with its place; asked again it is left out from the start")
  func damaged() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var server = try ServerProcess(dataDirectory: directory, arguments: ["--window", "1h"])
      // The first window alone is longer than what is sent whole.
      let lines = (0..<40_000).map { "m,h=h\($0 % 4) v=\($0 * 7_919 % 1_000_003)i \((Self.start / 3_600 * 3_600) * 1_000 + Int64($0 / 4) * 500)000000" }
      let body = Array(lines.joined(separator: "\n").utf8)
      #expect(try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: body).status == 204)
      #expect(try RawHTTP.ask(server.http, "POST", "/compact?wait=true").status == 200)
      let question = Self.target("SELECT v FROM m")
      let whole = try RawHTTP.ask(server.http, "GET", question)
      #expect(whole.headers["content-length"] == nil && !whole.text.contains("error"))
      #expect(server.stop() == 0)

      let folder = URL(fileURLWithPath: directory).appendingPathComponent("tables/0000001")
      let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
      #expect(names.count == 2)
      // The later window's first block of values, a little behind the header.
      let path = folder.appendingPathComponent(try #require(names.last))
      var bytes = try Data(contentsOf: path)
      bytes[bytes.count / 3] ^= 1
      try bytes.write(to: path)

      server = try ServerProcess(dataDirectory: directory, arguments: ["--window", "1h"])
      let broken = try RawHTTP.ask(server.http, "GET", question)
      #expect(broken.headers["content-length"] == nil && !broken.isCut)
      let end = broken.text.suffix(400)
      #expect(end.contains("\"error\":\"tables/0000001/\(names[1]):") && end.contains("ask again for what is whole"), "\(end)")
      let shared = zip(broken.body, whole.body).prefix { $0 == $1 }.count
      #expect(shared > 200_000, "what was sent before is as it was")
      let again = try RawHTTP.ask(server.http, "GET", question).text
      #expect(again.contains("\"partial\":true") && again.contains("left out as damaged") && !again.contains("\"error\""))
      #expect(server.stop() == 0)
    }
  }
}

import Foundation
import TestSupport
import Testing

/// What no sender should send: each is refused and counted, and everything else goes on.
@Suite("Bad input over TCP", .serialized)
struct BadInputTests {
  private func withServer(_ arguments: [String] = [], _ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory, arguments: arguments)
      try body(server)
      // Whatever came, the next sender is served.
      #expect(try TestSocket(server.tcp).acknowledge("still-there") == "ok still-there accepted=0 rejected=0")
      #expect(server.stop() == 0)
    }
  }

  @Test("a tag that takes a new value with every point is refused by name, over TCP, HTTP and in the metrics")
  func cardinality() throws {
    try withServer(["--series-limit", "3", "--tag-values-limit", "2"]) { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("http,request_id=1 f=1\nhttp,request_id=2 f=1\nhttp,request_id=3 f=1\n# ack a\n")
      let (rejects, last) = try socket.answer()
      #expect(last == "ok a accepted=2 rejected=1")
      #expect(
        rejects == [
          #"reject line=3 column=1 reason="database \"metrics\": tag key \"request_id\" of \"http\" has 2 values, the limit""#
        ])
      _ = try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array("cpu,host=a f=1".utf8))
      let refused = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array("cpu,host=b f=1\ncpu,host=a f=2".utf8))
      #expect(refused.status == 400)
      #expect(refused.text.contains(#"database \"metrics\" has 3 series, the limit; tag key \"host\" of \"cpu\" has 1 values"#))
      let page = try server.metrics()
      #expect(page.rejected("tcp", "limit") == 1 && page.rejected("http", "limit") == 1)
      #expect(page.sum("varve_series_refused_total", ["database": "metrics", "limit": "series"]) == 1)
      #expect(page.sum("varve_series_refused_total", ["database": "metrics", "limit": "tag_values"]) == 1)
      #expect(page.sum("varve_cardinality_limit", ["limit": "series"]) == 3 && page.accepted("http") == 2)
    }
  }

  @Test("a line over the limit is refused once, the next one is read")
  func longLines() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      let long = "m f=\"" + String(repeating: "x", count: 3 << 20) + "\" 1\n"
      try socket.send("m f=1 1\n" + long + "m f=2 2\n# ack t\n")
      let (rejects, last) = try socket.answer()
      #expect(last == "ok t accepted=2 rejected=1")
      #expect(rejects.count == 1 && rejects[0].hasPrefix("reject line=2 column="), "\(rejects)")
      let plain = String(repeating: "y", count: (1 << 20) + 1)
      try socket.send(plain + "\nm f=3 3\n# ack u\n")
      let second = try socket.answer()
      #expect(second.last == "ok u accepted=1 rejected=1")
      #expect(second.rejects.first?.hasPrefix("reject line=5 ") == true, "\(second.rejects)")
      let page = try server.metrics()
      // In an open quote the missing quote is the reason.
      #expect(page.rejected("tcp", "too_long") == 1)
      #expect(page.rejected("tcp", "syntax") == 1)
      #expect(page.rejected("tcp") == 2)
    }
  }

  @Test("a line of exactly the limit is taken, one byte more is not")
  func limit() throws {
    try withServer(["--max-line", "1000"]) { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      let head = "m f=\""
      let fits = head + String(repeating: "x", count: 999 - head.utf8.count) + "\""
      try socket.send(fits + "\n# ack fits\n")
      #expect(try socket.answer().last == "ok fits accepted=1 rejected=0")
      try socket.send(head + "x" + fits.dropFirst(head.count) + "\n# ack over\n")
      #expect(try socket.answer().last == "ok over accepted=0 rejected=1")
    }
  }

  @Test("an endless line without a newline keeps memory bounded")
  func endless() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1 << 20)
      for _ in 0..<8 { try socket.send(piece) }
      _ = try server.metrics { $0.sum("varve_ingest_bytes_total", ["listener": "tcp"]) >= 8 * 1_048_576 }
      let before = try residentKibibytes(server)
      for _ in 0..<64 { try socket.send(piece) }
      let page = try server.metrics {
        $0.sum("varve_ingest_bytes_total", ["listener": "tcp"]) >= 72 * 1_048_576
      }
      #expect(page.sum("varve_ingest_bytes_total", ["listener": "tcp"]) == 72 * 1_048_576)
      #expect(try residentKibibytes(server) - before < 16_384)
      #expect(page.rejected("tcp", "too_long") == 1)
      try socket.send("\nm f=1\n")
      #expect(try socket.acknowledge("t") == "ok t accepted=1 rejected=1")
    }
  }

  private func residentKibibytes(_ server: ServerProcess) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(server.processIdentifier)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return line.split(separator: " ").compactMap { Int($0) }.first ?? 0
  }

  @Test("NUL bytes and bytes that are not UTF-8 are refused or kept as they are, never a crash")
  func strangeBytes() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      // A line of NUL bytes is blank, as InfluxDB has it.
      try socket.send(
        [0, 0, 10] + Array("m f=1".utf8) + [0, 10] + Array("m,t=".utf8) + [0xff, 0xfe]
          + Array(" f=1\nm s=\"".utf8))
      try socket.send([0xc3] + Array("\"\nm f=5\n# ack t\n".utf8))
      #expect(try socket.answer().last == "ok t accepted=1 rejected=3")
      let page = try server.metrics()
      #expect(page.rejected("tcp", "utf8") == 2)
    }
  }

  @Test("random bytes: every line is accepted or refused, and the server goes on")
  func garbage() throws {
    try withServer { (server: ServerProcess) throws in
      for seed in 1...8 as ClosedRange<UInt64> {
        var random = SplitMix64(seed: seed)
        let socket = try TestSocket(server.tcp)
        // Half of it letters of the grammar, so that parsing gets further than the first byte.
        let grammar = Array("m,t=f 1.5eiu\"\\\n#-".utf8)
        let bytes = (0..<200_000).map { _ in
          UInt64.random(in: 0..<2, using: &random) == 0
            ? UInt8.random(in: 0...255, using: &random) : grammar.randomElement(using: &random) ?? 0
        }
        try socket.send(bytes + Array("\n# ack end\n".utf8))
        let (_, last) = try socket.answer()
        #expect(last.hasPrefix("ok end accepted="), "seed \(seed): \(last)")
      }
      let page = try server.metrics()
      #expect(page.rejected("tcp") > 0)
    }
  }

  @Test("an open quote does not swallow the question for an acknowledgement")
  func openQuote() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("m f=1\nm s=\"open\nm f=2\nm f=3\n# ack t\nm f=4\n# ack u\n")
      let (rejects, last) = try socket.answer()
      #expect(last == "ok t accepted=1 rejected=1")
      #expect(rejects.first?.hasPrefix("reject line=2 ") == true, "\(rejects)")
      #expect(try socket.answer().last == "ok u accepted=1 rejected=0")
    }
  }

  @Test("HTTP on the line protocol port is refused, counted and explained")
  func httpOnTCP() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("POST /write?db=metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nm f=1\n")
      socket.finishSending()
      #expect(try socket.readToEnd() == [])
      let page = try server.metrics { $0.rejected("tcp") == 3 }
      #expect(page.rejected("tcp") == 3)
      #expect(page.accepted("tcp") == 1)
      #expect(server.output.contains("speaks HTTP"), "\(server.output)")
    }
  }

  @Test(
    "a sender that hangs in the middle of a line holds nobody up, and neither does one that does not read")
  func hung() throws {
    try withServer { (server: ServerProcess) throws in
      let hung = try (0..<20).map { _ in try TestSocket(server.tcp) }
      for socket in hung { try socket.send("hung f=1") }
      // Asks and never reads: the answers fill the buffers, then the server stops reading from it.
      let deaf = try TestSocket(server.tcp, timeoutSeconds: 1)
      let questions = Array(String(repeating: "bad\n# ack t\n", count: 50_000).utf8)
      for _ in 0..<20 {
        do { try deaf.send(questions) } catch { break }
      }
      // What the server read of the questions before it stopped is answered first: seconds under a sanitizer.
      let socket = try TestSocket(server.tcp, timeoutSeconds: 120)
      try socket.send("m f=1\n")
      #expect(try socket.acknowledge("t") == "ok t accepted=1 rejected=0")
      withExtendedLifetime((hung, deaf)) {}
    }
  }

  @Test("many connections at once each get their own answer")
  func manyConnections() throws {
    try withServer { (server: ServerProcess) throws in
      let sockets = try (0..<200).map { _ in try TestSocket(server.tcp) }
      for (index, socket) in sockets.enumerated() {
        try socket.send("many,c=\(index) f=\(index)i 1\n# ack c\(index)\n")
      }
      for (index, socket) in sockets.enumerated() {
        #expect(try socket.answer().last == "ok c\(index) accepted=1 rejected=0")
      }
      #expect(try server.count("f", of: "many") == 200)
    }
  }
}

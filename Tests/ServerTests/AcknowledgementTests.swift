import Foundation
import TestSupport
import Testing

/// `# ack TOKEN`, as the interface promises it.
@Suite("Acknowledgements over TCP", .serialized)
struct AcknowledgementTests {
  private func withServer(_ arguments: [String] = [], _ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory, arguments: arguments)
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  @Test("counts are those since the last answer, rejects are numbered from the connection's start")
  func counts() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("m f=1 1000000000000000001\nbad\n\n# comment\nm f=2 1000000000000000002\n# ack a\n")
      var (rejects, last) = try socket.answer()
      #expect(rejects == [#"reject line=2 column=4 reason="missing fields""#])
      #expect(last == "ok a accepted=2 rejected=1")
      #expect(try socket.acknowledge("b") == "ok b accepted=0 rejected=0")
      try socket.send("m f=3 1000000000000000003\nm s=\"two\nlines\" 1000000000000000004\nm f=x\n# ack c\n")
      (rejects, last) = try socket.answer()
      #expect(last == "ok c accepted=2 rejected=1")
      #expect(rejects.count == 1)
      #expect(rejects.first?.hasPrefix("reject line=11 column=") == true, "\(rejects)")
      #expect(try server.ask("SELECT count(f) FROM m").first?.values.first?.last?.integer == 3)
    }
  }

  @Test("of many rejects the first hundred are named, with quotes escaped")
  func manyRejects() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send(String(repeating: "bad\n", count: 250) + "# ack t\n")
      let (rejects, last) = try socket.answer()
      #expect(last == "ok t accepted=0 rejected=250")
      #expect(rejects.count == 100)
      #expect(rejects.last?.hasPrefix("reject line=100 ") == true)
      try socket.send("m,time=1 f=1\n# ack u\n")
      let answer = try socket.answer()
      #expect(
        answer.rejects == [
          #"reject line=252 column=3 reason="invalid tag key: input tag \"time\" on measurement \"m\" is invalid""#
        ])
    }
  }

  @Test("several tokens outstanding are answered in order")
  func outstanding() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      var text = ""
      for token in 0..<50 {
        for line in 0..<token { text += "m,t=\(token) f=\(line)i \(1_000_000_000_000_000_000 + line)\n" }
        text += "# ack token-\(token)\n"
      }
      // In small pieces, so that tokens are cut in two.
      let bytes = Array(text.utf8)
      for start in stride(from: 0, to: bytes.count, by: 997) {
        try socket.send(Array(bytes[start..<min(start + 997, bytes.count)]))
      }
      for token in 0..<50 {
        #expect(try socket.answer().last == "ok token-\(token) accepted=\(token) rejected=0")
      }
    }
  }

  @Test("a token that is missing, too long or not printable makes the line a comment")
  func noTokens() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      let long = String(repeating: "x", count: 65)
      try socket.send(
        "# ack \n# ack\n# ack \(long)\n# ack two words\n# ack \u{1}\n# ack é\n#ack x\nm f=1\n# ack end\n")
      let (rejects, last) = try socket.answer()
      #expect(rejects == [])
      #expect(last == "ok end accepted=1 rejected=0")
      let longest = String(repeating: "y", count: 64)
      #expect(try socket.acknowledge(longest) == "ok \(longest) accepted=0 rejected=0")
    }
  }

  @Test("after a half-close the last line may lack its newline; all is committed and answered")
  func halfClose() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("half f=1 1000000000000000001\n# ack a\nhalf f=2 1000000000000000002")
      socket.finishSending()
      #expect(try socket.answer().last == "ok a accepted=1 rejected=0")
      #expect(try socket.readLine() == nil)
      #expect(try server.count("f", of: "half") == 2)
      let other = try TestSocket(server.tcp)
      try other.send("half f=3 1000000000000000003\n# ack last")
      other.finishSending()
      #expect(try other.answer().last == "ok last accepted=1 rejected=0")
      #expect(try other.readLine() == nil)
    }
  }

  @Test("after a reset the unfinished line is dropped and counted, what stands before it is kept")
  func reset() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("cut f=1 1000000000000000001\n# ack a\ncut f=2 10000000000000000")
      #expect(try socket.answer().last == "ok a accepted=1 rejected=0")
      socket.reset()
      let page = try server.metrics { $0.rejected("tcp", "unterminated") == 1 }
      #expect(page.rejected("tcp", "unterminated") == 1)
      #expect(page.rejected("tcp") == 1)
      #expect(try server.count("f", of: "cut") == 1)
    }
  }

  @Test("a sender that does not ask is never written to")
  func silent() throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      try socket.send("quiet f=1\nbad\n" + String(repeating: "z", count: 100) + "\n# a comment\n")
      let page = try server.metrics { $0.accepted("tcp") == 1 && $0.rejected("tcp") == 2 }
      #expect(page.accepted("tcp") == 1)
      #expect(page.rejected("tcp") == 2)
      #expect(!socket.isReadable(withinMilliseconds: 200))
      socket.finishSending()
      #expect(try socket.readToEnd() == [])
    }
  }

  @Test("what is acknowledged can be read at once", arguments: ["group", "interval=100ms", "none"])
  func readable(sync: String) throws {
    try withServer(["--sync", sync]) { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      for round in 1...20 {
        try socket.send("now f=\(round)i \(1_000_000_000_000_000_000 + round)\n# ack r\(round)\n")
        #expect(try socket.answer().last == "ok r\(round) accepted=1 rejected=0")
        #expect(try server.count("f", of: "now") == Int64(round))
      }
    }
  }

  @Test("points that are expired or too far ahead are rejected and named")
  func refusedByTime() throws {
    try withServer(["--retention", "1h"]) { (server: ServerProcess) throws in
      let socket = try TestSocket(server.tcp)
      let now = Int64(Date().timeIntervalSince1970) * 1_000_000_000
      let year: Int64 = 365 * 86_400_000_000_000
      try socket.send("m f=1 \(now)\nm f=2 \(now - year)\nm f=3 \(now + 11 * year)\n# ack t\n")
      let (rejects, last) = try socket.answer()
      #expect(last == "ok t accepted=1 rejected=2")
      #expect(rejects.map { String($0.prefix(13)) } == ["reject line=2", "reject line=3"], "\(rejects)")
      let page = try server.metrics()
      #expect(page.rejected("tcp", "expired") == 1)
      #expect(page.rejected("tcp", "future") == 1)
    }
  }
}

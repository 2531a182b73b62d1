import Foundation
import TestSupport
import Testing

/// Queries over real connections: what writes, what is ended, and what is refused.
@Suite("Query control", .serialized)
struct QueryControlTests {
  /// A request that would take far longer than any test: one statement again and again.
  private static let slow = Array(
    repeating: "SELECT median(v), mode(v), percentile(v, 50) FROM (SELECT v * 2 AS v FROM m WHERE v > 1)",
    count: 3_000
  ).joined(separator: ";")

  private func withServer(_ body: (ServerProcess) throws -> Void) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let lines = (0..<20_000).map {
        "m,h=h\($0 % 5) v=\($0 * 7_919 % 20_011),i=\($0)i \(1_700_000_000 + $0)000000000"
      }
      let answer = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array(lines.joined(separator: "\n").utf8))
      #expect(answer.status == 204)
      try body(server)
      #expect(server.stop() == 0)
    }
  }

  /// Sends the slow request and leaves it under way.
  private func startSlowQuery(_ server: ServerProcess) throws -> TestSocket {
    let socket = try TestSocket(server.http, timeoutSeconds: 120)
    let body = "db=metrics&q=" + percentEncoded(Self.slow)
    try socket.send(
      "POST /query HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
    return socket
  }

  /// Number, text and status of the queries under way besides the asking one.
  private func queries(_ server: ServerProcess) throws -> [(id: Int64, text: String, status: String)] {
    let rows = try server.ask("SHOW QUERIES").first?.values ?? []
    return rows.compactMap { row in
      guard case .integer(let id) = row[0], case .string(let text) = row[1],
        case .string(let status) = row[4],
        text != "SHOW QUERIES"
      else { return nil }
      return (id, text, status)
    }
  }

  private func queries(_ server: ServerProcess, until count: Int) throws -> [(
    id: Int64, text: String, status: String
  )] {
    let deadline = Date().addingTimeInterval(60)
    while true {
      let found = try queries(server)
      if found.count == count || Date() > deadline { return found }
      usleep(2_000)
    }
  }

  @Test("a query is shown, killed, and answers that it was, though every worker is busy")
  func killed() throws {
    try withServer { (server: ServerProcess) throws in
      // More than there are workers: the last waits for its turn, and is not yet under way.
      let sockets = try (0..<6).map { _ in try startSlowQuery(server) }
      let found = try queries(server, until: 4)
      #expect(
        found.count == 4
          && found.allSatisfy { $0.text.hasPrefix("SELECT median(v)") && $0.status == "running" })
      let killedAt = ContinuousClock.now
      var killed: Set<Int64> = []
      while killed.count < sockets.count, ContinuousClock.now - killedAt < .seconds(60) {
        for query in try queries(server) where !killed.contains(query.id) {
          let answer = try RawHTTP.ask(
            server.http, "POST", "/query?q=" + percentEncoded("KILL QUERY \(query.id)"))
          #expect(answer.text == "{\"results\":[{\"statement_id\":0}]}\n", "\(answer.text)")
          killed.insert(query.id)
        }
        usleep(2_000)
      }
      for socket in sockets {
        let text = String(decoding: try socket.readToEnd(), as: UTF8.self)
        #expect(
          text.contains("{\"statement_id\":2999,\"error\":\"query interrupted\"}"), "\(text.suffix(200))")
      }
      #expect(ContinuousClock.now - killedAt < .seconds(60))
      #expect(try queries(server).isEmpty)
      let again = try RawHTTP.ask(server.http, "POST", "/query?q=KILL%20QUERY%201000000")
      #expect(again.text == "{\"results\":[{\"statement_id\":0,\"error\":\"no such query id: 1000000\"}]}\n")
    }
  }

  @Test("a client that goes away takes its query with it", arguments: [true, false])
  func abandoned(resets: Bool) throws {
    try withServer { (server: ServerProcess) throws in
      let socket = try startSlowQuery(server)
      #expect(try queries(server, until: 1).count == 1)
      if resets { socket.reset() } else { socket.close() }
      #expect(try queries(server, until: 0).isEmpty)
      #expect(try server.count("v", of: "m") == 20_000)
    }
  }

  @Test("SELECT INTO writes points that outlive a kill of the server")
  func into() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let lines = (0..<5_000).map { "m,h=h\($0 % 5) v=\($0) \(1_700_000_000 + $0)000000000" }
      _ = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Array(lines.joined(separator: "\n").utf8))
      let written = try server.ask("SELECT mean(v) INTO rollup FROM m WHERE time > 0 GROUP BY time(10s), h")
      #expect(written.first?.name == "result" && written.first?.columns == ["time", "written"])
      #expect(written.first?.values == [[.integer(0), .integer(2_500)]])
      let copied = try server.ask("SELECT * INTO copy FROM m GROUP BY *")
      #expect(copied.first?.values == [[.integer(0), .integer(5_000)]])
      let metrics = try server.metrics()
      #expect(metrics.accepted("into") == 7_500)
      server.kill()
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("mean", of: "rollup") == 2_500)
      #expect(try again.ask("SELECT sum(v) FROM copy").first?.values.first?.last == .integer(12_497_500))
      #expect(try again.ask("SHOW TAG KEYS FROM rollup").first?.values == [[.string("h")]])
      #expect(again.stop() == 0)
    }
  }

  @Test("the server answers bad statements and goes on")
  func bad() throws {
    try withServer { (server: ServerProcess) throws in
      let deep = "SELECT " + String(repeating: "(", count: 10_000) + "v FROM m"
      let wide = "SELECT v FROM m WHERE " + (0..<50_000).map { "h = 'x\($0)'" }.joined(separator: " OR ")
      let cases: [(String, Int, String)] = [
        (deep, 400, "nested more than"), (String(repeating: "x", count: 1 << 20), 400, "at line 1, char 1"),
        (wide, 200, "{\"results\":[{\"statement_id\":0}]}"),
        ("SELECT foo(v) FROM m", 200, "undefined function foo()"),
        (
          "SELECT mean(v) FROM m WHERE time > 0 AND time < 1700000100s GROUP BY time(1s)", 200,
          "max-select-buckets limit exceeded"
        ),
        ("SELECT v FROM m WHERE h =~ /(a{1000}){1000}/", 400, "regular expressions too large"),
        ("SELECT mean(v) FROM m GROUP BY time(1mo)", 200, "\"mean\""),
        ("SELECT v FROM m WHERE time > 1mo", 400, "invalid duration"),
      ]
      for (text, status, message) in cases {
        let answer = try RawHTTP.ask(
          server.http, "POST", "/query?db=metrics",
          headers: ["Content-Type: application/x-www-form-urlencoded"],
          body: Array("q=\(percentEncoded(text))".utf8))
        #expect(
          answer.status == status && answer.text.contains(message),
          "\(text.prefix(60)): \(answer.status) \(answer.text.prefix(200))")
      }
      let bound = try RawHTTP.ask(
        server.http, "GET",
        "/query?db=metrics&q=\(percentEncoded("SELECT count($f) FROM m WHERE h =~ $r"))&params="
          + percentEncoded("{\"f\":{\"identifier\":\"v\"},\"r\":{\"regex\":\"^h[01]$\"}}"))
      #expect(bound.text.contains("8000"), "\(bound.text)")
      let unbound = try RawHTTP.ask(
        server.http, "GET", "/query?db=metrics&q=SHOW%20DATABASES&params=%7B%22x%22%3Anull%7D")
      #expect(
        unbound.status == 400 && unbound.text.contains("error parsing query parameters: $x"),
        "\(unbound.text)")
      #expect(try server.count("v", of: "m") == 20_000)
    }
  }

  @Test("a dropped shard is gone, and does not come back with the log")
  func shard() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      _ = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics",
        body: Array("m v=1 1600000000000000000\nm v=2 1700000000000000000\nm v=3 1750000000000000000".utf8))
      let shards = try #require(try server.ask("SHOW SHARDS").first { $0.name == "metrics" })
      #expect(shards.values.count == 3)
      let id = try #require(shards.values[1][0].integer)
      _ = try RawHTTP.ask(server.http, "POST", "/query?q=" + percentEncoded("DROP SHARD \(id)"))
      #expect(try server.ask("SHOW SHARDS").first { $0.name == "metrics" }?.values.count == 2)
      #expect(try server.count("v", of: "m") == 2)
      server.kill()
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("v", of: "m") == 2)
      #expect(again.stop() == 0)
    }
  }
}

import Foundation
import TestSupport
import Testing

/// Connections are bounded by the limit of open files, and each bound is held to at its edge.
@Suite("Connection limits", .serialized)
struct ConnectionLimitTests {
  /// Of 256 files a quarter is for connections of each kind.
  private static let limit = 64

  private static func server(_ directory: String, _ command: String) throws -> ServerProcess {
    try ServerProcess(dataDirectory: directory, prefix: ["sh", "-c", command + "; exec \"$0\" \"$@\""])
  }

  private static func page(_ server: ServerProcess) throws -> MetricsPage {
    try MetricsPage(RawHTTP.ask(server.http, "GET", "/metrics").text)
  }

  private static func value(_ page: MetricsPage, _ name: String, _ listener: String) -> Double? {
    page.samples.first { $0.name == name && $0.labels["listener"] == listener }?.value
  }

  /// A connection that the server has taken in: it has answered.
  private static func talking(_ server: ServerProcess, _ index: Int) throws -> TestSocket {
    let socket = try TestSocket(server.tcp)
    try socket.send("many,c=\(index) f=1i 1000\n# ack t\n")
    #expect(try socket.answer().last == "ok t accepted=1 rejected=0")
    return socket
  }

  @Test(
    "TCP connections up to the limit are served, one more is closed and counted, and a place that is left is taken"
  )
  func tcp() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try Self.server(directory, "ulimit -n 256")
      #expect(server.output.contains("no more than 256 files may be open"), "\(server.output)")
      var sockets = try (0..<Self.limit).map { try Self.talking(server, $0) }
      #expect(try TestSocket(server.tcp).readLine() == nil)
      let page = try Self.page(server)
      #expect(
        Self.value(page, "varve_connections", "tcp") == 64
          && Self.value(page, "varve_connection_limit", "tcp") == 64)
      #expect(Self.value(page, "varve_connections_refused_total", "tcp") == 1)
      #expect(Self.value(page, "varve_connections", "udp") == nil)
      sockets[7].close()
      while Self.value(try Self.page(server), "varve_connections", "tcp") == 64 {}
      sockets[7] = try Self.talking(server, 100)
      #expect(try TestSocket(server.tcp).readLine() == nil)
      for socket in sockets { socket.close() }
      #expect(server.stop() == 0)
    }
  }

  @Test("HTTP connections up to the limit are served, one more waits for a place")
  func http() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try Self.server(directory, "ulimit -n 256")
      let ask = "GET /health HTTP/1.1\r\nHost: varve\r\n\r\n"
      let held = try (0..<Self.limit).map { _ in
        let socket = try TestSocket(server.http)
        try socket.send(ask)
        #expect(try socket.readLine()?.contains("200") == true)
        return socket
      }
      let late = try TestSocket(server.http)
      try late.send(ask)
      try held[0].send("GET /metrics HTTP/1.1\r\nHost: varve\r\nConnection: close\r\n\r\n")
      let page = String(decoding: try held[0].readToEnd(), as: UTF8.self)
      #expect(page.contains("varve_connections{listener=\"http\"} 64\n"))
      #expect(page.contains("varve_connection_limit{listener=\"http\"} 64\n"))
      // The place that was left.
      #expect(try late.readLine()?.contains("200") == true)
      for socket in held { socket.close() }
      late.close()
      #expect(server.stop() == 0)
    }
  }

  @Test("the soft limit of open files is raised to the hard one")
  func raises() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      let server = try Self.server(directory, "ulimit -Sn 200")
      let page = try Self.page(server)
      let found = try #require(page.samples.first { $0.name == "varve_open_files_limit" })
      #expect(UInt64(found.value) == UInt64(limit.rlim_max), "\(found)")
      #expect(server.stop() == 0)
    }
  }
}

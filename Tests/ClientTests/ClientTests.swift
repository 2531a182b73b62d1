import Client
import Glibc
import Testing

@Suite("HTTP client")
struct HTTPClientTests {
  @Test("status, headers and body come through; one connection serves many requests")
  func requests() throws {
    let server = TinyServer { _ in
      answer("400 Bad Request", "{\"error\":\"é\"}", "X-Influxdb-Version: 1.8.10\r\n")
    }
    defer { server.stop() }
    let client = try HTTPClient(server.url + "/")
    for _ in 0..<3 {
      let response = try client.get("/ping", [("a b", "ä&=?")])
      #expect(response.status == 400 && !response.isSuccess)
      #expect(response.text == "{\"error\":\"é\"}")
      #expect(response.header("x-influxdb-version") == "1.8.10")
    }
    #expect(server.connectionCount == 1)
    #expect(server.requests.first?.hasPrefix("GET /ping?a%20b=%C3%A4%26%3D%3F HTTP/1.1\r\n") == true)
  }

  @Test(
    "bodies arrive as they are, without a wait for \"100 Continue\"", arguments: [0, 1, 5_000, 3_000_000])
  func bodies(byteCount: Int) throws {
    let server = TinyServer { answer("200 OK", "\($0.utf8.count)") }
    defer { server.stop() }
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: byteCount)
    let client = try HTTPClient(server.url)
    let response = try body.withUnsafeBytes { try client.post("/write", [("db", "d")], body: $0) }
    #expect(response.status == 200)
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("POST /write?db=d HTTP/1.1\r\n"))
    #expect(request.utf8.reversed().prefix { $0 == UInt8(ascii: "x") }.count == byteCount)
    #expect(!request.lowercased().contains("expect:"))
    #expect(!request.lowercased().contains("content-type:"))
  }

  @Test("forms are encoded; their answers can be streamed, errors are kept whole")
  func forms() throws {
    let server = TinyServer { request in
      request.contains("fail")
        ? answer("500 Oops", "why") : answer("200 OK", String(repeating: "row\n", count: 50_000))
    }
    defer { server.stop() }
    let client = try HTTPClient(server.url)
    var received = 0
    let response = try client.postForm("/query", [("q", "SELECT \"a\"")]) { received += $0.byteCount }
    #expect(received == 200_000 && response.body.isEmpty)
    #expect(server.requests[0].hasSuffix("q=SELECT%20%22a%22"))
    let failed = try client.postForm("/query", [("q", "fail")]) { _ in received = -1 }
    #expect(failed.status == 500 && failed.text == "why" && received == 200_000)
  }

  private struct Enough: Error {}

  @Test("a receiver that throws ends the transfer, and its error is kept")
  func stops() throws {
    let server = TinyServer { _ in answer("200 OK", String(repeating: "x", count: 100_000)) }
    defer { server.stop() }
    let client = try HTTPClient(server.url)
    #expect { try client.postForm("/query", []) { _ in throw Enough() } } throws: { error in
      (error as? ClientError)?.code == .stopped
    }
    #expect(client.receiverError is Enough)
    #expect(try client.get("/").status == 200)
  }

  @Test("where nothing listens the error names the URL")
  func unreachable() throws {
    let client = try HTTPClient("127.0.0.1:1")
    #expect { try client.get("/ping") } throws: { error in
      guard let error = error as? ClientError else { return false }
      return error.code == .unreachable
        && error.description.hasPrefix("no server answers at http://127.0.0.1:1: ")
    }
  }

  @Test("an answer that breaks off and one that does not come are errors of their own")
  func broken() throws {
    let server = TinyServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf" }
    let client = try HTTPClient(server.url)
    client.timeoutMilliseconds = 200
    #expect { try client.get("/") } throws: { ($0 as? ClientError)?.code == .timeout }
    server.stop()
    let silent = TinyServer { _ in "" }
    defer { silent.stop() }
    #expect { try HTTPClient(silent.url).get("/") } throws: { ($0 as? ClientError)?.code == .broken }
    #expect { try HTTPClient("ftp://127.0.0.1:1").get("/") } throws: {
      ($0 as? ClientError)?.code == .invalid
    }
  }
}

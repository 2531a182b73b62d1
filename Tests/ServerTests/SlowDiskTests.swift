import Foundation
import TestSupport
import Testing

/// A real server on a disk that is made slow, and fast again.
@Suite(
  "Server on a slow disk", .serialized,
  .enabled(if: PreloadLibrary.compiler != nil, "skipped: there is no C compiler to build Tests/Preload with"))
struct ServerSlowDiskTests {
  private static let memory = 256 << 20

  /// Lines of a sender, each point once.
  private static func lines(_ name: String, _ numbers: Range<Int>) -> [UInt8] {
    Array(
      numbers.map {
        "\(name),host=h\($0 % 100) i=\($0)i,a=\($0)i,b=1i,c=2i,d=3i,e=4i,f=5i,g=6i \(1_700_000_000_000_000_000 + $0)\n"
      }.joined().utf8)
  }

  @Test("TCP senders are held, datagrams dropped and counted, HTTP told 503; memory is in bounds; all recovers")
  func slow() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let disk = try SlowDisk(in: directory)
      let server = try ServerProcess(
        dataDirectory: directory + "/data", arguments: ["--memory", "256MiB"], environment: disk.environment)
      let first = try TestSocket(server.tcp)
      try first.send(Self.lines("tcp", 0..<1_000))
      #expect(try first.acknowledge("a") == "ok a accepted=1000 rejected=0")

      // A sync takes half a minute: nothing is durable for the time of this test.
      try disk.set(syncMicroseconds: 30_000_000, bytesPerSecond: 20_000)
      let acknowledged = try Self.fill(server)
      #expect(try RawHTTP.ask(server.http, "GET", "/health").status == 200)
      let page = try server.metrics()
      let dropped = page.sum("varve_udp_kernel_drops_total") + page.sum("varve_udp_overload_drops_total")
      #expect(dropped > 0)
      #expect(try server.peakResidentByteCount() <= Self.memory)

      try disk.set(syncMicroseconds: 0, bytesPerSecond: 0)
      let last = try TestSocket(server.tcp)
      try last.send(Self.lines("tcp", 1_000..<2_000))
      #expect(try last.acknowledge("b") == "ok b accepted=1000 rejected=0")
      let answer = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: Self.lines("http", acknowledged..<acknowledged + 100))
      #expect(answer.status == 204)
      #expect(try server.count("i", of: "tcp") == 2_000)
      // What was answered with 503 may have been stored; what was acknowledged is.
      #expect(try server.count("i", of: "http") >= 100)
      #expect(try server.peakResidentByteCount() <= Self.memory)
      #expect(server.stop() == 0)
    }
  }

  /// Sends over all three ways until each is held or refused; returns how many points HTTP was asked to take.
  private static func fill(_ server: ServerProcess) throws -> Int {
    // Two connections, one for each receiver; sends time out where the server does not read any more.
    let piece = lines("bulk", 0..<10_000)
    var areHeld = 0
    for _ in 0..<2 {
      let socket = try TestSocket(server.tcp, timeoutSeconds: 1)
      do {
        for _ in 0..<256 { try socket.send(piece) }
      } catch is TestSocket.Failure {
        areHeld += 1
      }
    }
    #expect(areHeld == 2, "256 MB were taken from \(2 - areHeld) senders")
    let datagrams = try TestSocket(server.udp, isDatagram: true)
    let datagram = lines("udp", 0..<10)
    for _ in 0..<40_000 { try datagrams.send(datagram) }
    var (sent, status, retryAfter) = (0, 0, "")
    // More than fits beside what the two senders left in the log: it is refused, and does not wait for a sync.
    for _ in 0..<3 where status != 503 {
      let answer = try RawHTTP.ask(
        server.http, "POST", "/write?db=metrics", body: lines("http", sent..<sent + 40_000))
      sent += 40_000
      status = answer.status
      retryAfter = answer.headers["retry-after"] ?? ""
    }
    #expect(status == 503)
    #expect(retryAfter == "1")
    return sent
  }
}

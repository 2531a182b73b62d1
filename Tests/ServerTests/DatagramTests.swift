import Foundation
import TestSupport
import Testing

/// Line protocol over UDP.
@Suite("UDP", .serialized)
struct DatagramTests {
  @Test("empty, one line, several, without a last newline, and the longest there is")
  func datagrams() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let socket = try TestSocket(server.udp, isDatagram: true)
      try socket.send([])
      try socket.send("u f=1i 1000000000000000001\n")
      try socket.send(
        "u f=2i 1000000000000000002\nu f=3i 1000000000000000003\nbad\nu f=4i 1000000000000000004")
      try socket.send("u f=\"open")
      // 65,507 bytes: whole lines, and a string that makes the last one end with the datagram.
      var longest = ""
      var count = 0
      while longest.utf8.count < 65_000 {
        longest += "long f=\(count)i \(1_000_000_000_000_000_000 + count)\n"
        count += 1
      }
      longest += "long s=\"" + String(repeating: "x", count: 65_507 - longest.utf8.count - 9) + "\""
      #expect(longest.utf8.count == 65_507)
      try socket.send(longest)
      let expected = Double(4 + count + 1)
      let page = try server.metrics { $0.accepted("udp") == expected && $0.rejected("udp") == 2 }
      #expect(page.accepted("udp") == expected)
      #expect(page.rejected("udp") == 2)
      #expect(page.rejected("udp", "syntax") == 2)
      #expect(page.sum("varve_udp_datagrams_total", ["listener": "udp"]) == 5)
      #expect(page.sum("varve_udp_truncated_total", ["listener": "udp"]) == 0)
      #expect(page.sum("varve_udp_kernel_drops_total", ["listener": "udp"]) == 0)
      let bytes = 27 + 84 + 9 + 65_507
      #expect(page.sum("varve_ingest_bytes_total", ["listener": "udp"]) == Double(bytes))
      #expect(try server.count("f", of: "u") == 4)
      #expect(try server.count("f", of: "long") == Int64(count))
      #expect(try server.count("s", of: "long") == 1)
      #expect(server.stop() == 0)
    }
  }

  @Test("what a stop finds in the socket's buffer is stored")
  func drained() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let socket = try TestSocket(server.udp, isDatagram: true)
      for index in 0..<500 { try socket.send("burst f=\(index)i \(1_000_000_000_000_000_000 + index)\n") }
      #expect(server.stop() == 0)
      let again = try ServerProcess(dataDirectory: directory)
      #expect(try again.count("f", of: "burst") == 500)
    }
  }
}

import Foundation
import TestSupport
import Testing

/// A running server over damaged files.
@Suite("Server: damage", .serialized)
struct DamageTests {
  @Test(
    "a damaged table costs what it may hold, not the start; answers say partial, strict ones fail, /verify names the place"
  )
  func damagedTable() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var server = try ServerProcess(dataDirectory: directory)
      let lines = "cpu,host=a v=1i 1700000000000000000\ncpu,host=b v=2i 1600000000000000000\n"
      #expect(
        try RawHTTP.ask(server.http, "POST", "/write?db=metrics", body: Array(lines.utf8)).status == 204)
      #expect(try RawHTTP.ask(server.http, "POST", "/verify").text.contains("\"problems\":[]"))
      #expect(server.stop() == 0)

      // The older window's table: the last byte of its footer.
      let folder = URL(fileURLWithPath: directory).appendingPathComponent("tables/0000001")
      let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder.path).min())
      let path = folder.appendingPathComponent(name)
      var bytes = try Data(contentsOf: path)
      bytes[bytes.count - 1] ^= 1
      try bytes.write(to: path)

      server = try ServerProcess(dataDirectory: directory)
      let question = "/query?db=metrics&q=\(percentEncoded("SELECT v FROM cpu"))"
      let answer = try RawHTTP.ask(server.http, "GET", question).text
      #expect(answer.contains("\"partial\":true") && answer.contains(",1]]"), "\(answer)")
      #expect(
        answer.contains("left out as damaged: everything from 2020-") && answer.contains("\(name):"),
        "\(answer)")
      let csv = try RawHTTP.ask(server.http, "GET", question + "&format=csv")
      #expect(csv.headers["x-varve-partial"] == "true")
      let strict = try RawHTTP.ask(server.http, "GET", question + "&strict=true").text
      #expect(
        strict.contains("\"error\":\"the answer would lack what is damaged: ") && !strict.contains("partial"),
        "\(strict)")
      // Times that the table does not have are not touched by it.
      let apart = question + percentEncoded(" WHERE time > '2023-01-01'") + "&strict=true"
      #expect(try !RawHTTP.ask(server.http, "GET", apart).text.contains("error"))
      let found = try RawHTTP.ask(server.http, "POST", "/verify").text
      #expect(
        found.contains("\"file\":\"tables/0000001/\(name)\"") && found.contains("\"offset\":"), "\(found)")
      #expect(try RawHTTP.ask(server.http, "GET", "/verify").status == 405)
      let page = try RawHTTP.ask(server.http, "GET", "/metrics").text
      #expect(page.contains("varve_corruptions_total{database=\"metrics\",kind=\"table\"} 1\n"))
      #expect(server.stop() == 0)
    }
  }
}

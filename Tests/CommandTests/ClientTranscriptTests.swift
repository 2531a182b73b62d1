import Foundation
import TestSupport
import Testing

/// Recorded conversations of real clients with InfluxDB 1.6.7, played against a server of ours.
@Suite("Clients' transcripts", .serialized)
struct ClientTranscriptTests {
  private static let folder = (sharedFolder ?? "") + "/captures"
  private static let canPlay =
    FileManager.default.isReadableFile(atPath: folder + "/replay.py")
    && FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

  @Test(
    "every answer is InfluxDB's",
    .enabled(if: canPlay, "skipped: the captures or python3 are not there"),
    arguments: ["influx-cli-1.6.7", "influxdb-python", "grafana-influxql"])
  func transcript(name: String) throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let server = try ServerProcess(dataDirectory: directory)
      let output = try Self.play(name, "http://" + server.http)
      let lines = output.split(separator: "\n").map(String.init)
      let steps = lines.filter { $0.hasPrefix("FAIL ") }.map { line in
        line.dropFirst(5).split(separator: "|")[0].trimmingCharacters(in: .whitespaces)
      }
      #expect(steps == [], "\(output)")
      #expect(lines.last?.hasSuffix(" differ") == true, "\(output)")
      #expect(server.stop() == 0)
    }
  }

  private static func play(_ name: String, _ address: String) throws -> String {
    let words = ["/usr/bin/python3", folder + "/replay.py", address, folder + "/transcripts/\(name).jsonl", "-v"]
    return try ChildProcess.run(words, isJoined: true).text
  }
}

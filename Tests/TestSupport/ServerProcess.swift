import Foundation

/// A real `varve serve` on free loopback ports, with a data directory of its own; ended when the test lets go of it.
package final class ServerProcess: @unchecked Sendable {
  // Sendable: tests use it from several threads only for its addresses, which do not change after `start`.

  /// Why it did not start, with what it said.
  package struct StartFailure: Error, CustomStringConvertible {
    /// Its exit status; `nil` if it runs and is not ready after 30 s.
    package var status: Int32?
    package var output: String

    package var description: String {
      (status.map { "the server ended with \($0)" } ?? "the server is not ready after 30 s") + ": " + output
    }
  }

  package let dataDirectory: String
  package private(set) var http = ""
  package private(set) var tcp = ""
  package private(set) var udp = ""
  private let process: ChildProcess
  private let said: ScratchFile

  /// The built command: `VARVE_BINARY`, or the one beside the test bundle.
  package static var binary: String {
    if let given = ProcessInfo.processInfo.environment["VARVE_BINARY"] { return given }
    let bundle = CommandLine.arguments[0]
    var folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
    for _ in 0..<4 {
      let candidate = folder.appendingPathComponent("varve").path
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
      folder = folder.deletingLastPathComponent()
    }
    for configuration in ["debug", "release"] {
      let candidate = packageRoot + "/.build/\(configuration)/varve"
      if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
    }
    return "varve"
  }

  /// Starts a server and returns when it is ready, or when it says `line`.
  ///
  /// - Parameters:
  ///   - arguments: flags after `serve`, besides the data directory and the three listeners.
  ///   - prefix: a command to run it under (`["faketime", "-f", "+6h"]`).
  package init(
    dataDirectory: String, arguments: [String] = [], prefix: [String] = [],
    environment: [String: String] = [:], until line: String = "ready"
  ) throws {
    self.dataDirectory = dataDirectory
    let command =
      prefix + [
        Self.binary, "serve", "--data", dataDirectory, "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0",
        "--udp",
        "127.0.0.1:0",
      ] + arguments
    said = try ScratchFile()
    process = try ChildProcess(command, environment: environment, errors: .descriptor(said.descriptor))
    try wait(until: line)
  }

  /// Everything that it wrote to standard error so far.
  package var output: String { String(decoding: said.bytes(), as: UTF8.self) }

  /// Waits until it has said a line that begins so.
  package func wait(until line: String) throws {
    let deadline = Date().addingTimeInterval(30)
    while !output.split(separator: "\n").contains(where: { $0.hasPrefix(line) }) {
      if let status = process.endStatus() { throw StartFailure(status: status, output: output) }
      if Date() > deadline { throw StartFailure(status: nil, output: output) }
      usleep(5_000)
    }
    for line in output.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 3, words[0] == "listening" else { continue }
      switch words[1] {
      case "http": http = String(words[2])
      case "tcp": tcp = String(words[2])
      case "udp": udp = String(words[2])
      default: continue
      }
    }
  }

  package var processIdentifier: Int32 { process.identifier }

  /// `kill -9`, and waits for the end.
  package func kill() { process.kill() }

  /// SIGTERM, and waits for the end; the exit status.
  @discardableResult package func stop() -> Int32 {
    process.send(SIGTERM)
    return process.wait()
  }
}

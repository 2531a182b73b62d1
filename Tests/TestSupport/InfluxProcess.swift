import Foundation

/// A real `influxd` on a free loopback port, with directories of its own; ended when the test lets go of it.
package final class InfluxProcess {
  /// What it said, if it did not start.
  package struct StartFailure: Error, CustomStringConvertible { package var description: String }

  /// The installed binary; `nil` where there is none.
  package static let binary: String? = ["/usr/bin/influxd", "/usr/local/bin/influxd"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Where its HTTP listener is.
  package private(set) var http = ""
  private let process: ChildProcess

  package init(_ binary: String, directory: String) throws {
    let configuration = directory + "/influxd.toml"
    try Self.configuration(directory).write(toFile: configuration, atomically: false, encoding: .utf8)
    let log = try ScratchFile()
    process = try ChildProcess(
      [binary, "run", "-config", configuration], output: .descriptor(log.descriptor), errors: .descriptor(log.descriptor))
    let deadline = Date().addingTimeInterval(30)
    while http.isEmpty {
      let said = String(decoding: log.bytes(), as: UTF8.self)
      http = Self.address(said) ?? ""
      guard http.isEmpty else { break }
      guard process.endStatus() == nil, Date() < deadline else { throw StartFailure(description: said) }
      usleep(5_000)
    }
  }

  /// What its line about the HTTP listener names.
  private static func address(_ said: String) -> String? {
    let line = said.split(separator: "\n").dropLast(said.hasSuffix("\n") ? 0 : 1)
      .first { $0.contains("Listening on HTTP") }
    return line?.split(separator: " ").first { $0.hasPrefix("addr=") }.map { String($0.dropFirst(5)) }
  }

  private static func configuration(_ directory: String) -> String {
    """
    reporting-disabled = true
    bind-address = "127.0.0.1:0"
    [meta]
      dir = "\(directory)/meta"
    [data]
      dir = "\(directory)/data"
      wal-dir = "\(directory)/wal"
    [monitor]
      store-enabled = false
    [http]
      bind-address = "127.0.0.1:0"
      log-enabled = false
    [continuous_queries]
      enabled = false
    """
  }

  /// Ends it and waits for the end.
  package func stop() {
    process.send(SIGTERM)
    process.wait()
  }
}

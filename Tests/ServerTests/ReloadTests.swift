import Foundation
import TestSupport
import Testing

/// SIGHUP: a running server reads its flags and its file again.
@Suite("Reload")
struct ReloadTests {
  @Test("rules, limits and quotas of the file go in force, what cannot is named, what is wrong changes nothing")
  func reload() throws { try TemporaryDirectory.with(reload(in:)) }

  private func reload(in directory: String) throws {
    let file = directory + "/varve.json5"
    func write(_ text: String) throws { try text.write(toFile: file, atomically: true, encoding: .utf8) }
    try write("{ 'future-limit': '1h' }")
    let server = try ServerProcess(dataDirectory: directory + "/data", arguments: ["--config", file])
    let now = Int64(Date().timeIntervalSince1970)
    let ahead = now + 7_200
    // Two hours ahead is too far, until the file says otherwise.
    #expect(try post(server, "m v=1i \(ahead)") == 400)
    try write("{ 'future-limit': '3h', rule: ['cpu=>week=7d'], quota: ['metrics=10GiB'], memory: '300MiB' }")
    kill(server.processIdentifier, SIGHUP)
    try server.wait(until: "reloaded: rule, quota, future-limit")
    try server.wait(until: "warning: to change memory the server must be started again")
    #expect(try post(server, "m v=1i \(ahead)") == 204)
    #expect(try post(server, "cpu v=1i \(now)\nother v=1i \(now)") == 204)
    #expect(try rows(server, "SELECT v FROM metrics.week.cpu") == 1)
    #expect(try rows(server, "SELECT v FROM metrics.week.other") == 0)
    // Said once: the second time nothing has changed.
    kill(server.processIdentifier, SIGHUP)
    try server.wait(until: "reloaded: nothing has changed")

    try write("{ 'future-limit': '1h', 'future-limt': 2 }")
    kill(server.processIdentifier, SIGHUP)
    try server.wait(until: "SIGHUP: \(file): unknown key \"future-limt\"; did you mean future-limit?")
    #expect(try post(server, "m v=1i \(ahead)") == 204)
    try FileManager.default.removeItem(atPath: file)
    kill(server.processIdentifier, SIGHUP)
    try server.wait(until: "SIGHUP: \(file)")
    #expect(try post(server, "m v=1i \(ahead)") == 204)
    #expect(server.stop() == 0)
  }

  private func post(_ server: ServerProcess, _ lines: String) throws -> Int {
    try RawHTTP.ask(server.http, "POST", "/write?db=metrics&precision=s", body: Array(lines.utf8)).status
  }

  private func rows(_ server: ServerProcess, _ statement: String) throws -> Int {
    try server.ask(statement).reduce(0) { $0 + $1.values.count }
  }
}

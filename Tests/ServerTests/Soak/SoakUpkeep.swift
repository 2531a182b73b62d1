import Foundation
import TestSupport

/// What an operator does meanwhile: asks, merges, backs up, restores.
struct SoakUpkeep {
  struct Counts {
    var queries = 0, merges = 0, backups = 0, restores = 0
  }

  let directory: String
  let ttl: Int64
  private(set) var counts = Counts()
  private(set) var problems: [String] = []

  init(directory: String, ttl: Int64) {
    self.directory = directory
    self.ttl = ttl
  }

  /// A minute of it.
  mutating func run(_ minute: Int, _ server: ServerProcess, _ writers: [SoakWriter]) throws {
    let end = Date().addingTimeInterval(60)
    var tick = 0
    while Date() < end {
      tick += 1
      _ = try server.ask("SELECT mean(v), max(w) FROM soak WHERE time > now() - 10m GROUP BY time(1m), writer")
      counts.queries += 1
      if tick == 3 {
        try post(server, "/compact?wait=true")
        counts.merges += 1
      }
      if tick == 5 && minute % 2 == 1 { try backUp(server, writers) }
      if tick == 7 && minute % 5 == 4 { try restore(server, as: "restored_\(minute)") }
      usleep(5_000_000)
    }
  }

  private func post(_ server: ServerProcess, _ target: String) throws {
    let answer = try RawHTTP.ask(server.http, "POST", target)
    guard answer.status / 100 == 2 else { throw AskingFailure(description: "\(target): \(answer.status) \(answer.text)") }
  }

  /// Backs up while no writer is in the middle of anything, and holds the backup against what they knew then.
  private mutating func backUp(_ server: ServerProcess, _ writers: [SoakWriter]) throws {
    for writer in writers { writer.turn.lock() }
    let models = writers.map(\.model)
    defer { problems += compareBackup(models).map { "backup \(counts.backups): \($0)" } }
    defer { for writer in writers { writer.turn.unlock() } }
    let isIncremental = FileManager.default.fileExists(atPath: directory + "/backup/CURRENT")
    try post(server, "/backup?directory=\(percentEncoded(directory + "/backup"))\(isIncremental ? "&incremental=true" : "")")
    counts.backups += 1
  }

  private func compareBackup(_ models: [SoakModel]) -> [String] {
    var check = SoakCheck(models, models.map { _ in nil }, ttl: ttl)
    let asked = soakNow()
    do {
      check.compare(try query(directory + "/backup"), asked: asked)
      check.finish(asked: asked)
      return check.problems
    } catch {
      return ["\(error)"]
    }
  }

  private func query(_ data: String) throws -> [UInt8] {
    let line = ["query", "--data", data, "--format", "csv", "--precision", "ns", SoakCheck.statement(nil)]
    let outcome = try ChildProcess.run([ServerProcess.binary] + line, upTo: 600)
    guard outcome.status == 0 else {
      throw AskingFailure(description: "query --data ended with \(outcome.status): \(outcome.words)")
    }
    return outcome.output
  }

  /// The last backup under another name: as many points as it holds, and then away with it.
  private mutating func restore(_ server: ServerProcess, as name: String) throws {
    try post(server, "/restore?directory=\(percentEncoded(directory + "/backup"))&database=metrics&as=\(name)")
    let restored = try server.ask("SELECT count(v) FROM soak", database: name).first?.values.first?.last?.integer ?? 0
    if restored == 0 { problems.append("\(name) is empty") }
    _ = try server.ask("DROP DATABASE \(name)")
    counts.restores += 1
  }

  /// The most that the server had resident.
  func peakBytes(of server: ServerProcess) -> Int {
    guard let status = FileManager.default.contents(atPath: "/proc/\(server.processIdentifier)/status") else { return 0 }
    for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmHWM:") {
      return (Int(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "") ?? 0) << 10
    }
    return 0
  }
}

import Foundation
import TestSupport
import Testing

/// `kill -9` at a random moment while senders write and are answered, and again while others write to the server that replays:
/// what was acknowledged is there, once, and whole.
///
/// Every value of a point follows from its series and time, so a stored row proves itself. All rounds share a
/// directory; each has a stretch of time of its own.
@Suite("Durability", .serialized, .tags(.slow, .crash), .enabled(if: runsSlowTests))
struct DurabilityTests {
  static let rounds = ProcessInfo.processInfo.environment["VARVE_KILL_ROUNDS"].flatMap { Int($0) } ?? 5
  static let seed =
    ProcessInfo.processInfo.environment["VARVE_KILL_SEED"].flatMap { UInt64($0) } ?? 20_261_121

  /// Small bounds, so that segments end and tables are written and merged while the process is killed.
  private static let arguments = ["--window", "1h", "--wal-limit", "16MiB", "--memory", "64MiB"]

  @Test("no acknowledged point is lost, none is doubled, none is garbled")
  func kills() throws {
    var random = SplitMix64(seed: Self.seed)
    var (acknowledged, stored, wrongCount) = (0, 0, 0)
    try TemporaryDirectory.with { (directory: String) throws in
      var server = try ServerProcess(dataDirectory: directory, arguments: Self.arguments)
      for round in 0..<Self.rounds {
        var writers = (0..<8).map { index in
          KillWriter(
            isTCP: index < 4, index: index, round: round, seed: UInt64.random(in: 0 ... .max, using: &random))
        }
        run(writers, on: server, forMicroseconds: UInt32.random(in: 50_000...1_500_000, using: &random))
        if UInt64.random(in: 0..<2, using: &random) == 0 {
          let late = (8..<12).map { index in
            KillWriter(
              isTCP: true, index: index, round: round, seed: UInt64.random(in: 0 ... .max, using: &random))
          }
          // It listens, and has its log yet to replay.
          server = try ServerProcess(
            dataDirectory: directory, arguments: Self.arguments, until: "listening udp")
          run(late, on: server, forMicroseconds: UInt32.random(in: 5_000...400_000, using: &random))
          writers += late
        }
        if UInt64.random(in: 0..<3, using: &random) == 0 {
          try killWhileStarting(directory, afterMicroseconds: UInt32.random(in: 0...200_000, using: &random))
        }
        server = try ServerProcess(dataDirectory: directory, arguments: Self.arguments)
        let report = try KillWriter.check(writers, round, in: server)
        #expect(report.wrong.isEmpty, "seed \(Self.seed), round \(round): \(report.wrong.prefix(10))")
        #expect(
          writers.allSatisfy { $0.wrongAnswers.isEmpty }, "\(writers.flatMap(\.wrongAnswers).prefix(5))")
        acknowledged += writers.reduce(0) { $0 + $1.acknowledged }
        stored += report.rowCount
        wrongCount += report.wrong.count
        // What earlier rounds stored is neither lost nor doubled by this one's recovery.
        #expect(
          try server.ask("SELECT count(i) FROM kill9").first?.values.first?.last?.integer == Int64(stored))
      }
      #expect(server.stop() == 0)
    }
    #expect(acknowledged > 0)
    print(
      "\(Self.rounds) rounds, seed \(Self.seed): \(acknowledged) points acknowledged, \(stored) stored, "
        + "\(wrongCount) lost, doubled or garbled")
  }

  /// Lets senders write for a while, then kills the server.
  private func run(_ writers: [KillWriter], on server: ServerProcess, forMicroseconds time: UInt32) {
    let group = DispatchGroup()
    for writer in writers { writer.start(server, in: group) }
    usleep(time)
    server.kill()
    for writer in writers { writer.isStopping.store(true) }
    #expect(group.wait(timeout: .now() + 30) == .success, "a writer hangs")
  }

  /// Ends a server while it replays the log.
  private func killWhileStarting(_ directory: String, afterMicroseconds time: UInt32) throws {
    let process = try ChildProcess([
      ServerProcess.binary, "serve", "--data", directory, "--http", "off", "--udp", "off", "--tcp", "127.0.0.1:0",
    ])
    usleep(time)
    process.kill()
  }
}

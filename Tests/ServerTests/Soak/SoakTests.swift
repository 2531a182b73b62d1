import Foundation
import TestSupport
import Testing

/// `VARVE_SOAK_MINUTES`; 0 where it is not asked for.
private let soakMinutes = ProcessInfo.processInfo.environment["VARVE_SOAK_MINUTES"].flatMap { Int($0) } ?? 0

/// An hour of a store's life, with `kill -9` every minute: new, late and overwritten points, deletes, questions, expiry, merges, backups
/// and restores, all held against what the writers know. `VARVE_SOAK_MINUTES=60` runs it.
@Suite("Soak", .serialized, .tags(.slow, .crash), .enabled(if: soakMinutes > 0))
struct SoakTests {
  private static let seed =
    ProcessInfo.processInfo.environment["VARVE_SOAK_SEED"].flatMap { UInt64($0) } ?? 20_261_126
  private static let ttlMinutes = 25
  private static let ttl = Int64(ttlMinutes) * 60_000_000_000
  private static let memory = 256 << 20
  private static let arguments = [
    "--window", "1m", "--retention", "\(ttlMinutes)m", "--lateness", "30s", "--memory", "\(memory)", "--wal-limit", "32MiB",
  ]

  @Test("nothing is lost, doubled or back, and memory is flat")
  func soak() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      var server = try ServerProcess(dataDirectory: directory + "/data", arguments: Self.arguments)
      let base = soakNow() / 1_000_000_000 * 1_000_000_000
      let writers = (0..<4).map { SoakWriter(index: $0, base: base, seed: Self.seed + UInt64($0)) }
      var upkeep = SoakUpkeep(directory: directory, ttl: Self.ttl)
      var (peaks, starts, problems) = ([Int](), [Double](), [String]())
      for minute in 0..<soakMinutes {
        let group = DispatchGroup()
        for writer in writers { writer.start(server, in: group) }
        try upkeep.run(minute, server, writers)
        peaks.append(upkeep.peakBytes(of: server))
        server.kill()
        for writer in writers { writer.isStopping.store(true) }
        #expect(group.wait(timeout: .now() + 90) == .success, "a writer hangs")
        for writer in writers { writer.isStopping.store(false) }

        let begun = Date()
        server = try ServerProcess(dataDirectory: directory + "/data", arguments: Self.arguments)
        starts.append(Date().timeIntervalSince(begun))
        var check = SoakCheck(writers, ttl: Self.ttl)
        try Self.compare(&check, with: server, from: base)
        for writer in writers { writer.settle(check.rows) }
        problems += check.problems.map { "minute \(minute): \($0)" }
        problems += upkeep.problems + writers.flatMap(\.problems)
        print("minute \(minute): \(check.rowCount) rows, peak \((peaks.last ?? 0) >> 20) MiB, start \(starts.last ?? 0) s, \(problems.count) problems")
        if !problems.isEmpty { break }
      }
      #expect(server.stop() == 0)
      #expect(problems.isEmpty, "seed \(Self.seed): \(problems.prefix(20))")
      #expect(peaks.max() ?? 0 <= Self.memory, "\(peaks)")
      // When points begin to expire the store is as large as it gets.
      let (before, after) = (peaks.prefix(peaks.count * 2 / 3).max() ?? 0, peaks.suffix(peaks.count / 3).max() ?? 0)
      #expect(after <= before + before / 5, "memory grows: \(peaks)")
      let counts = writers.reduce(SoakWriter.Counts()) { $0 + $1.counts }
      print(
        "\(soakMinutes) minutes, seed \(Self.seed): \(counts), \(upkeep.counts), slowest start \(starts.max() ?? 0) s, peaks \(peaks.map { $0 >> 20 }) MiB")
    }
  }

  /// Half a minute of points at a time: one answer of all would be more than the server may hold.
  private static func compare(_ check: inout SoakCheck, with server: ServerProcess, from base: Int64) throws {
    let asked = soakNow()
    let step: Int64 = 30_000_000_000
    for start in stride(from: max(base, asked - ttl - step), through: asked, by: Int(step)) {
      let statement = SoakCheck.statement(start..<start + step)
      let answer = try RawHTTP.ask(
        server.http, "GET", "/query?db=metrics&epoch=ns&format=csv&q=\(percentEncoded(statement))")
      guard answer.status == 200, answer.headers["x-influxdb-error"] == nil else {
        throw AskingFailure(description: "\(answer.status) \(answer.headers["x-influxdb-error"] ?? answer.text)")
      }
      check.compare(answer.body, asked: asked)
    }
    check.finish(asked: asked)
  }
}

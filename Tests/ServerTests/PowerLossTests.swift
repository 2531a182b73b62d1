import Foundation
import Storage
import TestSupport
import Testing

/// What a power cut may leave of the disk under the real server, at moments of a run that a recorder has written down: each image starts,
/// and holds every line that was acknowledged before its moment; what was deleted or had expired by then is not back.
@Suite(
  "Power loss", .serialized, .tags(.crash),
  .enabled(if: PreloadLibrary.compiler != nil, "skipped: there is no C compiler for the recorder"))
struct PowerLossTests {
  /// `VARVE_POWER_IMAGES` images in the long run.
  static let imageCount =
    ProcessInfo.processInfo.environment["VARVE_POWER_IMAGES"].flatMap { Int($0) } ?? (runsSlowTests ? 60 : 4)
  static let seed = ProcessInfo.processInfo.environment["VARVE_POWER_SEED"].flatMap { UInt64($0) } ?? 20_261_125

  /// Small bounds, so that segments end and tables are written and merged while it is recorded.
  private static let arguments = ["--window", "1h", "--wal-limit", "4MiB", "--memory", "64MiB"]

  @Test("images of the disk under a running server start, and lose nothing that was acknowledged")
  func images() throws {
    try TemporaryDirectory.with { (directory: String) throws in
      let root = directory + "/root"
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: false)
      let log = directory + "/recording"
      let library = try PreloadLibrary.build("diskrecorder", into: directory)
      let run = try RecordedRun(root: root, log: log, library: library, arguments: Self.arguments)
      try run.work(seconds: runsSlowTests ? 8 : 1)

      let recording = try DiskRecording(contentsOf: log)
      #expect(recording.eventCount > 100)
      #expect(run.hasAcknowledged, "nothing was acknowledged")
      var random = SplitMix64(seed: Self.seed)
      var (checked, started) = (0, 0)
      for cut in Self.cuts(of: recording, from: run.readyPosition, random: &random) {
        try recording.play(through: cut)
        let survival: Survival = [.nothing, .everything, .seed(random.next()), .seed(random.next())][checked % 4]
        let image = "\(directory)/image-\(checked)"
        try recording.disk.crash(keeping: survival).export(to: image)
        checked += 1
        let place = "seed \(Self.seed), event \(cut) of \(recording.eventCount), \(survival)"
        do {
          let server = try ServerProcess(dataDirectory: image + "/data", arguments: Self.arguments)
          started += 1
          let problems = try run.check(server, image: image, position: recording.position(after: cut))
          #expect(problems.isEmpty, "\(place): \(problems.prefix(5))")
          server.kill()
        } catch let failure as ServerProcess.StartFailure {
          Issue.record("\(place): \(failure)")
        }
        try FileManager.default.removeItem(atPath: image)
      }
      print(
        "\(started) of \(checked) images started, \(recording.eventCount) events, \(run.acknowledgedCount) points acknowledged")
    }
  }

  /// Ascending: half of them right before or after a sync.
  private static func cuts(of recording: DiskRecording, from position: Int, random: inout SplitMix64) -> [Int] {
    let first = recording.eventCount(below: position)
    let syncs = (first..<recording.eventCount).filter { recording.isSync($0) }
    return (0..<imageCount).map { index -> Int in
      if index % 2 == 0, let sync = syncs.randomElement(using: &random) { return sync + Int(random.next() % 2) }
      return Int.random(in: first...recording.eventCount, using: &random)
    }.sorted()
  }
}

/// A server under the recorder, those who write to it, and what each was told when.
private final class RecordedRun {
  private let server: ServerProcess
  private let log: String

  private var writers: [KillWriter] = []
  private let acknowledgements = Acknowledgements()
  /// Batches of `gone,n=…` that were deleted, and of policy `short` that had expired, by when that was acknowledged.
  private var deletions: [(position: Int, batch: Int)] = []
  private var expiry: Int?
  /// Backups that were acknowledged, with what each writer had been acknowledged before.
  private var backups: [(position: Int, counts: [String: Int])] = []
  private let backup: String
  let readyPosition: Int

  init(root: String, log: String, library: String, arguments: [String]) throws {
    self.log = log
    backup = root + "/backup"

    server = try ServerProcess(
      dataDirectory: root + "/data", arguments: arguments,
      environment: ["LD_PRELOAD": library, "VARVE_RECORD_ROOT": root, "VARVE_RECORD_LOG": log])
    _ = try server.ask("CREATE RETENTION POLICY short ON metrics DURATION 2h REPLICATION 1")
    readyPosition = Self.length(of: log)
  }

  private static func length(of log: String) -> Int {
    var status = stat()
    return stat(log, &status) == 0 ? Int(status.st_size) : 0
  }

  var hasAcknowledged: Bool { acknowledgedCount > 0 }
  var acknowledgedCount: Int { writers.reduce(0) { $0 + $1.acknowledged } }

  /// Lets senders write while it flushes, merges, deletes, and lets windows expire; then kills it.
  func work(seconds: Double) throws {
    let group = DispatchGroup()
    writers = (0..<4).map { KillWriter(isTCP: $0 < 2, index: $0, round: 0, seed: UInt64($0) + 1) }
    for writer in writers {
      let (log, name) = (log, writer.name)
      writer.onAcknowledged = { [acknowledgements] count in
        acknowledgements.note(count, of: name, at: Self.length(of: log))
      }
      writer.pause = 10_000
      writer.start(server, in: group)
    }
    let end = Date().addingTimeInterval(seconds)
    var batch = 0
    while Date() < end {
      batch += 1
      try write("gone,n=\(batch) v=1i\n", policy: "")
      try change(batch)
      usleep(50_000)
    }
    server.kill()
    for writer in writers { writer.isStopping.store(true) }
    #expect(group.wait(timeout: .now() + 30) == .success, "a writer hangs")
  }

  private func change(_ batch: Int) throws {
    switch batch % 6 {
    case 1: try post("/compact?wait=true&flush_only=true")
    case 2:
      _ = try server.ask("DELETE FROM gone WHERE n='\(batch - 1)'")
      deletions.append((Self.length(of: log), batch - 1))
    case 3: try post("/compact?wait=true")
    case 5:
      let counts = Dictionary(uniqueKeysWithValues: writers.map { ($0.name, acknowledgements.count(of: $0.name, at: .max)) })
      try post("/backup?directory=\(percentEncoded(backup))\(backups.isEmpty ? "" : "&incremental=true")")
      backups.append((Self.length(of: log), counts))
    case 4 where expiry == nil:
      // An hour and a half old: expired under the policy's next TTL.
      let time = (Int64(Date().timeIntervalSince1970) - 5_400) * 1_000_000_000
      try write("old v=1i \(time)\n", policy: "short")
      try post("/compact?wait=true&flush_only=true")
      _ = try server.ask("ALTER RETENTION POLICY short ON metrics DURATION 1h")
      expiry = Self.length(of: log)
    default: break
    }
  }

  private func write(_ line: String, policy: String) throws {
    let answer = try RawHTTP.ask(server.http, "POST", "/write?db=metrics&rp=\(policy)", body: Array(line.utf8))
    guard answer.status == 204 else { throw AskingFailure(description: "\(answer.status) \(answer.text)") }
  }

  private func post(_ target: String) throws {
    let answer = try RawHTTP.ask(server.http, "POST", target)
    guard answer.status / 100 == 2 else { throw AskingFailure(description: "\(target): \(answer.status) \(answer.text)") }
  }

  /// What is wrong with a server that was started on an image of the moment when the recording had a length.
  func check(_ image: ServerProcess, image path: String, position: Int) throws -> [String] {
    var problems = try KillWriter.check(writers, 0, in: image) {
      acknowledgements.count(of: $0.name, at: position)
    }.wrong
    let gone = try image.ask("SELECT v FROM gone GROUP BY n").compactMap { $0.tags?["n"] }
    for deletion in deletions where deletion.position <= position && gone.contains("\(deletion.batch)") {
      problems.append("gone,n=\(deletion.batch) is back")
    }
    if let backup = backups.last(where: { $0.position <= position }) {
      let server = try ServerProcess(dataDirectory: path + "/backup")
      problems += try KillWriter.check(writers, 0, in: server) { backup.counts[$0.name] ?? 0 }.wrong.map { "backup: \($0)" }
      server.kill()
    }
    if let expiry, expiry <= position, try !image.ask("SELECT v FROM short.old").isEmpty {
      problems.append("what had expired is back")
    }
    return problems
  }
}

/// How many points of each writer were acknowledged when the recording had which length: what made them durable lies below it.
private final class Acknowledgements: Sendable {
  private let counts = Lock<[String: [(position: Int, count: Int)]]>([:])

  func note(_ count: Int, of writer: String, at position: Int) {
    counts.withLock { $0[writer, default: []].append((position, count)) }
  }

  func count(of writer: String, at position: Int) -> Int {
    counts.withLock { $0[writer]?.last { $0.position <= position }?.count ?? 0 }
  }
}

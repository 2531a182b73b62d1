import Storage
import Synchronization
import TestSupport

/// A small store with a file of every kind, and what reading it must give.
struct DamageBench {
  static let start: Int64 = 1_700_000_000_000_000_000
  static let day: Int64 = 86_400_000_000_000

  let image: StoreImage
  /// Every point, a line a field.
  let truth: Set<String>
  /// Series and time of those that no table has.
  let unflushed: Set<String>

  /// - Parameter secondCount: how many rows there are of each series: with few every bit and length can be tried.
  init(secondCount: Int64 = runsSlowTests ? 3 : 6) throws {
    func lines(day: Int64, run: Int) -> String { Self.lines(day: day, run: run, secondCount: secondCount) }
    let fileSystem = MemoryFileSystem()
    let store = try Self.open(fileSystem, isReadOnly: false)
    let driver = StoreDriver(store)
    try store.createDatabase("metrics", ttl: 0, windowLength: Self.day)
    for run in 0..<2 { try driver.writeDurably(lines(day: 0, run: run)); try store.flush() }
    try driver.writeDurably(lines(day: 3, run: 0))
    try store.flush()
    let flushed = Set(try driver.dump())
    try driver.writeDurably(lines(day: 3, run: 4))
    try driver.writeDurably("late,host=z text=\"left in the log\" \(Self.start + 3 * Self.day + 77)\n")
    truth = Set(try driver.dump())
    unflushed = Set(truth.subtracting(flushed).map(Self.point))
    image = try StoreImage(fileSystem)
    try store.close()
  }

  /// A store that was killed and started again: its log has several segments, with points of two databases in windows of which some
  /// are flushed. Nothing but the log has what came after the first flush.
  init(startCount: Int) throws {
    var (files, flushed, last) = (MemoryFileSystem(), Set<String>(), Set<String>())
    for round in 0..<startCount {
      let store = try Self.open(files, isReadOnly: false)
      let driver = StoreDriver(store)
      if round == 0 {
        for name in ["metrics", "other"] { try store.createDatabase(name, ttl: 0, windowLength: Self.day) }
        try driver.writeDurably(Self.lines(day: 0, run: 0))
        try store.flush()
        flushed = Set(try driver.dump())
      }
      try store.waitUntilReplayed()
      try driver.writeDurably(Self.lines(day: 3, run: round))
      try driver.writeDurably(
        "disk,host=n\(round) free=\(round)i \(Self.start + Int64(4 + round) * Self.day)\n")
      try driver.writeDurably("net,host=a in=\(round)i \(Self.start)\n", database: "other")
      try driver.writeDurably(Self.lines(day: 3, run: round + 10))
      last = Set(try driver.dump())
      // As a kill leaves it.
      files = try StoreImage(files).make()
      try store.close()
    }
    image = try StoreImage(files)
    truth = last
    unflushed = Set(last.subtracting(flushed).map(Self.point))
  }

  /// A line without its field: where it is lost an older value may show.
  private static func point(of line: String) -> String {
    let parts = line.split(separator: " ")
    return "\(parts.first ?? "") \(parts.last ?? "")"
  }

  /// Overwrites, joined fields, every type, several measurements; a series long enough for row groups of its own is in `long`.
  private static func lines(day: Int64, run: Int, secondCount: Int64 = 6) -> String {
    var lines: [String] = []
    let base = start + day * Self.day
    for second in 0..<secondCount {
      for host in ["a", "b", "c"].prefix(secondCount < 6 ? 2 : 3) {
        let time = base + (second * 2 + Int64(run)) * 500_000_000
        lines.append(
          "cpu,host=\(host),zone=x user=\(second + Int64(run)).5,count=\(second)i,run\(run)=\(run)i \(time)")
        lines.append(
          "mem,host=\(host) used=\(second)u,ok=\(second % 2 == 0),note=\"n \(second) of \(run)\" \(time)")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func open(
    _ fileSystem: any FileSystem, isReadOnly: Bool, ignoresDamagedLog: Bool = false,
    clocks: ClockedStore.Clocks? = nil
  ) throws(StorageError) -> Store {
    var options = StoreOptions()
    options.segmentByteCount = 1 << 14
    options.reserveByteCount = 0
    options.isReadOnly = isReadOnly
    options.ignoresDamagedLog = ignoresDamagedLog
    options.compactorCount = 0
    return try Store.open(
      fileSystem: fileSystem, options: options, wallClock: { start },
      monotonicClock: { clocks?.monotonic.load(ordering: .relaxed) ?? 1 })
  }

  /// What a store answers, and what it left out: again where damage comes to light, as statements do.
  static func answer(_ store: Store) throws -> (points: [String], leftOut: LeftOut) {
    let driver = StoreDriver(store)
    while true {
      let leftOut = LeftOut()
      do {
        let snapshot = try store.snapshot(of: store.keyspace(database: "metrics"), leavingOut: leftOut)
        return (try driver.dump(of: snapshot), leftOut)
      } catch let error as StorageError {
        guard store.contain(error) else { throw error }
      }
    }
  }

  /// What is wrong with how a damaged store behaves; `nil`: nothing.
  func fault(of damaged: StoreImage) throws -> String? {
    let store: Store
    do {
      store = try Self.open(damaged.make(), isReadOnly: true)
    } catch {
      guard let error = error as? StorageError else { return "opening threw \(error)" }
      let isNamed = !error.file.isEmpty || error.detail.contains("CURRENT")
      return [.corrupt, .unsupportedVersion, .notFound].contains(error.code) && isNamed
        ? nil : "refused with \(error)"
    }
    defer { try? store.close() }
    let (points, leftOut) = try Self.answer(store)
    if !Set(points).isSubset(of: truth) {
      return "gave rows that were never written: \(Set(points).subtracting(truth))"
    }
    if leftOut.isEmpty, points.count != truth.count {
      return "lacks \(truth.count - points.count) rows and does not say it"
    }
    if leftOut.isEmpty { return nil }
    for piece in leftOut.all where piece.error.file.isEmpty || piece.error.offset == nil {
      return "left out \(piece.error)"
    }
    do {
      _ = try StoreDriver(store).dump()
      return "left something out and reads strictly"
    } catch {
      return nil
    }
  }

  /// What is wrong with the repair of a damaged store, of which the disk refuses to read a part; `nil`: nothing.
  func repairFault(
    of damaged: StoreImage, refusing refused: (name: String, range: Range<UInt64>)? = nil
  ) throws -> String? {
    let memory = try damaged.make()
    let fileSystem = FailingFileSystem(wrapping: memory)
    if let refused { fileSystem.refuseReading(refused.name, refused.range) }
    let planned = try Store.repair(fileSystem: fileSystem, isDryRun: true)
    let untouched = try StoreImage(memory)
    for (name, bytes) in damaged.files where name != "LOCK" && untouched.files[name] != bytes {
      return "a dry run changed \(name)"
    }
    let report = try Store.repair(fileSystem: fileSystem)
    if planned.losses != report.losses { return "the dry run saw other losses" }
    let verified = try Store.verify(fileSystem: fileSystem)
    if !verified.isClean {
      return "verify finds after a repair: \(verified.problems[0].text); it did \(report.actions)"
    }
    let again = try Store.repair(fileSystem: fileSystem)
    if !again.problems.isEmpty || again.isLossy { return "a second repair finds \(again.problems)" }
    let store = try Self.open(fileSystem, isReadOnly: false)
    defer { try? store.close() }
    let (points, leftOut) = try Self.answer(store)
    if !leftOut.isEmpty { return "is partial after a repair" }
    let different = truth.symmetricDifference(points)
    let unsaid = different.filter { line in !report.losses.contains { covers($0, line) } }
    if let line = unsaid.first { return "\(line) is gone, or another, and not among \(report.losses)" }
    // All that was damaged and set aside is there.
    if report.actions.contains(where: { $0.contains("set aside") }), try fileSystem.list("quarantine").isEmpty
    {
      return "nothing is set aside"
    }
    return nil
  }

  /// Whether a loss says that a point may be gone.
  func covers(_ loss: RepairReport.Loss, _ line: String) -> Bool {
    let parts = line.split(separator: " ")
    guard let time = parts.last.flatMap({ Int64($0) }), let key = parts.first else { return false }
    let isOfLog = loss.file.hasPrefix("wal/")
    if isOfLog, !unflushed.contains(Self.point(of: line)) { return false }
    guard let from = loss.from, let through = loss.through else { return loss.database.isEmpty || !isOfLog }
    if loss.database == "other" || time < from || time > through { return false }
    if let series = loss.series { return key == series }
    if let measurement = loss.measurement { return key.hasPrefix(measurement + ",") }
    return true
  }
}

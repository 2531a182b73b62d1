import Storage
import Testing
import TestSupport

/// Stops the disk after its *n*-th change, for every *n* of a workload, and opens what a power cut may leave of it.
@Suite("Store after a crash", .tags(.crash))
struct StoreCrashTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  /// What a run of the workload was told before the disk stopped.
  private struct Outcome {
    /// By `measurement,tag field time`: the versions submitted, and the highest acknowledged.
    var submitted: [String: Int] = [:]
    var acknowledged: [String: Int] = [:]
    var isComplete = false
  }

  private func open(_ disk: any FileSystem, memory: Int = 1 << 30, waits: Bool = true) throws -> Store {
    var options = StoreOptions()
    options.segmentByteCount = 16 << 10
    // Rows have a sixth of so little.
    options.memoryByteCount = 4 * memory
    return try Store.open(fileSystem: disk, options: options, wallClock: { Self.start }, waitsForReplay: waits)
  }

  /// Writes so many batches that the log has several segments, and is killed.
  private func killed(_ outcome: inout Outcome) throws -> MemoryFileSystem {
    let disk = MemoryFileSystem(isForgetful: true)
    let store = try open(disk)
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    for version in 1...300 {
      try write(&outcome, driver, version: version, round: 0, batch: version % 3)
      // A part of the windows' rows is in tables, and the log has it too.
      if version == 60 { try store.flush() }
    }
    let left = disk.crash(keeping: .everything)
    try store.close()
    return left
  }

  /// Starts on what a kill left, with so little memory that the replay flushes; writes meanwhile, flushes and closes.
  private func restart(on disk: FailingFileSystem, _ outcome: inout Outcome) {
    var store: Store?
    do {
      let opened = try open(disk, memory: 256 << 10, waits: false)
      store = opened
      let driver = StoreDriver(opened)
      for version in 1_001...1_006 {
        try write(&outcome, driver, version: version, round: 0, batch: version % 3)
        if version == 1_003 { try opened.waitUntilReplayed() }
      }
      try opened.flush()
      try opened.close()
      outcome.isComplete = true
    } catch {
      // As in `run`.
      try? store?.close()
    }
  }

  private func write(
    _ outcome: inout Outcome, _ driver: StoreDriver, version: Int, round: Int, batch: Int
  ) throws {
    var names: [String] = []
    var lines = ""
    for series in 0..<3 {
      // Every third batch writes over points of an earlier one; two windows.
      let time = Self.start - Int64(series) * 400_000_000_000_000 + Int64(batch == 2 ? 0 : version)
      lines += "m,s=\(series) v=\(version)i \(time)\n"
      names.append("m,s=\(series) \(time)")
    }
    for name in names { outcome.submitted[name] = version }
    try driver.writeDurably(lines)
    for name in names { outcome.acknowledged[name] = version }
  }

  private func check(_ disk: MemoryFileSystem, _ outcome: Outcome, _ place: String) throws -> [String] {
    var problems: [String] = []
    let store = try open(disk)
    defer { try? store.close() }
    guard store.databases().contains("metrics") else {
      return outcome.acknowledged.isEmpty ? [] : ["\(place): the database is gone"]
    }
    var found: [String: Int] = [:]
    for line in try StoreDriver(store).dump() {
      let parts = line.split(separator: " ")
      found["\(parts[0]) \(parts[2])"] = Int(parts[1].dropFirst(2).dropLast())
    }
    for (name, version) in outcome.acknowledged where (found[name] ?? 0) < version {
      problems.append("\(place): \(name) was acknowledged at \(version), found \(found[name] ?? 0)")
    }
    for (name, version) in found where version > outcome.submitted[name] ?? 0 {
      problems.append("\(place): \(name) was never written as \(version)")
    }
    return problems
  }

  /// Sets of unsynced changes that are gone through after each call; where there are more, seeds choose.
  private static let survivorCountMax = runsSlowTests ? 4_096 : 8

  @Test("no acknowledged point is lost, none is invented and nothing deleted is back, stopped after any call")
  func everyCall() {
    var (problems, callCount, wholeCount, survivorCount) = ([String](), 0, 0, 0)
    var isComplete = false
    while !isComplete && problems.count < 20 {
      callCount += 1
      let memory = MemoryFileSystem(isForgetful: true)
      let disk = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      let workload = CrashWorkload(disk: disk, mode: .stops, reserveByteCount: 8 << 10)
      disk.stop(at: callCount)
      workload.run()
      isComplete = workload.isComplete
      let place = "call \(callCount)"
      let isWhole = memory.survivors(limit: Self.survivorCountMax) { left, survival in
        survivorCount += 1
        problems += workload.compare(left, "\(place), \(survival)")
      }
      if isWhole { wholeCount += 1 }
      problems += Self.killedBeforeThePowerWent(memory, workload, place)
      // Whole changes were gone through; these also tear writes.
      var survivals: [Survival] = [.seed(UInt64(callCount) << 10)]
      if !isWhole { survivals += [.everything, .seed(UInt64(callCount) << 20), .seed(UInt64(callCount) << 30)] }
      for survival in survivals {
        survivorCount += 1
        problems += workload.compare(memory.crash(keeping: survival), "\(place), \(survival)")
      }
    }
    #expect(problems == [])
    #expect(callCount > 100, "the workload makes \(callCount) changes: too few to prove anything")
    #expect(wholeCount > callCount / 8, "every set of changes was looked at after \(wholeCount) calls only")
    print("\(callCount) calls, \(survivorCount) survivors, all there may be after \(wholeCount) of the calls")
  }

  /// The process is killed, what it wrote and did not sync is read by the next start, and the power goes right after that.
  private static func killedBeforeThePowerWent(
    _ memory: MemoryFileSystem, _ workload: CrashWorkload, _ place: String
  ) -> [String] {
    do {
      let store = try workload.opened(memory)
      let left = [Survival.nothing, .seed(7), .seed(8)].map { memory.crash(keeping: $0) }
      try store.close()
      return left.flatMap { workload.compare($0, "\(place), killed, then without power") }
    } catch {
      return ["\(place): does not open after a kill: \(error)"]
    }
  }

  @Test("the same where it is stopped after any call of a start that replays while it takes writes")
  func everyCallOfRestart() throws {
    var before = Outcome()
    let left = try killed(&before)
    let started = before
    let (problems, callCount) = stoppingAtEveryCall(
      [.nothing, .everything, .seed(1)], of: { (left.crash(keeping: .everything), started) }
    ) { disk, outcome in restart(on: disk, &outcome) }
    #expect(problems == [])
    #expect(callCount > 20, "the start makes \(callCount) changes: too few to prove anything")
  }

  /// Runs a workload with the disk stopped after its first change, its second, and so on until it is complete, and opens what may be
  /// left of each; the problems, and the changes that it makes.
  private func stoppingAtEveryCall(
    _ survivals: [Survival], of start: () -> (MemoryFileSystem, Outcome), _ workload: (FailingFileSystem, inout Outcome) -> Void
  ) -> (problems: [String], callCount: Int) {
    var problems: [String] = []
    for call in 1...2_000 {
      var (memory, outcome) = start()
      let disk = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      disk.stop(at: call)
      workload(disk, &outcome)
      for case var survival in survivals {
        // Another choice at each call.
        if case .seed(let number) = survival { survival = .seed(UInt64(call) << (number * 10)) }
        do {
          problems += try check(memory.crash(keeping: survival), outcome, "call \(call), \(survival)")
        } catch {
          problems.append("call \(call), \(survival): does not open: \(error)")
        }
      }
      if outcome.isComplete || problems.count > 20 { return (problems, call) }
    }
    return (problems + ["the workload does not end"], 2_000)
  }
}

import Storage
import TestSupport
import Testing

/// Stops the disk after every change of a backup, an incremental one and a restore, and looks at what a power cut may leave.
@Suite("Backup and restore after a crash", .tags(.crash))
struct BackupCrashTests {
  /// What was told before the disk stopped.
  private struct Outcome {
    var store: [String] = []
    /// What the first and the second backup hold, once they may be there; how many were said to be done.
    var backups: [[String]] = []
    var doneCount = 0
    var isRestored = false
    var isComplete = false
  }

  private func run(_ disk: FailingFileSystem, stopAt call: Int, _ clocks: ClockedStore.Clocks) throws
    -> Outcome
  {
    var outcome = Outcome()
    let store = try BackupBench.open(disk.rooted(at: "/data"), clocks)
    defer { try? store.close() }
    try store.createDatabase("metrics")
    let driver = StoreDriver(store)
    try driver.writeDurably(BackupBench.lines("cpu,host=a", from: 0))
    try store.flush()
    try driver.writeDurably(BackupBench.lines("cpu,host=b", from: 0))
    outcome.store = try driver.dump()
    disk.stop(at: disk.callCount + call)
    do {
      outcome.backups.append(outcome.store)
      _ = try store.backUp(to: "/backup")
      outcome.doneCount = 1
      let lines = BackupBench.lines("cpu,host=c", from: 0)
      try driver.writeDurably(lines)
      outcome.store = try driver.dump()
      try store.compact()
      outcome.backups.append(outcome.store)
      _ = try store.backUp(to: "/backup", isIncremental: true)
      outcome.doneCount = 2
      _ = try store.restore(from: "/backup", database: "metrics", as: "copy")
      outcome.isRestored = true
      outcome.isComplete = true
    } catch {
      // The process dies here.
    }
    return outcome
  }

  private func check(_ left: MemoryFileSystem, _ outcome: Outcome, _ clocks: ClockedStore.Clocks) throws
    -> [String]
  {
    var problems: [String] = []
    let store = try BackupBench.open(left.rooted(at: "/data"), clocks)
    defer { try? store.close() }
    let found = try StoreDriver(store).dump()
    if !Set(found).isSuperset(of: outcome.store) { problems.append("the store lost points") }
    if store.databases().contains("copy") {
      if try StoreDriver(store).dump(database: "copy") != outcome.backups[1] {
        problems.append("the copy differs")
      }
    } else if outcome.isRestored {
      problems.append("the copy is gone")
    }
    if try left.exists("data/restoring") { problems.append("the staging folder is still there") }

    guard try left.exists("backup/CURRENT") else {
      return problems + (outcome.doneCount > 0 ? ["the backup is gone"] : [])
    }
    let possible = outcome.backups[max(0, outcome.doneCount - 1)...]
    let backup = left.rooted(at: "/backup")
    let read = try dump(backup, clocks, isReadOnly: true)
    if !possible.contains(read) { problems.append("the backup holds \(read.count) points") }
    // Whatever the last one came to, another brings it up to date; then it is a store like any other.
    _ = try store.backUp(to: "/backup", isIncremental: true, isVerified: true)
    if try dump(backup, clocks, isReadOnly: true) != found { problems.append("the next backup differs") }
    if try dump(backup, clocks, isReadOnly: false) != found {
      problems.append("the next backup differs as a store")
    }
    return problems
  }

  private func dump(_ disk: any FileSystem, _ clocks: ClockedStore.Clocks, isReadOnly: Bool) throws
    -> [String]
  {
    let store = try BackupBench.open(disk, clocks, isReadOnly: isReadOnly)
    defer { try? store.close() }
    return try StoreDriver(store).dump()
  }

  @Test(
    "the directory is the old backup or the new, the store has everything, the copy is whole or not there",
    arguments: [true, false])
  func everyCall(takesLinks: Bool) throws {
    var problems: [String] = []
    let clocks = ClockedStore.Clocks()
    var callCount = 0
    for call in 1...2_000 {
      let memory = MemoryFileSystem(isForgetful: true)
      let disk = FailingFileSystem(wrapping: memory, countsChangesOnly: true, takesLinks: takesLinks)
      let outcome = try run(disk, stopAt: call, clocks)
      for survival in [Survival.nothing, .everything, .seed(UInt64(call)), .seed(UInt64(call) << 10)] {
        do {
          let left = memory.crash(keeping: survival)
          problems += try check(left, outcome, clocks).map { "call \(call), \(survival): \($0)" }
        } catch {
          problems.append("call \(call), \(survival): \(error)")
        }
      }
      callCount = call
      if outcome.isComplete || problems.count > 10 { break }
    }
    #expect(problems == [])
    #expect(callCount > 60, "\(callCount) changes are too few to prove anything")
  }
}

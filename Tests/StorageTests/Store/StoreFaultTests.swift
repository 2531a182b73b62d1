import Storage
import TestSupport
import Testing

/// A disk whose *n*-th call fails, for every *n* of a workload, and a disk that is full at any point of it.
@Suite("Store on a failing disk", .tags(.crash))
struct StoreFaultTests {
  /// Every call in the long run; every so many in the short one, beginning elsewhere for each code.
  private static let stride = runsSlowTests ? 1 : 5

  @Test("one call fails: nothing acknowledged is lost, then or after a restart", arguments: [StorageError.Code.io, .full])
  func everyCall(code: StorageError.Code) {
    var (problems, heard, call) = ([String](), 0, code == .io ? 1 : 3)
    while problems.count < 10 {
      let memory = MemoryFileSystem(isForgetful: true)
      let disk = FailingFileSystem(wrapping: memory)
      let workload = CrashWorkload(disk: disk, mode: .fails, reserveByteCount: 8 << 10)
      disk.fail(at: call, with: code)
      workload.run()
      workload.end()
      problems += workload.problems.map { "call \(call): \($0)" }
      problems += workload.compare(memory.crash(keeping: .everything), "call \(call), reopened")
      problems += workload.compare(memory.crash(keeping: .nothing), "call \(call), after a power cut")
      if !workload.errors.isEmpty { heard += 1 }
      if disk.callCount < call { break }
      call += Self.stride
    }
    #expect(problems == [])
    #expect(heard > 10, "only \(heard) of \(call) failed calls were told to anyone")
  }

  @Test("a full disk: answers, deletes and retention go on, and writes return with the space")
  func everyCapacity() throws {
    let reserve: UInt64 = 8 << 10
    // Two segments and the reserve, and room for less and less of what comes then.
    var (problems, fullCount) = ([String](), 0)
    for room in Swift.stride(from: UInt64(0), through: 56 << 10, by: runsSlowTests ? 509 : 4_093) {
      let memory = MemoryFileSystem(isForgetful: true)
      let disk = FailingFileSystem(wrapping: memory, capacity: (32 << 10) + 2 * reserve + room)
      let workload = CrashWorkload(disk: disk, mode: .fails, reserveByteCount: reserve, rowCount: 200)
      workload.run()
      let place = "room \(room)"
      if workload.errors.contains(where: { ($0 as? StorageError)?.code == .full }) { fullCount += 1 }
      if workload.store == nil { try workload.reopen() }
      try workload.writeShortAndFlush()
      // Full to the last byte, but for the reserve.
      fill(disk)
      workload.compareNow("\(place), full")
      if try !workload.delete(series: 2) { problems.append("\(place): a delete is refused: \(workload.errors)") }
      workload.compareNow("\(place), after a delete")
      workload.expire()
      let left = try workload.shortTables()
      if left != [] { problems.append("\(place): what expired is still on the disk: \(left)") }
      disk.setCapacity(nil)
      if try !workload.writesAgain() { problems.append("\(place): no writes with space: \(workload.errors)") }
      workload.end()
      problems += workload.problems
      problems += workload.compare(memory.crash(keeping: .nothing), "\(place), after a power cut")
    }
    #expect(problems == [])
    #expect(fullCount > 2, "the disk was full \(fullCount) times")
  }

  /// Leaves no room for anything.
  private func fill(_ disk: FailingFileSystem) {
    do {
      let (free, total) = try disk.space()
      disk.setCapacity(total - free)
    } catch {
      Issue.record("\(error)")
    }
  }
}

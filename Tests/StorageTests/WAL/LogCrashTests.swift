import Coding
import Storage
import TestSupport
import Testing

/// Stops the log at every call, leaves what a power cut may leave, and opens again.
@Suite("WriteAheadLog: crashes", .tags(.crash))
struct LogCrashTests {
  /// What was done to a log before the disk stopped.
  struct History {
    var appended: [UInt64: LoggedBatch] = [:]
    var acknowledged: Set<UInt64> = []
    var removedThrough: UInt64 = 0
  }

  /// Appends, waits, rotates and removes until the disk stops.
  static func run(on fileSystem: any FileSystem, seed: UInt64, sync: SyncMode) -> History {
    var history = History()
    var random = SplitMix64(seed: seed)
    do throws(StorageError) {
      let summary = try WriteAheadLog.batches(fileSystem).summary
      let log = try WriteAheadLog(
        fileSystem: fileSystem, options: logOptions(sync, segmentByteCount: 4_096),
        nextSequence: summary.lastSequence + 1, nextSegment: summary.lastSegment + 1, retained: summary.segments)
      // The log's threads end with the test, whatever fails in it.
      defer { do { try log.close() } catch {} }
      for number in 0..<24 {
        let batch = LoggedBatch(
          sequence: 0, definitions: random.next() % 3 == 0 ? payload(number, count: 20) : [],
          rows: payload(number + 1, count: Int(random.next() % 900)))
        let sequence = try log.append(batch.rows, definitions: batch.definitions)
        history.appended[sequence] = LoggedBatch(sequence: sequence, definitions: batch.definitions, rows: batch.rows)
        if random.next() % 2 == 0 {
          try log.wait(for: sequence)
          if sync == .group {
            history.acknowledged.formUnion((1...sequence).filter { log.state(of: $0) == .durable })
          }
        }
        if random.next() % 8 == 0 { try log.rotate() }
        if random.next() % 8 == 0 {
          history.removedThrough = sequence / 2
          try log.removeSegments(throughSequence: sequence / 2)
        }
      }
    } catch {
      // The disk stopped.
    }
    return history
  }

  static func check(_ left: MemoryFileSystem, _ history: History) throws -> String? {
    var results: [[LoggedBatch]] = []
    for _ in 0..<2 {
      do throws(StorageError) {
        results.append(try WriteAheadLog.batches(left).batches)
      } catch {
        return "refused: \(error)"
      }
    }
    let found = results[0]
    if results[1] != found { return "the second start finds \(results[1].count) batches, the first \(found.count)" }
    for batch in found where !batch.rows.isEmpty || history.appended[batch.sequence]?.rows.isEmpty == true {
      if history.appended[batch.sequence] != batch { return "batch \(batch.sequence) was never appended so" }
    }
    let whole = Set(found.filter { history.appended[$0.sequence] == $0 }.map(\.sequence))
    let lost = history.acknowledged.filter { $0 > history.removedThrough && !whole.contains($0) }
    return lost.isEmpty ? nil : "lost \(lost.sorted())"
  }

  @Test("an acknowledged batch is there after a crash at any call, none is made up", arguments: [SyncMode.group, .interval(.milliseconds(1)), .none])
  func everyCall(sync: SyncMode) throws {
    var failures: [String] = []
    var seed: UInt64 = 1
    let whole = FailingFileSystem(wrapping: MemoryFileSystem(isForgetful: true), countsChangesOnly: true)
    _ = Self.run(on: whole, seed: 3, sync: sync)
    for call in 1...whole.callCount {
      let memory = MemoryFileSystem(isForgetful: true)
      let failing = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      failing.stop(at: call)
      let history = Self.run(on: failing, seed: 3, sync: sync)
      for survival in [Survival.nothing, .everything, .seed(seed), .seed(seed + 1), .seed(seed + 2)] {
        if let failure = try Self.check(memory.crash(keeping: survival), history) {
          failures.append("call \(call), \(survival): \(failure)")
        }
      }
      seed += 3
    }
    #expect(failures == [])
  }

  @Test("a crash within recovery from a crash loses nothing either", arguments: 0..<12)
  func twice(seed: UInt64) throws {
    let memory = MemoryFileSystem(isForgetful: true)
    let failing = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
    var random = SplitMix64(seed: seed)
    failing.stop(at: 10 + Int(random.next() % 60))
    let history = Self.run(on: failing, seed: seed, sync: .group)
    let left = memory.crash(keeping: .seed(seed))
    var failures: [String] = []
    for call in 1...8 {
      let copy = left.crash(keeping: .everything)
      let stopping = FailingFileSystem(wrapping: copy, countsChangesOnly: true)
      stopping.stop(at: call)
      do throws(StorageError) { _ = try WriteAheadLog.batches(stopping) } catch {}
      for survival in [Survival.nothing, .everything, .seed(random.next()), .seed(random.next())] {
        if let failure = try Self.check(copy.crash(keeping: survival), history) {
          failures.append("call \(call), \(survival): \(failure)")
        }
      }
    }
    #expect(failures == [])
  }

  @Test("a call that fails once, whichever it is, loses nothing that is acknowledged", arguments: [StorageError.Code.io, .full])
  func everyFailure(code: StorageError.Code) throws {
    var failures: [String] = []
    let whole = FailingFileSystem(wrapping: MemoryFileSystem(isForgetful: true), countsChangesOnly: true)
    _ = Self.run(on: whole, seed: 5, sync: .group)
    for call in 1...whole.callCount {
      let memory = MemoryFileSystem(isForgetful: true)
      let failing = FailingFileSystem(wrapping: memory, countsChangesOnly: true)
      failing.fail(at: call, with: code)
      let history = Self.run(on: failing, seed: 5, sync: .group)
      for survival in [Survival.nothing, .everything, .seed(UInt64(call))] {
        if let failure = try Self.check(memory.crash(keeping: survival), history) {
          failures.append("call \(call), \(survival): \(failure)")
        }
      }
    }
    #expect(failures == [])
  }
}

extension [UInt8] {
  var crc32c: UInt32 { withUnsafeBytes { Coding.crc32c($0) } }
}

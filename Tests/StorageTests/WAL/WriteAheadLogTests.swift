import Storage
import Synchronization
import TestSupport
import Testing

@Suite("WriteAheadLog")
struct WriteAheadLogTests {
  @Test("what was appended is replayed, in order, definitions before rows", arguments: [SyncMode.group, .interval(.milliseconds(1)), .none])
  func roundTrip(sync: SyncMode) throws {
    let fileSystem = MemoryFileSystem()
    let log = try WriteAheadLog(fileSystem: fileSystem, options: logOptions(sync), nextSequence: 8, nextSegment: 3)
    var written: [LoggedBatch] = []
    for number in 0..<200 {
      let definitions = number % 3 == 0 ? payload(number, count: number) : []
      let rows = payload(number + 1_000, count: number * 5)
      var held: UInt64 = 0
      let sequence = try log.append(rows, definitions: definitions) { held = $0 }
      #expect(held == sequence)
      written.append(LoggedBatch(sequence: sequence, definitions: definitions, rows: rows))
    }
    try log.wait(for: 207)
    #expect(log.decidedThrough == 207 && log.state(of: 207) == .durable)
    try log.close()
    let (batches, summary) = try WriteAheadLog.batches(fileSystem)
    #expect(batches == written)
    #expect(summary.lastSequence == 207 && summary.tornByteCount == 0 && summary.damages.isEmpty)
    #expect(summary.segments.first?.number == 3 && summary.segments.count > 1)
    #expect(summary.segments.allSatisfy { $0.syncedByteCount == nil })
    #expect(try WriteAheadLog.batches(fileSystem, isReadOnly: true).batches == written)
  }

  @Test("threads share syncs; each ticket is decided and each batch is there once")
  func groupCommit() throws {
    let fileSystem = MemoryFileSystem()
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: 1 << 20), nextSequence: 1, nextSegment: 1)
    let written = Lock<Set<LoggedBatch>>([])
    let decidedCount = Atomic(0)
    log.onDecided { decidedCount.add(1, ordering: .relaxed) }
    let threads = try (0..<4).map { thread in
      try WorkerThread(name: "sender") {
        for number in 0..<500 {
          do throws(StorageError) {
            let rows = payload(thread * 1_000 + number, count: 300)
            let sequence = try log.append(rows)
            if number % 50 == 0 { try log.wait(for: sequence) }
            written.withLock { _ = $0.insert(LoggedBatch(sequence: sequence, rows: rows)) }
          } catch {
            Issue.record("\(error)")
          }
        }
      }
    }
    for thread in threads { thread.join() }
    try log.wait(for: 2_000)
    let statistics = log.statistics()
    #expect(statistics.syncCount > 0 && statistics.syncCount == statistics.syncBuckets.reduce(0, +))
    #expect(statistics.syncedByteCount > 2_000 * 300 && statistics.byteCountInFlight == 0)
    #expect(decidedCount.load(ordering: .relaxed) > 0)
    try log.close()
    let batches = try WriteAheadLog.batches(fileSystem).batches
    #expect(batches.map(\.sequence) == Array(1...2_000))
    #expect(Set(batches) == written.withLock { $0 })
  }

  @Test("bytes in flight stay at the bound, and a larger batch goes alone")
  func bound() throws {
    var options = logOptions(segmentByteCount: 1 << 20)
    options.byteCountInFlightMax = 2_000
    let log = try WriteAheadLog(
      fileSystem: MemoryFileSystem(), options: options, nextSequence: 1, nextSegment: 1)
    var highest = 0
    for number in 0..<2_000 {
      try log.append(payload(number, count: 600))
      highest = max(highest, log.statistics().byteCountInFlight)
    }
    #expect(highest <= 2_000)
    try log.wait(for: try log.append(payload(0, count: 100_000)))
    try log.close()
  }

  @Test("a batch that no segment holds is refused for good; the largest that fits is taken")
  func limit() throws {
    let log = try WriteAheadLog(
      fileSystem: MemoryFileSystem(), options: logOptions(segmentByteCount: 8_192), nextSequence: 1, nextSegment: 1)
    #expect(FileSystemTests.code { () throws(StorageError) in
      try log.append(payload(0, count: log.batchByteCountMax + 1))
    } == .limit)
    for number in 1...5 {
      let half = log.batchByteCountMax / 2
      try log.wait(for: try log.append(payload(number, count: log.batchByteCountMax - half), definitions: payload(1, count: half)))
    }
    try log.close()
    #expect(FileSystemTests.code { () throws(StorageError) in try log.append([1]) } == .invalid)
    try log.close()
  }

  @Test("segments are removed from the oldest, by the numbers in them")
  func removal() throws {
    let fileSystem = MemoryFileSystem()
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: 4_096), nextSequence: 1, nextSegment: 1)
    try log.rotate()
    #expect(log.openSegment == 1)
    for number in 1...30 {
      try log.append(payload(number, count: 200))
      if number % 10 == 0 { try log.rotate() }
    }
    #expect(log.openSegment == 4)
    #expect(log.retainedSegments().map(\.lastSequence) == [10, 20, 30])
    try log.removeSegments(throughSequence: 19)
    #expect(log.retainedSegments().map(\.number) == [2, 3])
    try log.append(payload(31, count: 10))
    try log.close()
    #expect(try fileSystem.list("wal").sorted() == [2, 3, 4].map { "000000000\($0).wal" })
    let (batches, summary) = try WriteAheadLog.batches(fileSystem)
    #expect(batches.map(\.sequence) == Array(11...31))
    let next = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(), nextSequence: 32, nextSegment: 5, retained: summary.segments)
    try next.removeSegments(throughSequence: 31)
    #expect(next.retainedSegments().isEmpty)
    try next.close()
    #expect(try fileSystem.list("wal") == [])
  }

  @Test("a full disk refuses a batch before it is logged, and takes it when there is room")
  func fullDisk() throws {
    let memory = MemoryFileSystem()
    let fileSystem = FailingFileSystem(wrapping: memory, capacity: 20_000)
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: 8_192), nextSequence: 1, nextSegment: 1)
    var taken: UInt64 = 0
    var refusals = 0
    for number in 0..<100 {
      do throws(StorageError) {
        taken = try log.append(payload(number, count: 1_000))
      } catch {
        #expect(error.code == .full)
        refusals += 1
      }
    }
    #expect(refusals > 0 && taken == UInt64(100 - refusals))
    #expect(log.statistics().degraded == nil)
    try log.wait(for: taken)
    fileSystem.setCapacity(nil)
    // The retry is the allocator's: the first answer may still be the old one.
    while FileSystemTests.code({ () throws(StorageError) in taken = try log.append(payload(1, count: 1_000)) }) != nil {}
    try log.close()
    #expect(try WriteAheadLog.batches(memory).batches.map(\.sequence) == Array(1...taken))
  }

  @Test("a failed sync fails its group for good, and the log goes on in a new segment")
  func failedSync() throws {
    let memory = MemoryFileSystem()
    let fileSystem = FailingFileSystem(wrapping: memory)
    let log = try WriteAheadLog(fileSystem: fileSystem, options: logOptions(), nextSequence: 1, nextSegment: 1)
    let isOpenAfter = Lock<Bool?>(nil)
    log.onFailure { _, isOpen in isOpenAfter.withLock { $0 = isOpen } }
    try log.wait(for: try log.append(payload(1, count: 100)))
    fileSystem.fail { call, name, _ in call == .sync && name == "wal/0000000001.wal" ? .io : nil }
    let lost = try log.append(payload(2, count: 100))
    #expect(FileSystemTests.code { () throws(StorageError) in try log.wait(for: lost) } == .io)
    let kept = try log.append(payload(3, count: 100))
    try log.wait(for: kept)
    #expect(log.openSegment == 2)
    guard case .failed(let error) = log.state(of: lost) else {
      Issue.record("\(log.state(of: lost))")
      return
    }
    #expect(error.code == .io && log.state(of: 1) == .durable && log.state(of: kept) == .durable)
    #expect(isOpenAfter.withLock { $0 } == true)
    #expect(log.statistics().failedSegmentCount == 1 && log.statistics().degraded == nil)
    try log.close()
    let (batches, summary) = try WriteAheadLog.batches(memory)
    // What was answered as failed may be there or not; what was acknowledged is.
    #expect(Set(batches.map(\.sequence)).isSuperset(of: [1, kept]))
    #expect(summary.segments.count == 2 && summary.damages.isEmpty)
  }

  @Test("without a new segment the log is dead: it says why, and fails what waits")
  func dead() throws {
    let fileSystem = FailingFileSystem(wrapping: MemoryFileSystem())
    let log = try WriteAheadLog(fileSystem: fileSystem, options: logOptions(), nextSequence: 1, nextSegment: 1)
    let isOpenAfter = Lock<Bool?>(nil)
    log.onFailure { _, isOpen in isOpenAfter.withLock { $0 = isOpen } }
    try log.wait(for: try log.append(payload(1, count: 100)))
    fileSystem.stop()
    // The spare segment was allocated: the second failure is that of its first sync, then there is none.
    for number in 2...4 {
      do throws(StorageError) {
        let sequence = try log.append(payload(number, count: 100))
        #expect(FileSystemTests.code { () throws(StorageError) in try log.wait(for: sequence) } == .io)
      } catch {
        #expect(error.code == .io)
      }
    }
    #expect(log.statistics().degraded?.isEmpty == false)
    #expect(isOpenAfter.withLock { $0 } == false)
    #expect(FileSystemTests.code { () throws(StorageError) in try log.append([1]) } == .io)
    #expect(FileSystemTests.code { () throws(StorageError) in try log.rotate() } == .io)
    #expect(FileSystemTests.code { () throws(StorageError) in try log.close() } == .io)
  }

  @Test("when the log falls idle a mark states what is synced, so that damage to the last record is seen")
  func mark() throws {
    let fileSystem = MemoryFileSystem(isForgetful: true)
    var options = logOptions()
    options.idleDelay = .milliseconds(1)
    options.releaseDelay = .milliseconds(1)
    let log = try WriteAheadLog(fileSystem: fileSystem, options: options, nextSequence: 1, nextSegment: 1)
    let marked = Condition()
    let groupCount = Monitor(0)
    log.onDecided {
      groupCount.withLock { $0 += 1 }
      marked.notifyAll()
    }
    try log.append(payload(1, count: 100))
    groupCount.withLock(on: marked, for: .seconds(30), when: { $0 >= 2 }) { #expect($0 == 2) }
    let left = fileSystem.crash(keeping: .nothing)
    try log.close()
    #expect(try WriteAheadLog.batches(left, isReadOnly: true).batches.count == 1)
    let file = try left.openForWriting("wal/0000000001.wal")
    try file.write([0xff], at: 56 + 36 + 50)
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try WriteAheadLog.batches(left) } == .corrupt)
  }
}

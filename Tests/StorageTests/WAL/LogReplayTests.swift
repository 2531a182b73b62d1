import Storage
import TestSupport
import Testing

@Suite("WriteAheadLog: replay of torn and damaged segments")
struct LogReplayTests {
  /// A log of a few batches in its first segment, as a kill leaves it: no end record. Returns the disk and the batches.
  private func killed(
    batchCount: Int = 5, rowByteCount: Int = 40, segmentByteCount: UInt64 = 4_096
  ) throws -> (MemoryFileSystem, [LoggedBatch]) {
    let fileSystem = MemoryFileSystem(isForgetful: true)
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: segmentByteCount), nextSequence: 1, nextSegment: 1)
    var written: [LoggedBatch] = []
    for number in 0..<batchCount {
      let batch = LoggedBatch(
        sequence: UInt64(number + 1), definitions: number == 1 ? payload(9, count: 10) : [],
        rows: payload(number, count: rowByteCount))
      try log.wait(for: try log.append(batch.rows, definitions: batch.definitions))
      written.append(batch)
    }
    let left = fileSystem.crash(keeping: .everything)
    try log.close()
    return (left, written)
  }

  private let segment = "wal/0000000001.wal"
  private let recordByteCount = 80

  /// The offset behind the last batch of `killed()`.
  private let end = 56 + 5 * 80 + 50

  @Test("a kill loses nothing: the segment is ended where its records end, and a second start finds it ended")
  func kill() throws {
    let (fileSystem, written) = try killed()
    let (batches, summary) = try WriteAheadLog.batches(fileSystem)
    #expect(batches == written)
    #expect(summary.tornByteCount == 0)
    #expect(try fileSystem.open(segment).byteCount() == UInt64(end + 40))
    // The spare segment was never used.
    #expect(try fileSystem.list("wal") == ["0000000001.wal"])
    let again = try WriteAheadLog.batches(fileSystem)
    #expect(again.batches == written && again.summary == summary)
  }

  @Test("reading only, nothing is changed")
  func readOnly() throws {
    let (fileSystem, written) = try killed()
    let before = try fileSystem.open(segment).bytes()
    let names = try fileSystem.list("wal").sorted()
    #expect(try WriteAheadLog.batches(fileSystem, isReadOnly: true).batches == written)
    #expect(try fileSystem.open(segment).bytes() == before)
    #expect(try fileSystem.list("wal").sorted() == names)
  }

  @Test("the last record torn at any byte is dropped, its length is said, and new batches go on behind")
  func tornTail() throws {
    let (original, written) = try killed()
    for cut in (end - recordByteCount)..<end {
      let fileSystem = original.crash(keeping: .everything)
      let file = try fileSystem.openForWriting(segment)
      let torn = Array(try file.bytes(at: UInt64(cut), count: end - cut))
      try file.write([UInt8](repeating: 0, count: end - cut), at: UInt64(cut))
      let (batches, summary) = try WriteAheadLog.batches(fileSystem)
      // A record that ends in zeros is whole where just these were not written.
      let isWhole = torn.allSatisfy { $0 == 0 }
      if batches != (isWhole ? written : Array(written.dropLast())) { Issue.record("cut at \(cut)") }
      if !isWhole && summary.tornByteCount > UInt64(recordByteCount) { Issue.record("cut at \(cut): \(summary)") }
      if !isWhole && cut > end - 40 && summary.tornByteCount == 0 { Issue.record("cut at \(cut): \(summary)") }
      let again = try WriteAheadLog.batches(fileSystem)
      if again.batches != batches || again.summary.tornByteCount != 0 { Issue.record("cut at \(cut), second start") }
      let log = try WriteAheadLog(
        fileSystem: fileSystem, options: logOptions(), nextSequence: summary.lastSequence + 1,
        nextSegment: summary.lastSegment + 1, retained: summary.segments)
      try log.wait(for: try log.append([7]))
      try log.close()
      if try WriteAheadLog.batches(fileSystem).batches.count != batches.count + 1 { Issue.record("cut at \(cut), third start") }
    }
  }

  @Test("a record that a later one knows to be synced is damage, named by file and offset; told to, replay goes on")
  func damage() throws {
    let (fileSystem, written) = try killed()
    // The third batch: behind the header, batch 1, and batch 2 with its definitions.
    let offset = UInt64(56 + 80 + 50 + 80)
    let file = try fileSystem.openForWriting(segment)
    let byte = try file.bytes(at: offset + 40, count: 1)[0]
    try file.write([byte ^ 1], at: offset + 40)
    do throws(StorageError) {
      _ = try WriteAheadLog.batches(fileSystem)
      Issue.record("not seen")
    } catch {
      #expect(error.code == .corrupt && error.file == segment && error.offset == offset)
      #expect(error.detail.contains("synced through"))
    }
    let (batches, summary) = try WriteAheadLog.batches(fileSystem, ignoresDamage: true)
    #expect(batches == written.filter { $0.sequence != 3 })
    #expect(summary.damages.count == 1 && summary.lostByteCount == 80)
  }

  @Test("a sender's bytes that look like a record, within a torn one, are neither a record nor evidence")
  func forgedRecord() throws {
    // All that a sender can know: everything but the salt, which begins the checksum.
    let (other, _) = try killed(batchCount: 3, rowByteCount: 40)
    let stolen = try other.open(segment).bytes(at: 56 + 80, count: 130)
    let fileSystem = MemoryFileSystem(isForgetful: true)
    var options = logOptions(segmentByteCount: 4_096)
    options.makeSalt = { 77 }
    let log = try WriteAheadLog(fileSystem: fileSystem, options: options, nextSequence: 1, nextSegment: 1)
    try log.wait(for: try log.append(stolen + payload(1, count: 100)))
    let left = fileSystem.crash(keeping: .everything)
    try log.close()
    // The record is torn in its last byte.
    try left.openForWriting(segment).write([0xee], at: UInt64(56 + 36 + 230 + 3))
    let (batches, summary) = try WriteAheadLog.batches(left)
    #expect(batches == [] && summary.tornByteCount == 270)
  }

  @Test("a missing segment, a cut one, one without its end and bytes behind an end are damage")
  func missing() throws {
    let fileSystem = MemoryFileSystem(isForgetful: true)
    let log = try WriteAheadLog(
      fileSystem: fileSystem, options: logOptions(segmentByteCount: 4_096), nextSequence: 1, nextSegment: 1)
    for number in 1...4 {
      try log.append(payload(number, count: 100))
      try log.rotate()
    }
    try log.append(payload(5, count: 100))
    try log.close()
    #expect(try WriteAheadLog.batches(fileSystem).batches.count == 5)
    func refused(_ change: (MemoryFileSystem) throws -> Void) throws -> StorageError? {
      let copy = fileSystem.crash(keeping: .everything)
      try change(copy)
      do throws(StorageError) { _ = try WriteAheadLog.batches(copy) } catch { return error }
      return nil
    }
    let lost = try refused { try $0.remove("wal/0000000003.wal") }
    #expect(lost?.file == "wal/0000000004.wal" && lost?.detail.contains("segment 3") == true)
    #expect(try refused { try $0.remove("wal/0000000001.wal") } == nil)
    // Each segment is header, one record, end record.
    let end = UInt64(56 + 140 + 40)
    for name in ["wal/0000000002.wal", "wal/0000000005.wal"] {
      #expect(try refused { try $0.openForWriting(name).truncate(to: end - 1) }?.offset == 196)
      #expect(try refused { try $0.openForWriting(name).truncate(to: 100) }?.offset == 56)
      #expect(try refused { try $0.openForWriting(name).truncate(to: 55) }?.offset == 0)
      #expect(try refused { try $0.openForWriting(name).write([1], at: end + 5) }?.offset == end)
      #expect(try refused { try $0.openForWriting(name).truncate(to: end + 100) } == nil)
    }
    #expect(try refused { try $0.openForWriting("wal/0000000002.wal").truncate(to: 0) }?.offset == 0)
    #expect(try refused { try $0.openForWriting("wal/0000000002.wal").write([0], at: 0) }?.offset == 0)
    // Another's files are left alone.
    #expect(try refused { _ = try $0.create("wal/notes.txt"); _ = try $0.create("wal/7.wal") } == nil)
  }

  @Test("a segment without a batch may be removed between survey and replay, and no other")
  func removedMeanwhile() throws {
    let fileSystem = MemoryFileSystem()
    let options = logOptions(segmentByteCount: 4_096)
    var log = try WriteAheadLog(fileSystem: fileSystem, options: options, nextSequence: 1, nextSegment: 1)
    try log.append(payload(1, count: 100))
    try log.rotate()
    try log.append(payload(2, count: 100))
    try log.close()
    // The only batch of the second segment is torn: the next start ends it without one.
    let second = "wal/0000000002.wal"
    try fileSystem.openForWriting(second).truncate(to: 56)
    try fileSystem.openForWriting(second).write([UInt8](repeating: 0, count: 4_040), at: 56)
    let found = try WriteAheadLog.batches(fileSystem)
    #expect(found.batches.map(\.sequence) == [1] && found.summary.segments.map(\.lastSequence) == [1, 0])
    log = try WriteAheadLog(
      fileSystem: fileSystem, options: options, nextSequence: 2, nextSegment: 3, retained: found.summary.segments)
    try log.append(payload(3, count: 100))
    try log.close()

    let survey = try WriteAheadLog.survey(fileSystem: fileSystem)
    try fileSystem.remove(second)
    var sequences: [UInt64] = []
    try WriteAheadLog.replay(survey, fileSystem: fileSystem) { sequences.append($0.sequence) }
    #expect(sequences == [1, 2])
    try fileSystem.remove("wal/0000000003.wal")
    #expect(throws: StorageError.self) { try WriteAheadLog.replay(survey, fileSystem: fileSystem) { _ in } }
  }

  @Test("a newer format is refused with what to do")
  func newerFormat() throws {
    let (fileSystem, _) = try killed()
    let file = try fileSystem.openForWriting(segment)
    try file.write([2], at: 8)
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try WriteAheadLog.batches(fileSystem) } == .corrupt)
    // With a checksum that holds it is no damage.
    let header = try file.bytes(at: 0, count: 48)
    let sum = header.crc32c
    try file.write((0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) }, at: 48)
    #expect(FileSystemTests.code { () throws(StorageError) in _ = try WriteAheadLog.batches(fileSystem) } == .unsupportedVersion)
  }

  @Test("no bit flip traps, makes a batch up, or loses one that is known to be synced without saying so", .tags(.property))
  func bitFlips() throws {
    let (original, written) = try killed(batchCount: 3, rowByteCount: 9)
    let end = 56 + 3 * 49 + 50
    var failures: [String] = []
    for bit in 0..<(end + 60) * 8 {
      let fileSystem = original.crash(keeping: .everything)
      let file = try fileSystem.openForWriting(segment)
      let byte = try file.bytes(at: UInt64(bit / 8), count: 1)[0]
      try file.write([byte ^ 1 << (bit % 8)], at: UInt64(bit / 8))
      do throws(StorageError) {
        let (batches, _) = try WriteAheadLog.batches(fileSystem)
        // Only the last batch is not known to be synced by any record behind it.
        let isPrefix = batches == Array(written.prefix(batches.count))
        if !isPrefix || batches.count < 2 { failures.append("bit \(bit): \(batches.map(\.sequence))") }
      } catch {
        if error.code != .corrupt || error.offset == nil { failures.append("bit \(bit): \(error)") }
        if bit >= end * 8 { failures.append("bit \(bit), behind the records: \(error)") }
      }
      let going = try WriteAheadLog.batches(original.flipped(segment, bit: bit), ignoresDamage: true).batches
      if !Set(going.map(\.rows)).isSubset(of: Set(written.map(\.rows) + [[]])) {
        failures.append("bit \(bit), going on: \(going)")
      }
    }
    #expect(failures == [])
  }

  @Test("garbage in the folder never traps", .tags(.property), arguments: 0..<8)
  func garbage(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for _ in 0..<100 {
      let fileSystem = MemoryFileSystem()
      try fileSystem.createDirectory("wal")
      for number in 1...3 {
        let file = try fileSystem.create("wal/000000000\(number).wal")
        let count = Int.random(in: 0..<300, using: &random)
        try file.write((0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }, at: 0)
      }
      for ignoresDamage in [false, true] {
        do throws(StorageError) {
          #expect(try WriteAheadLog.batches(fileSystem, ignoresDamage: ignoresDamage).batches == [])
        } catch {
          #expect(error.code == .corrupt)
        }
      }
    }
  }
}

extension MemoryFileSystem {
  /// A copy in which one bit of a file differs.
  func flipped(_ name: String, bit: Int) throws(StorageError) -> MemoryFileSystem {
    let copy = crash(keeping: .everything)
    let file = try copy.openForWriting(name)
    let byte = try file.bytes(at: UInt64(bit / 8), count: 1)[0]
    try file.write([byte ^ 1 << (bit % 8)], at: UInt64(bit / 8))
    return copy
  }
}

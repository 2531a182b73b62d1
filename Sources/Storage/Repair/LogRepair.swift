import Coding
import LineProtocol

/// Writes damaged segments of the log anew, with the records that are whole, so that a start reads the log to its end.
struct LogRepair {
  let fileSystem: any FileSystem
  private(set) var problems: [StorageError] = []
  private(set) var losses: [RepairReport.Loss] = []
  private(set) var actions: [String] = []
  /// The highest number of a batch that was met, lost ones too, and of a segment.
  private(set) var lastSequence: UInt64 = 0
  private(set) var lastSegment: UInt64 = 0
  private let decoder = RowDecoder()
  private let batch = LineBatch()

  init(fileSystem: any FileSystem) { self.fileSystem = fileSystem }

  /// - Parameter willReplace: called with what is lost so far before a segment takes the place of the damaged one.
  mutating func run(willReplace: ([RepairReport.Loss]) throws(StorageError) -> Void) throws(StorageError) {
    guard try fileSystem.exists(LogFormat.directory) else { return }
    var isChanged = true
    while isChanged {
      isChanged = false
      let (summary, errors) = Verification.readLog(fileSystem)
      lastSequence = max(lastSequence, summary.lastSequence)
      lastSegment = max(lastSegment, summary.lastSegment)
      for error in errors {
        guard error.code == .corrupt else { throw error }
        if !problems.contains(error) { problems.append(error) }
      }
      let damaged = Set(errors.map(\.file))
      let numbers = try fileSystem.list(LogFormat.directory).compactMap(LogFormat.number(of:)).sorted()
      var previous: (number: UInt64, lastSequence: UInt64) = (0, 0)
      for number in numbers {
        lastSegment = max(lastSegment, number)
        if damaged.contains(LogFormat.name(number)) {
          let found = try salvage(number, after: previous, willReplace)
          previous = (number, max(previous.lastSequence, found))
          isChanged = true
        } else if let info = summary.segments.first(where: { $0.number == number }) {
          previous = (number, max(previous.lastSequence, info.lastSequence))
        }
      }
    }
  }

  /// Writes one segment anew; returns the highest number of a batch that is left in it.
  private mutating func salvage(
    _ number: UInt64, after previous: (number: UInt64, lastSequence: UInt64),
    _ willReplace: ([RepairReport.Loss]) throws(StorageError) -> Void
  ) throws(StorageError) -> UInt64 {
    let name = LogFormat.name(number)
    let reader = try SegmentReader(file: fileSystem.open(name), number: number)
    var header = SegmentHeader(
      salt: 0, number: number, allocated: 0, previous: previous.number, previousSynced: SegmentHeader.ended)
    switch try reader.header() {
    case .success(let found):
      header.salt = found.salt
      if found.previous == previous.number { header.previousSynced = found.previousSynced }
      if previous.number == 0 { header.previous = found.previous }
    default:
      // The checksum of each record begins with the salt: one that is wrong finds none.
      if let bytes = unsafe try reader.bytes(at: 12, count: 4) {
        var offset = 0
        header.salt = unsafe readLittleEndian(UInt32.self, bytes, at: &offset) ?? 0
      }
      reader.salt = header.salt
    }
    var copy = SegmentCopy(header: header, lastSequence: previous.lastSequence)
    try take(from: reader, into: &copy)
    let kept = try Quarantine(fileSystem: fileSystem).copy(name)
    for what in copy.lost { losses.append(loss(name, what)) }
    try willReplace(losses)
    try copy.write(to: name, in: fileSystem)
    actions.append(
      "\(name): set aside as \(kept); written anew with the \(copy.recordCount) records that are whole")
    lastSequence = max(lastSequence, copy.lastSequence, copy.lastSeen)
    return copy.lastSequence
  }

  private mutating func take(from reader: SegmentReader, into copy: inout SegmentCopy) throws(StorageError) {
    var offset = UInt64(SegmentHeader.byteCount)
    while offset < reader.byteCount {
      switch try reader.item(at: offset) {
      case .record(let record, let payload):
        switch record.type {
        case .end: return
        case .mark: break
        case .definitions, .rows:
          do throws(StorageError) {
            try unsafe check(record, payload)
            try unsafe copy.append(record, payload)
          } catch {
            copy.lose("batch \(record.sequence): \(error.detail)", seen: record.sequence)
          }
        }
        offset += UInt64(record.recordByteCount)
      case .bad(let reason):
        let findings = try reader.lookOn(from: offset)
        let next = findings.next ?? findings.end
        if next > offset { lose(reader, at: offset, next: findings.next, reason, into: &copy) }
        guard let found = findings.next else { return }
        offset = found
      }
    }
  }

  /// Whether a record can be read in the segment as it is left: its definitions may be lost.
  private func check(_ record: RecordHeader, _ payload: UnsafeRawBufferPointer) throws(StorageError) {
    if record.type == .definitions {
      try unsafe decoder.define(payload, segment: record.segment)
    } else {
      _ = try unsafe decoder.decode(payload, segment: record.segment, into: batch)
    }
  }

  private func lose(
    _ reader: SegmentReader, at offset: UInt64, next: UInt64?, _ reason: String, into copy: inout SegmentCopy
  ) {
    var stated: RecordHeader?
    do throws(StorageError) {
      if let head = unsafe try reader.bytes(at: offset, count: RecordHeader.byteCount) {
        stated = unsafe RecordHeader(decoding: head, salt: reader.salt, segment: reader.number)
      }
    } catch {
      stated = nil
    }
    let which =
      stated.map { "batch \($0.sequence)" } ?? "batches after \(max(copy.lastSequence, copy.lastSeen))"
    copy.lose("\(which) at offset \(offset): \(reason)", seen: stated?.sequence ?? 0)
  }

  private func loss(_ name: String, _ what: String) -> RepairReport.Loss {
    RepairReport.Loss(
      file: name, database: "", policy: "", measurement: nil, series: nil, from: nil, through: nil,
      what: what + "; its rows are lost as far as no table had them")
  }
}

/// A segment as it is written anew: it has an end record, and says that it is synced, which it is before it takes the other's place.
private struct SegmentCopy {
  private var header: SegmentHeader
  private var bytes: [UInt8] = []
  private(set) var recordCount = 0
  private(set) var lastSequence: UInt64
  private(set) var lastSeen: UInt64 = 0
  private var lastRows: UInt64
  private(set) var lost: [String] = []

  init(header: SegmentHeader, lastSequence: UInt64) {
    self.header = header
    self.lastSequence = lastSequence
    lastRows = lastSequence
    bytes = Array(repeating: 0, count: SegmentHeader.byteCount)
  }

  mutating func lose(_ what: String, seen: UInt64) {
    lost.append(what)
    lastSeen = max(lastSeen, seen)
  }

  mutating func append(_ record: RecordHeader, _ payload: UnsafeRawBufferPointer) throws(StorageError) {
    guard record.sequence > lastRows, record.sequence >= lastSequence else {
      throw StorageError(.corrupt, "batch \(record.sequence) comes after \(lastSequence)")
    }
    if record.type == .rows { lastRows = record.sequence }
    lastSequence = record.sequence
    recordCount += 1
    var record = record
    record.synced = UInt64(bytes.count)
    record.encode(to: &bytes, salt: header.salt)
    unsafe bytes.append(contentsOf: payload)
    appendLittleEndian(unsafe crc32c(payload), to: &bytes)
  }

  /// Puts it in the file's place, synced.
  mutating func write(to name: String, in fileSystem: any FileSystem) throws(StorageError) {
    bytes.appendRecord(
      .end, segment: header.number, sequence: lastSequence, synced: UInt64(bytes.count), salt: header.salt)
    header.allocated = UInt64(bytes.count)
    var head: [UInt8] = []
    header.encode(to: &head)
    bytes.replaceSubrange(..<SegmentHeader.byteCount, with: head)
    try fileSystem.replace(name, with: bytes)
  }
}

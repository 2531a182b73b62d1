import Coding
import LineProtocol

/// Reads one damaged segment from front to back: takes the records that are whole, and takes note of every batch that may have
/// stood where none is.
struct SegmentSalvage {
  /// What the segments around say of this one.
  struct Surroundings {
    /// The segment before it that is there, 0 where there is none, and the highest number of rows up to there.
    var previous: UInt64
    var previousSequence: UInt64
    /// The first number of a batch that is left in a later segment; `nil` where there is none.
    var nextSequence: UInt64?
    var isLast: Bool
    /// The disk gave all of its bytes.
    var isRead: Bool
    /// The header of the next segment says how far this one was synced when its last sync failed.
    var synced: UInt64?
  }

  private let name: String
  private let reader: SegmentReader
  private let around: Surroundings
  /// `nil` where it does not hold.
  private let found: SegmentHeader?
  private(set) var copy: SegmentCopy
  private(set) var gaps: [LogGap] = []
  /// The highest number that was met, of lost batches too.
  private(set) var lastSeen: UInt64 = 0
  private let decoder = RowDecoder()
  private let batch = LineBatch()
  /// Every definition of the segment so far was read: what rows may be of is known without reading them.
  private var hasAllDefinitions = true

  init(_ number: UInt64, _ around: Surroundings, fileSystem: any FileSystem) throws(StorageError) {
    name = LogFormat.name(number)
    self.around = around
    reader = try SegmentReader(file: fileSystem.open(name), number: number)
    var header = SegmentHeader(
      salt: 0, number: number, allocated: 0, previous: around.previous, previousSynced: SegmentHeader.ended)
    if case .success(let found) = try reader.header() {
      self.found = found
      header.salt = found.salt
      if found.previous == around.previous { header.previousSynced = found.previousSynced }
      if around.previous == 0 { header.previous = found.previous }
    } else {
      found = nil
      // The checksum of each record begins with the salt: one that is wrong finds none.
      if let bytes = unsafe try reader.bytes(at: 12, count: 4) {
        var offset = 0
        header.salt = unsafe readLittleEndian(UInt32.self, bytes, at: &offset) ?? 0
      }
      reader.salt = header.salt
    }
    copy = SegmentCopy(header: header, lastSequence: around.previousSequence)
  }

  mutating func run() throws(StorageError) {
    var offset = UInt64(SegmentHeader.byteCount)
    if around.previous != 0, found?.previous != around.previous { try checkBefore(offset) }
    while true {
      switch try reader.item(at: offset) {
      case .record(let record, let payload):
        switch record.type {
        case .end: return
        case .mark: break
        case .definitions, .rows: try unsafe take(record, payload, at: offset)
        }
        offset += UInt64(record.recordByteCount)
      case .bad(let reason):
        guard let next = try pass(at: offset, reason) else { return }
        offset = next
      }
    }
  }

  /// Takes note of batches that may be gone with a segment that stood before this one.
  private mutating func checkBefore(_ offset: UInt64) throws(StorageError) {
    var next: UInt64?
    if case .record = try reader.item(at: offset) {
      next = offset
    } else {
      next = try reader.lookOn(from: offset).next
    }
    let last =
      try next.map { place throws(StorageError) in try lastLost(before: place) }
      ?? around.nextSequence.map { $0 - 1 }
    guard let found else {
      return lose(at: nil, "whether a segment came before this one is not known", through: last)
    }
    lose(at: nil, "the segment is not there", through: last)
    if gaps.last?.offset == nil, !gaps.isEmpty { gaps[gaps.count - 1].file = LogFormat.name(found.previous) }
  }

  private mutating func take(
    _ record: RecordHeader, _ payload: UnsafeRawBufferPointer, at offset: UInt64
  ) throws(StorageError) {
    lastSeen = max(lastSeen, record.sequence)
    do throws(StorageError) {
      if record.type == .definitions {
        try unsafe decoder.define(payload, segment: record.segment)
      } else {
        // Its definitions may be lost.
        _ = try unsafe decoder.decode(payload, segment: record.segment, into: batch)
      }
      try unsafe copy.append(record, payload)
    } catch {
      guard error.code == .corrupt else { throw error }
      if record.type == .definitions {
        hasAllDefinitions = false
      } else {
        try unsafe lose(record, payload, at: offset, error.detail)
      }
    }
  }

  /// Takes note of rows that are whole and cannot be read: where and when they were is known.
  private mutating func lose(
    _ record: RecordHeader, _ payload: UnsafeRawBufferPointer, at offset: UInt64, _ reason: String
  ) throws(StorageError) {
    var gap = gap(at: offset, reason, record.sequence, through: record.sequence)
    do throws(StorageError) {
      gap.keyspace = try unsafe RowDecoder.header(of: payload).keyspace
      gap.times = unsafe decoder.times(of: payload, segment: record.segment)
    } catch {
      guard error.code == .corrupt else { throw error }
    }
    gaps.append(gap)
  }

  /// Takes note of what a bad place may have held; the answer is where to read on, `nil` where the segment ends here.
  private mutating func pass(at offset: UInt64, _ reason: String) throws(StorageError) -> UInt64? {
    let findings = try reader.lookOn(from: offset)
    if isEnd(offset, findings) { return nil }
    let through = try findings.next.map { next throws(StorageError) in try lastLost(before: next) }
    guard let stated = try statedRecord(at: offset), offset + UInt64(stated.recordByteCount) == findings.next
    else {
      hasAllDefinitions = false
      lose(at: offset, reason, through: through ?? around.nextSequence.map { $0 - 1 })
      return findings.next
    }
    // One record, of which the header holds.
    lastSeen = max(lastSeen, stated.sequence)
    switch stated.type {
    // The rows that need them are looked at in their turn.
    case .definitions: hasAllDefinitions = false
    case .rows:
      var gap = gap(at: offset, reason, stated.sequence, through: stated.sequence)
      if hasAllDefinitions { gap.names = LogGap.names(of: decoder.definedSeries) }
      gaps.append(gap)
    case .mark: break
    case .end: return nil
    }
    return findings.next
  }

  /// Whether a bad record is where the segment ended, as the start would have taken it: nothing behind it was acknowledged.
  private func isEnd(_ offset: UInt64, _ findings: SegmentReader.Findings) -> Bool {
    if let synced = around.synced, synced <= offset { return true }
    guard around.isLast, around.isRead else { return false }
    if let found { return findings.evidence == nil && reader.byteCount >= found.allocated }
    // Without a header it is not known how long the file was. A record never begins with so many zeros.
    return findings.end == offset && reader.byteCount >= offset + 8
  }

  private func statedRecord(at offset: UInt64) throws(StorageError) -> RecordHeader? {
    guard let head = unsafe try reader.bytes(at: offset, count: RecordHeader.byteCount) else { return nil }
    return unsafe RecordHeader(decoding: head, salt: reader.salt, segment: reader.number)
  }

  /// The highest number that rows before a record can have.
  private func lastLost(before offset: UInt64) throws(StorageError) -> UInt64? {
    guard let record = try statedRecord(at: offset) else { return nil }
    switch record.type {
    case .definitions, .rows: return max(record.sequence, 1) - 1
    // These say the last one before them.
    case .mark, .end: return record.sequence
    }
  }

  private mutating func lose(at offset: UInt64?, _ reason: String, through last: UInt64?) {
    // Of a segment that has none before it it is not known which numbers are gone with those that were removed.
    let first = copy.lastRows == 0 && lastSeen == 0 ? 0 : max(copy.lastRows, lastRowsLost) + 1
    let gap = gap(at: offset, reason, first, through: last)
    lastSeen = max(lastSeen, last ?? 0)
    if !gap.isEmpty { gaps.append(gap) }
  }

  /// The highest number that is known to be lost.
  private var lastRowsLost: UInt64 { gaps.lazy.compactMap(\.last).max() ?? 0 }

  private func gap(at offset: UInt64?, _ reason: String, _ first: UInt64, through last: UInt64?) -> LogGap {
    LogGap(file: name, offset: offset, reason: reason, first: first, last: last)
  }
}

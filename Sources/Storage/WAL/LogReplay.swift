/// What replay found.
package struct ReplaySummary: Sendable, Equatable {
  /// In order of their numbers; each has ended.
  package var segments: [SegmentInfo] = []
  package var recordCount = 0
  /// The highest number of a batch, of which a part may be all that is left; 0 where there is none.
  package var lastSequence: UInt64 = 0
  package var lastSegment: UInt64 = 0
  /// Bytes behind the last record that was written whole; they were never acknowledged.
  package var tornByteCount: UInt64 = 0
  /// What was passed over because the operator said so, and how many bytes of it.
  package var damages: [StorageError] = []
  package var lostByteCount: UInt64 = 0

  package init() {}
}

/// What a start knows of the log before it takes writes: which segments there are, where they end, the highest number.
package struct LogSurvey: Sendable {
  package fileprivate(set) var summary = ReplaySummary()
  fileprivate var found: [FoundSegment] = []
  /// Whether the folder held a segment, be it one that was never used.
  fileprivate(set) var hasSegments = false

  /// The first batch that is left in it; `nil` where there is none.
  var firstSequence: UInt64? { summary.segments.first { $0.firstSequence > 0 }?.firstSequence }

  /// Bytes of its segments.
  package var byteCount: UInt64 { summary.segments.reduce(0) { $0 + $1.byteCount } }
}

extension WriteAheadLog {
  /// Settles the log, so that a new segment may be opened behind it: a torn tail is dropped and the last segment is ended behind
  /// what holds, synced, unless `isReadOnly`.
  ///
  /// The last segment is read whole; of segments that have their end record only the headers of records are, so that this costs
  /// a tenth of a second a gigabyte. Their payloads are checked when they are replayed.
  ///
  /// - Parameters:
  ///   - segments: the only ones that count, where the log has others beside them; for reading only.
  ///   - check: called for each record; what it throws ends the survey.
  /// - Throws: what `replay` throws.
  package static func survey(
    fileSystem: any FileSystem, ignoresDamage: Bool = false, isReadOnly: Bool = false, segments: Set<UInt64>? = nil,
    check: () throws(StorageError) -> Void = { () throws(StorageError) in }
  ) throws(StorageError) -> LogSurvey {
    var replay = LogReplay(
      fileSystem: fileSystem, ignoresDamage: ignoresDamage, isReadOnly: isReadOnly, isSurvey: true)
    let numbers = try replay.segmentNumbers()
    let found = try replay.segments(numbers.filter { segments?.contains($0) ?? true })
    try replay.run(found) { _ throws(StorageError) in try check() }
    var survey = LogSurvey(summary: replay.summary, found: found, hasSegments: !numbers.isEmpty)
    for (index, info) in replay.summary.segments.enumerated() { survey.found[index].isEmpty = info.lastSequence == 0 }
    return survey
  }

  /// Reads the segments of a survey in order and gives `body` each record of definitions and of rows. Nothing is changed; what
  /// was appended since the survey is not read. Memory: a megabyte, or the largest record.
  ///
  /// - Returns: the survey's summary with the damages that were passed over.
  /// - Throws: `.corrupt` with file and offset where something is missing that was known to be synced, unless `ignoresDamage`:
  ///   then it is listed and what follows it is read; `.unsupportedVersion`; `.io`; what `body` throws.
  @discardableResult
  package static func replay(
    _ survey: LogSurvey, fileSystem: any FileSystem, ignoresDamage: Bool = false,
    body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) -> ReplaySummary {
    var replay = LogReplay(fileSystem: fileSystem, ignoresDamage: ignoresDamage, isReadOnly: true, isSurvey: false)
    try replay.run(survey.found, body)
    var summary = survey.summary
    summary.recordCount = replay.summary.recordCount
    (summary.damages, summary.lostByteCount) = (replay.summary.damages, replay.summary.lostByteCount)
    if !ignoresDamage, replay.summary.lastSequence != summary.lastSequence {
      throw StorageError(
        .corrupt, file: LogFormat.name(summary.lastSegment),
        "the log ended with batch \(summary.lastSequence) when it was surveyed, with \(replay.summary.lastSequence) when it was read")
    }
    return summary
  }

  /// Surveys the log, then reads it.
  package static func replay(
    fileSystem: any FileSystem, ignoresDamage: Bool = false, isReadOnly: Bool = false,
    body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) -> ReplaySummary {
    let survey = try survey(fileSystem: fileSystem, ignoresDamage: ignoresDamage, isReadOnly: isReadOnly)
    return try replay(survey, fileSystem: fileSystem, ignoresDamage: ignoresDamage, body: body)
  }
}

/// A segment of the folder, with what its header says.
private struct FoundSegment: Sendable {
  var number: UInt64
  var header: Result<SegmentHeader, SegmentHeader.Failure>?
  /// The survey found no batch in it: nothing keeps it from being removed before it is replayed.
  var isEmpty = false

  var isOpened: Bool {
    switch header {
    // A newer format is somebody's segment, to be refused and not removed.
    case .success, .failure(.format): true
    case .failure(.malformed), nil: false
    }
  }

  /// Whether the header says that the segment before has its end record.
  var followsEnded: Bool {
    if case .success(let header) = header { header.previousSynced == SegmentHeader.ended } else { false }
  }
}

/// One pass over the log. The rule that tells damage from a torn tail is in WAL.md.
private struct LogReplay {
  /// Of an ended segment a survey reads headers only: the buffer is a page, not a megabyte.
  private static let surveyByteCount = 4_096

  private let fileSystem: any FileSystem
  private let ignoresDamage: Bool
  private let isReadOnly: Bool
  private let isSurvey: Bool
  private(set) var summary = ReplaySummary()
  /// The number of the last rows that were given on.
  private var lastRows: UInt64 = 0

  init(fileSystem: any FileSystem, ignoresDamage: Bool, isReadOnly: Bool, isSurvey: Bool) {
    self.fileSystem = fileSystem
    self.ignoresDamage = ignoresDamage
    self.isReadOnly = isReadOnly
    self.isSurvey = isSurvey
  }

  mutating func run(
    _ found: [FoundSegment], _ body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) {
    for (index, segment) in found.enumerated() {
      let next = index + 1 < found.count ? found[index + 1] : nil
      summary.lastSegment = segment.number
      guard let reader = try reader(segment, readsHeaders: isSurvey && next?.followsEnded == true) else { continue }
      var info = SegmentInfo(number: segment.number, byteCount: reader.byteCount)
      if let header = try checked(segment, next: next, reader: reader) {
        let previous = index > 0 ? found[index - 1].number : header.previous
        if header.previous != previous {
          try damage(reader, at: 0, "segment \(header.previous), which comes before it, is not there")
        }
        try read(reader, header, next: next.map(\.header), &info, body)
      }
      summary.segments.append(info)
    }
  }

  /// `nil` where an empty segment is gone.
  private func reader(_ segment: FoundSegment, readsHeaders: Bool) throws(StorageError) -> SegmentReader? {
    do throws(StorageError) {
      return try reader(segment.number, readsHeaders: readsHeaders)
    } catch {
      if segment.isEmpty, error.code == .notFound { return nil }
      throw error
    }
  }

  private func reader(_ number: UInt64, readsHeaders: Bool = false) throws(StorageError) -> SegmentReader {
    let file = try fileSystem.open(LogFormat.name(number))
    return try SegmentReader(
      file: file, number: number, bufferByteCount: readsHeaders ? Self.surveyByteCount : 1 << 20,
      checksPayloads: !readsHeaders)
  }

  /// Of all segments that lie in the folder, ascending.
  func segmentNumbers() throws(StorageError) -> [UInt64] {
    guard try fileSystem.exists(LogFormat.directory) else { return [] }
    return try fileSystem.list(LogFormat.directory).compactMap(LogFormat.number(of:)).sorted()
  }

  /// The segments that were opened. The last files may have been allocated and not yet used: those are removed.
  func segments(_ numbers: [UInt64]) throws(StorageError) -> [FoundSegment] {
    var found: [FoundSegment] = []
    for number in numbers {
      found.append(FoundSegment(number: number, header: try reader(number, readsHeaders: true).header()))
    }
    while let last = found.last, !last.isOpened, try isUnused(try reader(last.number)) {
      if !isReadOnly { try fileSystem.remove(LogFormat.name(last.number)) }
      found.removeLast()
    }
    return found
  }

  /// Whether a segment without a header never got one: it is zeros throughout, or the header's last byte, which is never zero, was
  /// not written. A file is allocated before it is written: one that is short and not empty was cut.
  private func isUnused(_ reader: SegmentReader) throws(StorageError) -> Bool {
    guard let head = unsafe try reader.bytes(at: 0, count: SegmentHeader.byteCount) else {
      return try reader.lookOn(from: 0).end == 0
    }
    return unsafe head[SegmentHeader.byteCount - 1] == 0
  }

  /// The header of a segment; `nil` where there is none to go by and replay goes on.
  private mutating func checked(
    _ segment: FoundSegment, next: FoundSegment?, reader: SegmentReader
  ) throws(StorageError) -> SegmentHeader? {
    switch try reader.header() {
    case .success(let header): return header
    case .failure(.format(let format)):
      throw StorageError(
        .unsupportedVersion, file: reader.file.name, offset: 8,
        "log format \(format), this version reads \(LogFormat.version): "
          + "use the Varve that wrote this directory, or a newer one")
    case .failure(.malformed(let reason)): try missingHeader(reader, next: next, reason)
    case nil: try missingHeader(reader, next: next, "the file ends in the segment header")
    }
    return nil
  }

  private mutating func missingHeader(
    _ reader: SegmentReader, next: FoundSegment?, _ reason: String
  ) throws(StorageError) {
    // The next one may say that this one's very first sync failed.
    if case .success(let header) = next?.header, header.previousSynced == 0 { return }
    try damage(reader, at: 0, reason)
    summary.lostByteCount += reader.byteCount
  }

  /// Reads the records of a segment; `next` is the header of the one after it, where there is one.
  private mutating func read(
    _ reader: SegmentReader, _ header: SegmentHeader, next: Result<SegmentHeader, SegmentHeader.Failure>??,
    _ info: inout SegmentInfo, _ body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) {
    var offset = UInt64(SegmentHeader.byteCount)
    // What was synced for certain; the records behind may lie in the page cache alone, where the process was killed or its last sync
    // failed.
    var synced: UInt64 = 0
    while true {
      switch try reader.item(at: offset) {
      case .record(let record, let payload):
        let end = offset + UInt64(record.recordByteCount)
        synced = max(synced, min(record.synced, offset))
        switch record.type {
        case .end:
          if next == nil, !isReadOnly { try rewrite(reader, from: synced, to: end) }
          return try finish(reader, at: end, &info)
        case .mark: break
        case .definitions, .rows:
          try unsafe take(record, payload, at: offset, reader, &info, body)
        }
        offset = end
      case .bad(let reason):
        guard let next = try pass(reader, header, next: next, synced: synced, at: offset, reason, &info) else { return }
        offset = next
      }
    }
  }

  private mutating func take(
    _ record: RecordHeader, _ payload: UnsafeRawBufferPointer, at offset: UInt64, _ reader: SegmentReader,
    _ info: inout SegmentInfo, _ body: (LogRecord) throws(StorageError) -> Void
  ) throws(StorageError) {
    // Definitions and rows of one batch share a number; numbers never go back.
    guard record.sequence > lastRows, record.sequence >= summary.lastSequence else {
      try damage(reader, at: offset, "batch \(record.sequence) comes after \(summary.lastSequence)")
      summary.lostByteCount += UInt64(record.recordByteCount)
      return
    }
    if record.type == .rows { lastRows = record.sequence }
    summary.lastSequence = record.sequence
    summary.recordCount += 1
    if info.firstSequence == 0 { info.firstSequence = record.sequence }
    info.lastSequence = record.sequence
    try unsafe body(
      LogRecord(
        type: record.type, segment: record.segment, sequence: record.sequence, offset: offset, payload: payload))
  }

  /// Behind an end record there is nothing, or zeros that were not cut off yet.
  private mutating func finish(
    _ reader: SegmentReader, at end: UInt64, _ info: inout SegmentInfo
  ) throws(StorageError) {
    let written = try reader.lookOn(from: end).end
    if written > end {
      try damage(reader, at: end, "\(written - end) bytes stand behind the end record")
      summary.lostByteCount += written - end
    } else if end < reader.byteCount {
      if !isReadOnly { try fileSystem.openForWriting(reader.file.name).truncate(to: end) }
      info.byteCount = end
    }
  }

  /// Decides what a bad record is. Returns where to read on, or `nil` where the segment ends here.
  private mutating func pass(
    _ reader: SegmentReader, _ header: SegmentHeader, next: Result<SegmentHeader, SegmentHeader.Failure>??,
    synced: UInt64, at offset: UInt64, _ reason: String, _ info: inout SegmentInfo
  ) throws(StorageError) -> UInt64? {
    let findings = try reader.lookOn(from: offset)
    let why: String
    if case .some(let successor) = next {
      if case .success(let successor) = successor, successor.previousSynced <= offset {
        // Its last sync failed and what stood behind was answered as failed.
        info.syncedByteCount = successor.previousSynced
        summary.tornByteCount += findings.end - offset
        return nil
      }
      why = "a later segment exists, so this one must have an end record"
    } else if let evidence = findings.evidence {
      why = "the record at \(evidence.offset) says that it was synced through \(evidence.synced)"
    } else if reader.byteCount < header.allocated {
      why = "the file was \(header.allocated) bytes long and is cut to \(reader.byteCount)"
    } else {
      summary.tornByteCount += findings.end - offset
      info.byteCount = offset + UInt64(RecordHeader.overheadByteCount)
      if !isReadOnly { try rewrite(reader, from: synced, to: offset) }
      try end(reader, header, at: offset, torn: findings.end - offset)
      return nil
    }
    try damage(reader, at: offset, "\(reason); \(why)")
    summary.lostByteCount += (findings.next ?? findings.end) - offset
    return findings.next
  }

  /// Writes bytes of the last segment again in their places and syncs them, before the next segment rests on their being there: a
  /// sync that failed leaves pages that no later sync of the same bytes would write.
  private func rewrite(_ reader: SegmentReader, from start: UInt64, to end: UInt64) throws(StorageError) {
    let file = try fileSystem.openForWriting(reader.file.name)
    var place = start
    while place < end {
      let count = Int(min(1 << 20, end - place))
      guard let bytes = unsafe try reader.bytes(at: place, count: count) else {
        throw StorageError(.corrupt, file: reader.file.name, offset: place, "the file ends before \(end)")
      }
      try unsafe file.write(bytes, at: place)
      place += UInt64(count)
    }
    try file.sync()
    try file.close()
  }

  /// Ends the last segment behind what holds. What is torn is made zeros first, and that is synced: so no crash leaves an end
  /// record with bytes behind it, nor a file that is cut and has none.
  private func end(
    _ reader: SegmentReader, _ header: SegmentHeader, at offset: UInt64, torn: UInt64
  ) throws(StorageError) {
    if isReadOnly { return }
    let file = try fileSystem.openForWriting(reader.file.name)
    let zeros = [UInt8](repeating: 0, count: Int(min(torn, 1 << 20)))
    var place = offset
    while place < offset + torn {
      let count = Int(min(UInt64(zeros.count), offset + torn - place))
      try file.write(Array(zeros[..<count]), at: place)
      place += UInt64(count)
    }
    if torn > 0 { try file.sync() }
    var record: [UInt8] = []
    record.appendRecord(
      .end, segment: header.number, sequence: summary.lastSequence, synced: offset, salt: header.salt)
    try file.write(record, at: offset)
    try file.sync()
    try file.truncate(to: offset + UInt64(record.count))
    try file.close()
  }

  /// Stops the replay, or notes the damage where the operator said to go on.
  private mutating func damage(
    _ reader: SegmentReader, at offset: UInt64, _ reason: String
  ) throws(StorageError) {
    let error = StorageError(
      .corrupt, file: reader.file.name, offset: offset,
      "the log is damaged: \(reason); restore it, or run `varve repair` to go on without what is lost")
    if !ignoresDamage { throw error }
    summary.damages.append(error)
  }
}

extension [UInt8] {
  /// Appends a record without a payload.
  mutating func appendRecord(_ type: LogRecordType, segment: UInt64, sequence: UInt64, synced: UInt64, salt: UInt32) {
    RecordHeader(type: type, payloadByteCount: 0, segment: segment, sequence: sequence, synced: synced)
      .encode(to: &self, salt: salt)
    // The checksum of nothing.
    append(contentsOf: repeatElement(0, count: 4))
  }
}

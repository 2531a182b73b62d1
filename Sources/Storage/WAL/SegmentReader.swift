import Coding

/// Reads a segment from front to back, a piece at a time; memory is bounded by a megabyte or the largest record.
@safe final class SegmentReader {
  /// What is at an offset.
  @safe enum Item {
    case record(RecordHeader, payload: UnsafeRawBufferPointer)
    /// No record, and why.
    case bad(String)
  }

  /// What looking on found behind a bad record.
  struct Findings {
    /// A record that states a synced offset past the bad one.
    var evidence: (offset: UInt64, synced: UInt64)?
    /// The next record that holds as far as its header goes.
    var next: UInt64?
    /// One past the last byte that is not zero; where there is none the offset looked on from.
    var end: UInt64
  }

  let file: any StoredFile
  /// From the file's name, else from the header.
  private(set) var number: UInt64
  private let namedNumber: UInt64?
  private let checksPayloads: Bool
  let byteCount: UInt64
  /// Set from the segment header.
  var salt: UInt32 = 0
  private var buffer: UnsafeMutableRawBufferPointer
  private var filled: Range<UInt64> = 0..<0

  /// - Parameters:
  ///   - number: what the file's name says; `nil` where it says nothing.
  ///   - bufferByteCount: what is read at once.
  ///   - checksPayloads: without it records are taken by their headers, and their payloads are empty.
  init(
    file: any StoredFile, number: UInt64?, bufferByteCount: Int = 1 << 20, checksPayloads: Bool = true
  ) throws(StorageError) {
    self.file = file
    self.checksPayloads = checksPayloads
    self.number = number ?? 0
    namedNumber = number
    byteCount = try file.byteCount()
    unsafe buffer = .allocate(byteCount: bufferByteCount, alignment: 16)
  }

  deinit { unsafe buffer.deallocate() }

  /// The bytes of a range, valid until the next call; `nil` where the file ends before.
  func bytes(at offset: UInt64, count: Int) throws(StorageError) -> UnsafeRawBufferPointer? {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { return nil }
    if offset < filled.lowerBound || offset + UInt64(count) > filled.upperBound {
      if unsafe count > buffer.count {
        unsafe buffer.deallocate()
        unsafe buffer = .allocate(byteCount: count, alignment: 16)
      }
      let taken = Int(min(unsafe UInt64(buffer.count), byteCount - offset))
      filled = 0..<0
      // `taken` is at most the buffer's length.
      try unsafe file.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<taken]))
      filled = offset..<offset + UInt64(taken)
    }
    let start = Int(offset - filled.lowerBound)
    // The range lies in what was filled: checked above, or filled just now.
    return unsafe UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  /// The segment header; sets `salt`. `nil` where the file is too short for one.
  func header() throws(StorageError) -> Result<SegmentHeader, SegmentHeader.Failure>? {
    guard let bytes = unsafe try bytes(at: 0, count: SegmentHeader.byteCount) else { return nil }
    do throws(SegmentHeader.Failure) {
      let header = try unsafe SegmentHeader(decoding: bytes, number: namedNumber)
      salt = header.salt
      number = header.number
      return .success(header)
    } catch {
      return .failure(error)
    }
  }

  /// The record at an offset, its checksums checked (its header's alone where payloads are not).
  func item(at offset: UInt64) throws(StorageError) -> Item {
    guard let head = unsafe try bytes(at: offset, count: RecordHeader.byteCount) else {
      return .bad("the file ends in a record header")
    }
    guard let header = unsafe RecordHeader(decoding: head, salt: salt, segment: number) else {
      return .bad("expected a record header, its checksum does not hold")
    }
    guard UInt64(header.recordByteCount) <= byteCount - offset else {
      return .bad("the file ends in a record of \(header.recordByteCount) bytes")
    }
    // No payload is asked for: the empty buffer has no address.
    if !checksPayloads { return unsafe .record(header, payload: UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard let record = unsafe try bytes(at: offset, count: header.recordByteCount) else {
      return .bad("the file ends in a record of \(header.recordByteCount) bytes")
    }
    var end = RecordHeader.byteCount + Int(header.payloadByteCount)
    // `end` and the four bytes behind it lie in the record.
    let payload = unsafe UnsafeRawBufferPointer(rebasing: record[RecordHeader.byteCount..<end])
    guard unsafe readLittleEndian(UInt32.self, record, at: &end) == crc32c(payload) else {
      return .bad("the checksum of a payload of \(payload.count) bytes does not hold")
    }
    return unsafe .record(header, payload: payload)
  }

  /// Looks for records behind a bad one, at every byte.
  func lookOn(from bad: UInt64) throws(StorageError) -> Findings {
    var findings = Findings(evidence: nil, next: nil, end: bad)
    var offset = bad
    while offset < byteCount {
      let count = Int(min(1 << 20, byteCount - offset))
      guard let piece = unsafe try bytes(at: offset, count: count) else { break }
      unsafe look(in: piece, at: offset, after: bad, &findings)
      // The last bytes of a piece are looked at again: a header may begin there.
      let step = count - (RecordHeader.byteCount - 1)
      if step <= 0 || offset + UInt64(count) == byteCount { break }
      offset += UInt64(step)
    }
    return findings
  }

  private func look(in piece: UnsafeRawBufferPointer, at offset: UInt64, after bad: UInt64, _ findings: inout Findings) {
    var index = 0
    while index < piece.count {
      // Zeros, which is what a preallocated rest is, eight at a time.
      if index + 8 <= piece.count, unsafe piece.loadUnaligned(fromByteOffset: index, as: UInt64.self) == 0 {
        // A header may begin in them only where its checksum is all zeros, and then its type comes within eight bytes.
        if index + 16 <= piece.count, unsafe piece.loadUnaligned(fromByteOffset: index + 8, as: UInt64.self) == 0 {
          index += 8
          continue
        }
      }
      if unsafe piece[index] != 0 { findings.end = max(findings.end, offset + UInt64(index) + 1) }
      let place = offset + UInt64(index)
      if place > bad, index + RecordHeader.byteCount <= piece.count {
        // The header's bytes lie in the piece.
        let head = unsafe UnsafeRawBufferPointer(rebasing: piece[index..<index + RecordHeader.byteCount])
        if unsafe head[4] != 0, unsafe head[4] <= LogRecordType.end.rawValue,
          let header = unsafe RecordHeader(decoding: head, salt: salt, segment: number)
        {
          if findings.next == nil { findings.next = place }
          if header.synced > bad, findings.evidence == nil { findings.evidence = (place, header.synced) }
        }
      }
      index += 1
    }
  }
}

import Coding

/// Names of segments. See WAL.md.
enum LogFormat {
  static let directory = "wal"
  static let version: UInt32 = 1

  /// "wal/0000000017.wal".
  static func name(_ number: UInt64) -> String { "\(directory)/\(paddedNumber(number)).wal" }

  /// The number of a name in the folder; `nil` for what is not ours.
  static func number(of name: String) -> UInt64? { fileNumber(of: name, prefix: "", suffix: ".wal") }
}

/// The first bytes of a segment.
struct SegmentHeader: Equatable {
  static let byteCount = 56
  static let magic: [UInt8] = Array("VARVEwal".utf8)
  /// The last bytes. They are never zero, so that a header that was not written to its end is told from one that was damaged.
  static let endMagic: [UInt8] = Array("OPEN".utf8)
  /// `previousSynced` where the segment before has an end record, or there is none.
  static let ended = UInt64.max

  /// Random: checksums of record headers begin with it, so that bytes of a sender never pass for a record.
  var salt: UInt32
  var number: UInt64
  /// What was allocated before the segment was opened: without an end record the file is never shorter.
  var allocated: UInt64
  /// The segment before; 0 where none was kept.
  var previous: UInt64
  /// How far the segment before was synced when its sync failed, for it has no end record then; else `ended`.
  var previousSynced: UInt64

  func encode(to output: inout [UInt8]) {
    let start = output.count
    output += Self.magic
    appendLittleEndian(LogFormat.version, to: &output)
    appendLittleEndian(salt, to: &output)
    appendLittleEndian(number, to: &output)
    appendLittleEndian(allocated, to: &output)
    appendLittleEndian(previous, to: &output)
    appendLittleEndian(previousSynced, to: &output)
    appendLittleEndian(crc32c(output.span.extracting(start..<output.count)), to: &output)
    output += Self.endMagic
  }

  enum Failure: Error, Equatable {
    case format(UInt32)
    case malformed(String)
  }

  /// Reads the header of the segment that a file's name says it is (`nil`: the name says nothing).
  init(decoding bytes: UnsafeRawBufferPointer, number expected: UInt64?) throws(Failure) {
    var offset = Self.magic.count
    guard bytes.count >= Self.byteCount, unsafe bytes.prefix(offset).elementsEqual(Self.magic),
      let format = unsafe readLittleEndian(UInt32.self, bytes, at: &offset),
      let salt = unsafe readLittleEndian(UInt32.self, bytes, at: &offset),
      let number = unsafe readLittleEndian(UInt64.self, bytes, at: &offset),
      let allocated = unsafe readLittleEndian(UInt64.self, bytes, at: &offset),
      let previous = unsafe readLittleEndian(UInt64.self, bytes, at: &offset),
      let previousSynced = unsafe readLittleEndian(UInt64.self, bytes, at: &offset)
    else { throw .malformed("no segment header: the magic number is not there") }
    // The bytes before the checksum lie in the buffer: all fields were read.
    let found = unsafe crc32c(UnsafeRawBufferPointer(rebasing: bytes[..<offset]))
    guard unsafe readLittleEndian(UInt32.self, bytes, at: &offset) == found else {
      throw .malformed("the checksum of the segment header does not hold")
    }
    guard unsafe bytes[offset..<Self.byteCount].elementsEqual(Self.endMagic) else {
      throw .malformed("the segment header has no end")
    }
    if format != LogFormat.version { throw .format(format) }
    if let expected, number != expected { throw .malformed("says that it is segment \(number)") }
    self.init(salt: salt, number: number, allocated: allocated, previous: previous, previousSynced: previousSynced)
  }

  init(salt: UInt32, number: UInt64, allocated: UInt64, previous: UInt64, previousSynced: UInt64) {
    self.salt = salt
    self.number = number
    self.allocated = allocated
    self.previous = previous
    self.previousSynced = previousSynced
  }
}

/// The first bytes of a record; payload and its checksum follow.
struct RecordHeader: Equatable {
  static let byteCount = 36
  /// What a record takes beside its payload.
  static let overheadByteCount = byteCount + 4

  var type: LogRecordType
  var payloadByteCount: UInt32
  var segment: UInt64
  var sequence: UInt64
  /// The offset through which the segment was known to be synced when the record was made.
  var synced: UInt64

  var recordByteCount: Int { Int(payloadByteCount) + Self.overheadByteCount }

  func encode(to output: inout [UInt8], salt: UInt32) {
    let start = output.count
    appendLittleEndian(UInt32(0), to: &output)
    appendLittleEndian(UInt32(type.rawValue), to: &output)
    appendLittleEndian(payloadByteCount, to: &output)
    appendLittleEndian(segment, to: &output)
    appendLittleEndian(sequence, to: &output)
    appendLittleEndian(synced, to: &output)
    let checksum = crc32c(output.span.extracting(start + 4..<output.count), continuing: salt)
    for byte in 0..<4 { output[start + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(byte))) }
  }

  /// Reads a header; `nil` where it is none of this segment's.
  init?(decoding bytes: UnsafeRawBufferPointer, salt: UInt32, segment expected: UInt64) {
    var offset = 0
    guard let stated = unsafe readLittleEndian(UInt32.self, bytes, at: &offset),
      // One byte of type and three zeros.
      let rawType = unsafe readLittleEndian(UInt32.self, bytes, at: &offset),
      let type = UInt8(exactly: rawType).flatMap(LogRecordType.init(rawValue:)),
      let payloadByteCount = unsafe readLittleEndian(UInt32.self, bytes, at: &offset),
      let segment = unsafe readLittleEndian(UInt64.self, bytes, at: &offset), segment == expected,
      let sequence = unsafe readLittleEndian(UInt64.self, bytes, at: &offset),
      let synced = unsafe readLittleEndian(UInt64.self, bytes, at: &offset)
    else { return nil }
    // All fields were read: these bytes lie in the buffer.
    let found = unsafe crc32c(UnsafeRawBufferPointer(rebasing: bytes[4..<offset]), continuing: salt)
    guard found == stated, sequence < ManifestState.numberBound else { return nil }
    self.init(
      type: type, payloadByteCount: payloadByteCount, segment: segment, sequence: sequence, synced: synced)
  }

  init(type: LogRecordType, payloadByteCount: UInt32, segment: UInt64, sequence: UInt64, synced: UInt64) {
    self.type = type
    self.payloadByteCount = payloadByteCount
    self.segment = segment
    self.sequence = sequence
    self.synced = synced
  }
}

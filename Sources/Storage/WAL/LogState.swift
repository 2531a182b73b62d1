import Coding
import Synchronization

/// A segment that is written, as its threads share it.
final class Segment: Sendable {
  let number: UInt64
  let salt: UInt32
  let file: any StoredFile
  /// Bytes that are allocated.
  let byteCount: UInt64
  /// The offset through which it is known to be synced.
  let synced = Atomic<UInt64>(0)

  init(number: UInt64, salt: UInt32, file: any StoredFile, byteCount: UInt64) {
    self.number = number
    self.salt = salt
    self.file = file
    self.byteCount = byteCount
  }
}

/// The segment that batches go into.
struct OpenSegment {
  let segment: Segment
  /// Where the next record goes.
  var offset = UInt64(SegmentHeader.byteCount)
  /// Numbers of the batches in it, 0 where there are none.
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0

  init(segment: Segment) { self.segment = segment }

  var hasRecords: Bool { offset > UInt64(SegmentHeader.byteCount) }

  var info: SegmentInfo {
    SegmentInfo(
      number: segment.number, byteCount: offset, firstSequence: firstSequence, lastSequence: lastSequence)
  }
}

/// Records that are written and synced together.
struct LogGroup {
  let segment: Segment
  /// Where its bytes go; 0 where they begin with the segment header.
  var offset: UInt64
  var bytes: [UInt8]
  /// Bytes of its batches.
  var byteCountInFlight = 0
  /// Numbers of its batches, 0 where there are none.
  var firstSequence: UInt64 = 0
  var lastSequence: UInt64 = 0
  var hasMark = false
  /// Its last record is the end record.
  var endsSegment = false

  var end: UInt64 { offset + UInt64(bytes.count) }
  /// Whether there is something to write but a segment header.
  var hasRecords: Bool { lastSequence > 0 || hasMark || endsSegment }
}

/// The next segment.
enum Spare {
  /// The allocator is to make it or makes it.
  case wanted
  case ready(Segment)
  /// It could not be made; asked for again from `retryTime` on, monotonic nanoseconds.
  case failed(StorageError, retryTime: Int64)
  /// The log closes.
  case none
}

extension WriteAheadLog {
  /// All that threads of the log share.
  struct State {
    var open: OpenSegment
    var nextSequence: UInt64
    /// In the order of the log; the last one is open. A segment's last group but that one waits for the writer.
    var groups: [LogGroup] = []
    /// Buffers of groups that are done.
    var buffers: [[UInt8]] = []
    var byteCountInFlight = 0
    var spare = Spare.wanted
    /// Ended by a record that is not synced yet.
    var ending: [SegmentInfo] = []
    /// Ended, or failed, and still on the disk.
    var retained: [SegmentInfo]
    /// Numbers that were answered as failed, in order.
    var failures: [(sequences: ClosedRange<UInt64>, error: StorageError)] = []
    /// Why no more batches are taken.
    var failure: StorageError?
    /// The writer looks for a segment to go on in, after one failed.
    var isRecovering = false
    var isClosing = false
    var decidedHandlers: [@Sendable () -> Void] = []
    var failureHandlers: [@Sendable (StorageError, Bool) -> Void] = []
    var statistics = LogStatistics()

    init(open: OpenSegment, nextSequence: UInt64, retained: [SegmentInfo]) {
      self.open = open
      self.nextSequence = nextSequence
      self.retained = retained
    }

    /// Whether `append` can go on, if only to say why not.
    func isReady(segment: UInt64, byteCount: Int, max: Int) -> Bool {
      if failure != nil || isClosing { return true }
      if isRecovering { return false }
      if open.segment.number != segment { return true }
      if byteCountInFlight > 0 && byteCountInFlight + byteCount > max { return false }
      if case .wanted = spare { return fits(byteCount) }
      return true
    }

    func checkIsOpen() throws(StorageError) {
      if let failure {
        throw StorageError(
          .io, file: failure.file, "the log takes no more batches: \(failure.detail); restart to recover")
      }
      if isClosing { throw StorageError(.invalid, "the log is closed") }
    }

    /// Whether records of so many bytes fit the open segment, with room left for a mark and the end record.
    func fits(_ byteCount: Int) -> Bool {
      open.offset + UInt64(byteCount + 2 * RecordHeader.overheadByteCount) <= open.segment.byteCount
    }

    /// Gives a batch its number and its place in the open group.
    mutating func take(byteCount: Int) -> UInt64 {
      let sequence = nextSequence
      nextSequence += 1
      byteCountInFlight += byteCount
      if open.firstSequence == 0 { open.firstSequence = sequence }
      open.lastSequence = sequence
      let last = groups.count - 1
      groups[last].byteCountInFlight += byteCount
      if groups[last].firstSequence == 0 { groups[last].firstSequence = sequence }
      groups[last].lastSequence = sequence
      return sequence
    }

    mutating func put(_ type: LogRecordType, _ sequence: UInt64, _ payload: UnsafeRawBufferPointer, checksum: UInt32) {
      let segment = open.segment
      let last = groups.count - 1
      RecordHeader(
        type: type, payloadByteCount: UInt32(payload.count), segment: segment.number, sequence: sequence,
        synced: segment.synced.load(ordering: .relaxed)
      ).encode(to: &groups[last].bytes, salt: segment.salt)
      unsafe groups[last].bytes.append(contentsOf: payload)
      appendLittleEndian(checksum, to: &groups[last].bytes)
      open.offset += UInt64(RecordHeader.overheadByteCount + payload.count)
    }

    /// Puts a mark or the end record into the open group.
    mutating func put(_ type: LogRecordType) {
      // No record carries a payload of no bytes by pointer: the empty buffer has no address.
      unsafe put(type, open.lastSequence, UnsafeRawBufferPointer(start: nil, count: 0), checksum: 0)
      if type == .mark { groups[groups.count - 1].hasMark = true }
    }

    private mutating func takeBuffer() -> [UInt8] {
      var bytes = buffers.popLast() ?? []
      bytes.removeAll(keepingCapacity: true)
      return bytes
    }

    /// Gives memory back after a long quiet.
    mutating func releaseBuffers() {
      buffers = []
      if let last = groups.last, last.bytes.isEmpty { groups[groups.count - 1].bytes = [] }
    }

    /// A group that begins with the header of a segment.
    mutating func firstGroup(of segment: Segment, previousSynced: UInt64) -> LogGroup {
      var group = LogGroup(segment: segment, offset: 0, bytes: takeBuffer())
      let previous = ending.last?.number ?? retained.last?.number ?? 0
      header(of: segment, previous: previous, previousSynced: previousSynced).encode(to: &group.bytes)
      return group
    }

    private func header(of segment: Segment, previous: UInt64, previousSynced: UInt64) -> SegmentHeader {
      SegmentHeader(
        salt: segment.salt, number: segment.number, allocated: segment.byteCount, previous: previous,
        previousSynced: previousSynced)
    }

    /// Makes `segment` the open one. The one before has its end record, or `previousSynced` says how far it is to be trusted.
    mutating func begin(_ segment: Segment, previousSynced: UInt64 = SegmentHeader.ended) {
      groups.append(firstGroup(of: segment, previousSynced: previousSynced))
      open = OpenSegment(segment: segment)
    }

    /// Lets the header of the next segment, not yet written, say that the one before failed after all.
    mutating func restateHeader(after failed: SegmentInfo) {
      guard let next = groups.first, next.offset == 0, let synced = failed.syncedByteCount else { return }
      var bytes: [UInt8] = []
      header(of: next.segment, previous: failed.number, previousSynced: synced).encode(to: &bytes)
      groups[0].bytes.replaceSubrange(0..<bytes.count, with: bytes)
    }

    /// Takes the first group for writing; where that is the open one, another goes on behind it.
    mutating func takeGroup() -> LogGroup {
      let group = groups.removeFirst()
      if groups.isEmpty {
        groups.append(LogGroup(segment: group.segment, offset: group.end, bytes: takeBuffer()))
      }
      return group
    }

    /// Ends the open segment; the record waits for the writer.
    mutating func putEnd() {
      put(.end)
      groups[groups.count - 1].endsSegment = true
      ending.append(open.info)
    }

    func failure(of sequence: UInt64) -> StorageError? {
      failures.first { $0.sequences.contains(sequence) }?.error
    }
  }
}

/// What a record of the log is. 0 is never valid: preallocated bytes are zeros.
package enum LogRecordType: UInt8, Sendable {
  /// Series and field lists that a receiver gave numbers to.
  case definitions = 1
  /// The rows of a batch; with the definitions of the same number, if any, it is the batch.
  case rows = 2
  /// Only states how far the segment is synced; written when the log falls idle.
  case mark = 3
  /// The segment has ended; nothing follows.
  case end = 4
}

/// A record as it is read back. The payload is valid only while the call that gives it runs.
@safe package struct LogRecord {
  /// `.definitions` or `.rows`.
  package var type: LogRecordType
  /// The segment's number.
  package var segment: UInt64
  /// The batch's number, from 1.
  package var sequence: UInt64
  /// Where the record begins in the segment.
  package var offset: UInt64
  package var payload: UnsafeRawBufferPointer
}

extension StorageError {
  /// A record of what was in the manifest when it was logged, and is not now.
  static func lostEdit(_ record: LogRecord, _ what: String) -> StorageError {
    StorageError(
      .corrupt, file: LogFormat.name(record.segment), offset: record.offset,
      "batch \(record.sequence) has rows of \(what), which the manifest does not know: it lost its last lines; run `varve repair`")
  }
}

/// A segment as replay found it or as the log ended it.
package struct SegmentInfo: Sendable, Equatable {
  package var number: UInt64
  package var byteCount: UInt64
  /// Numbers of the batches in it; 0 and 0 where there are none.
  package var firstSequence: UInt64
  package var lastSequence: UInt64
  /// `nil`: it ends with an end record. Else its last sync failed, and it is known to be synced through here.
  package var syncedByteCount: UInt64?
  /// Zeros stand behind the end record, since they could not be cut off; a start will.
  package var hasSlack = false

  package init(
    number: UInt64, byteCount: UInt64, firstSequence: UInt64 = 0, lastSequence: UInt64 = 0, syncedByteCount: UInt64? = nil
  ) {
    self.number = number
    self.byteCount = byteCount
    self.firstSequence = firstSequence
    self.lastSequence = lastSequence
    self.syncedByteCount = syncedByteCount
  }
}

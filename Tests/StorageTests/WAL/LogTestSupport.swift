import Storage
import TestSupport

/// A batch as a test writes it and as replay gives it back.
struct LoggedBatch: Hashable {
  var sequence: UInt64
  var definitions: [UInt8] = []
  var rows: [UInt8] = []
}

extension WriteAheadLog {
  /// Appends bytes held in arrays to whatever segment is open.
  @discardableResult
  func append(_ rows: [UInt8], definitions: [UInt8] = [], hold: (UInt64) -> Void = { _ in }) throws(StorageError) -> UInt64 {
    while true {
      let result = definitions.withUnsafeBytes { definitions in
        rows.withUnsafeBytes { rows in
          Result { () throws(StorageError) in
            try append(segment: openSegment, definitions: definitions, rows: rows, hold: hold)
          }
        }
      }
      if let sequence = try result.get() { return sequence }
    }
  }

  /// Replays into batches; definitions that stand without rows make a batch without them.
  static func batches(
    _ fileSystem: any FileSystem, ignoresDamage: Bool = false, isReadOnly: Bool = false
  ) throws(StorageError) -> (batches: [LoggedBatch], summary: ReplaySummary) {
    var batches: [LoggedBatch] = []
    let summary = try replay(fileSystem: fileSystem, ignoresDamage: ignoresDamage, isReadOnly: isReadOnly) { record in
      if batches.last?.sequence != record.sequence { batches.append(LoggedBatch(sequence: record.sequence)) }
      switch record.type {
      case .definitions: batches[batches.count - 1].definitions = Array(record.payload)
      default: batches[batches.count - 1].rows = Array(record.payload)
      }
    }
    return (batches, summary)
  }
}

/// Small segments, a fixed salt.
func logOptions(_ sync: SyncMode = .group, segmentByteCount: UInt64 = 65_536) -> WriteAheadLog.Options {
  var options = WriteAheadLog.Options()
  options.sync = sync
  options.segmentByteCount = segmentByteCount
  options.idleDelay = .seconds(3_600)
  options.allocationRetryDelay = .zero
  options.makeSalt = { 0x5eed_5a17 }
  return options
}

/// Bytes that differ from batch to batch.
func payload(_ number: Int, count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: (number &* 131) ^ ($0 &* 7) ^ ($0 >> 3)) }
}

/// Counters and gauges of the log; counters since start.
package struct LogStatistics: Sendable {
  /// Upper bounds of the buckets of `syncBuckets`, seconds.
  package static let syncBounds: [Double] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]
  package var syncedByteCount: UInt64 = 0
  package var syncCount: UInt64 = 0
  /// By duration, bounds as in `syncBounds`, the last bucket open.
  package var syncBuckets = [UInt64](repeating: 0, count: Self.syncBounds.count + 1)
  package var syncSeconds = 0.0
  package var groupCount: UInt64 = 0
  /// Segments whose last write or sync failed.
  package var failedSegmentCount: UInt64 = 0
  /// Batches acknowledged under `interval` or `none` that a failed write or sync may have lost.
  package var doubtfulBatchCount: UInt64 = 0
  /// Bytes of the log that a replay would read, and its segments, the open one included.
  package var byteCount: UInt64 = 0
  package var segmentCount = 0
  /// Bytes taken and not yet decided.
  package var byteCountInFlight = 0
  /// Why the log takes no batches; `nil` while it does.
  package var degraded: String?

  package init() {}

  mutating func countSync(byteCount: Int, nanoseconds: Int64) {
    let seconds = Double(nanoseconds) / 1e9
    syncedByteCount += UInt64(byteCount)
    syncCount += 1
    syncSeconds += seconds
    syncBuckets[Self.syncBounds.firstIndex { seconds <= $0 } ?? Self.syncBounds.count] += 1
  }
}

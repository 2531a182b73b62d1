package import LineProtocol

/// A table that could not be opened: what the manifest says of it, and an error for every question.
package final class UnreadableRun: SortedRun, Sendable {
  package let error: StorageError
  package let sequenceRange: ClosedRange<UInt64>
  package let timeRange: ClosedRange<Int64>
  package let rowCount: Int
  package let tableByteCount: UInt64?

  package init(
    error: StorageError, sequenceRange: ClosedRange<UInt64>, timeRange: ClosedRange<Int64>, rowCount: Int,
    byteCount: UInt64
  ) {
    self.error = error
    self.sequenceRange = sequenceRange
    self.timeRange = timeRange
    self.rowCount = rowCount
    tableByteCount = byteCount
  }

  package var damage: StorageError? { error }

  package func damage(of measurement: [UInt8]) -> RunDamage { RunDamage(whole: error) }

  package func measurements() throws(StorageError) -> [[UInt8]] { throw error }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] { throw error }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] { throw error }

  package func series(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> SeriesList { throw error }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    UnreadableReader(error: error)
  }
}

private final class UnreadableReader: RunReader {
  private let error: StorageError

  init(error: StorageError) { self.error = error }

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) { throw error }

  func next() throws(StorageError) -> RowGroupSpan? { throw error }

  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? { throw error }

  func read(into batch: inout ColumnBatch) throws(StorageError) { throw error }
}

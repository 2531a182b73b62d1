/// Bounds of one statement; each is refused with a message that names it.
package struct QueryLimits: Sendable {
  /// Time buckets times groups.
  package var cellCountMax = 10_000_000
  /// Result rows of a statement.
  package var rowCountMax = 50_000_000
  /// Values that functions such as `median` keep.
  package var keptValueCountMax = 100_000_000
  /// Groups, which are result series.
  package var groupCountMax = 2_000_000
  /// Values from which on threads share a scan; below it starting them costs more than it saves.
  package var sharedValueCountMin = 250_000

  /// Rows, and values, that a piece of a streamed answer has at most.
  package var pieceRowCountMax = 10_000
  package var pieceValueCountMax = 16_384
  /// Bytes of a column's strings up to which pieces of an answer share them.
  package var sharedByteCountMax = 64 << 10
  /// Bytes of rows that a streamed answer holds before it hands them on.
  package var streamedByteCountMax = 64 << 20
  /// Bytes of rows that a pass over them holds.
  var heldByteCountMax = Int.max

  /// Where what is held is counted.
  var account = QueryAccount(QueryMemory())

  package init() {}
}

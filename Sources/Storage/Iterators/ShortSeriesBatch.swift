/// Rows of whole short series of one measurement, one series behind the other in canonical order: what crosses from runs to a table's
/// writer where series have few rows each, so that the cost of a call is shared by hundreds of them.
package struct ShortSeriesBatch: Sendable {
  /// A series with so many rows or more is not short.
  package static let rowCountLimit = 1_024
  /// A batch takes no further series once it has as many rows, or series.
  static let (rowCountMax, seriesCountMax) = (2_048, 1_024)

  /// Timestamps ascend within a series.
  package var rows: ColumnBatch
  /// Where the rows of each series end; a series without rows is there too.
  package var ends: [Int] = []

  package init(rows: ColumnBatch) { self.rows = rows }

  /// Series held.
  package var count: Int { ends.count }
  /// Whether it takes a further series.
  var hasRoom: Bool { ends.count < Self.seriesCountMax && (ends.last ?? 0) < Self.rowCountMax }

  /// The rows of a series.
  package func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

  /// Forgets the rows, keeps columns and memory.
  mutating func reset() {
    rows.reset()
    ends.removeAll(keepingCapacity: true)
  }
}

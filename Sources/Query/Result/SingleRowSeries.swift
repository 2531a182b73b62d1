package import Storage

/// Result series of one row each, their rows side by side: a thousand of them are no thousand arrays a column.
package struct SingleRowSeries: Sendable {
  /// The rows in the order of the answer, each a series of its own; without tags.
  package var rows: ResultSeries
  /// The group tags in the order asked, each with its value in every row.
  package var tags: [(key: String, values: Column)]

  /// Some of the rows.
  ///
  /// - Parameter byteCountMax: of a column whose strings have no more bytes in all these are not copied.
  func part(_ range: Range<Int>, sharing byteCountMax: Int) -> SingleRowSeries {
    SingleRowSeries(
      rows: rows.rows(range, sharing: byteCountMax),
      tags: tags.map { ($0.key, $0.values.part(range, count: rows.rowCount, sharing: byteCountMax)) })
  }
}

package import LineProtocol

/// A table as a merge reads it: once, front to back, so that what it reads does not push other blocks out of the cache.
package final class StreamedTable: SortedRun, Sendable {
  package let table: Table

  package init(_ table: Table) { self.table = table }

  package var sequenceRange: ClosedRange<UInt64> { table.sequenceRange }
  package var timeRange: ClosedRange<Int64> { table.timeRange }
  package var rowCount: Int { table.rowCount }

  package func measurements() throws(StorageError) -> [[UInt8]] { try table.measurements() }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    try table.fields(of: measurement)
  }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    try table.tagKeys(of: measurement)
  }

  package func series(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> SeriesList {
    try table.series(of: measurement, where: predicate)
  }

  package var seriesCountMax: Int { table.seriesCountMax }

  package func seriesCursor(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> any SeriesCursor { try table.seriesCursor(of: measurement, where: predicate) }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    TableReader(table: table, measurement: measurement, fields: fields, isKept: false)
  }
}

/// What a statement looked at, for `EXPLAIN ANALYZE`.
struct ScanCounters: Sendable {
  var windows = 0
  var series = 0
  var stretchesRead = 0
  var stretchesByStatistics = 0
  var rowsRead = 0

  static func += (a: inout ScanCounters, b: ScanCounters) {
    a.windows += b.windows
    a.series += b.series
    a.stretchesRead += b.stretchesRead
    a.stretchesByStatistics += b.stretchesByStatistics
    a.rowsRead += b.rowsRead
  }
}

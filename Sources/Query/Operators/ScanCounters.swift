import Storage

/// What a statement looked at, for `EXPLAIN ANALYZE`.
struct ScanCounters: Sendable {
  var windows = 0
  /// Windows of the source that lie outside of the times asked for.
  var windowsByTime = 0
  var series = 0
  /// The most series that a window gave.
  var windowSeriesMax = 0
  var selection = SelectionCounts()
  var groups = RowGroupCounts()
  var stretchesByStatistics = 0
  /// Bytes of blocks that statistics stood for.
  var bytesByStatistics: UInt64 = 0
  var rowsRead = 0

  static func += (a: inout ScanCounters, b: ScanCounters) {
    a.windows += b.windows
    a.windowsByTime += b.windowsByTime
    a.series += b.series
    a.windowSeriesMax = max(a.windowSeriesMax, b.windowSeriesMax)
    a.selection += b.selection
    a.groups += b.groups
    a.stretchesByStatistics += b.stretchesByStatistics
    a.bytesByStatistics += b.bytesByStatistics
    a.rowsRead += b.rowsRead
  }

  /// A line a figure, each with what was skipped and by what.
  ///
  /// Row groups of tables are counted one by one; those that hold none of the chosen series, or that an early end left unread, are
  /// the tag index's. What lies in memory is no row group until it is read.
  var lines: [String] {
    let groupsByTags = max(
      0,
      selection.considered.rowGroups - selection.skippedByFilter.rowGroups - groups.skippedByTime
        - stretchesByStatistics - groups.read)
    return selectionLines + [
      "ROW GROUPS: \(max(selection.considered.rowGroups, groups.read + stretchesByStatistics))",
      "ROW GROUPS SKIPPED BY TIME: \(groups.skippedByTime)", groupsByFilterLine,
      "ROW GROUPS SKIPPED BY TAG INDEX: \(groupsByTags)",
      "ROW GROUPS BY STATISTICS: \(stretchesByStatistics)", "ROW GROUPS READ: \(groups.read)",
    ] + byteLines + [
      "BYTES BY STATISTICS: \(bytesByStatistics)", "BYTES READ: \(groups.bytesRead)", "ROWS READ: \(rowsRead)",
    ]
  }

  /// The figures that are known before a row is read.
  var outlineLines: [String] {
    selectionLines + ["ROW GROUPS: \(selection.considered.rowGroups)", groupsByFilterLine] + byteLines
  }

  private var selectionLines: [String] {
    let runsRead =
      selection.considered.runs - selection.skippedByTime.runs - selection.skippedByFilter.runs
      - selection.skippedByTags.runs
    return [
      "WINDOWS: \(windows + windowsByTime)", "WINDOWS SKIPPED BY TIME: \(windowsByTime)",
      "WINDOWS READ: \(windows)",
      "RUNS: \(selection.considered.runs)", "RUNS SKIPPED BY TIME: \(selection.skippedByTime.runs)",
      "RUNS SKIPPED BY BLOOM FILTER: \(selection.skippedByFilter.runs)",
      "RUNS SKIPPED BY TAG INDEX: \(selection.skippedByTags.runs)", "RUNS READ: \(runsRead)",
      "SERIES: \(series)",
    ]
  }

  private var groupsByFilterLine: String {
    "ROW GROUPS SKIPPED BY BLOOM FILTER: \(selection.skippedByFilter.rowGroups)"
  }

  private var byteLines: [String] {
    [
      "BYTES: \(selection.considered.byteCount)", "BYTES SKIPPED BY TIME: \(selection.skippedByTime.byteCount)",
      "BYTES SKIPPED BY BLOOM FILTER: \(selection.skippedByFilter.byteCount)",
      "BYTES SKIPPED BY TAG INDEX: \(selection.skippedByTags.byteCount)",
    ]
  }
}

/// Runs, row groups and bytes of tables, counted together.
package struct ScanAmount: Sendable, Equatable {
  package var runs = 0
  /// Of the measurement asked for; none where its dictionary was not looked at.
  package var rowGroups = 0
  /// Of whole tables; parts of the memtable have none.
  package var byteCount: UInt64 = 0

  package init() {}

  package static func += (a: inout ScanAmount, b: ScanAmount) {
    a.runs += b.runs
    a.rowGroups += b.rowGroups
    a.byteCount += b.byteCount
  }
}

/// What was looked at to find the series of a scan, and what was passed over whole, by what.
package struct SelectionCounts: Sendable, Equatable {
  package var considered = ScanAmount()
  /// Runs that lie outside of the times asked for.
  package var skippedByTime = ScanAmount()
  /// Tables whose Bloom filter does not have a tag value that was asked for.
  package var skippedByFilter = ScanAmount()
  /// Runs in whose dictionary or tag index no series satisfies the condition.
  package var skippedByTags = ScanAmount()
  /// Tables that were asked for more than their Bloom filter, and windows with such a table.
  package var tablesAsked = 0
  package var windowsAsked = 0

  package init() {}

  package static func += (a: inout SelectionCounts, b: SelectionCounts) {
    a.considered += b.considered
    a.skippedByTime += b.skippedByTime
    a.skippedByFilter += b.skippedByFilter
    a.skippedByTags += b.skippedByTags
    a.tablesAsked += b.tablesAsked
    a.windowsAsked += b.windowsAsked
  }

  /// Takes note of a run that was not asked because of its times.
  mutating func note(skippedByTime run: any SortedRun) {
    var amount = ScanAmount()
    amount.runs = 1
    amount.byteCount = run.tableByteCount ?? 0
    considered += amount
    skippedByTime += amount
  }

  /// Takes note of what a run answered.
  mutating func note(_ list: SeriesList, of run: any SortedRun) {
    var amount = ScanAmount()
    amount.runs = 1
    amount.rowGroups = list.rowGroupCount
    amount.byteCount = run.tableByteCount ?? 0
    considered += amount
    if list.isSkippedByFilter {
      skippedByFilter += amount
    } else {
      if run.tableByteCount != nil { tablesAsked += 1 }
      if list.count == 0 { skippedByTags += amount }
    }
  }
}

/// What the reader of a run did with its row groups.
package struct RowGroupCounts: Sendable, Equatable {
  /// Decoded, each counted once.
  package var read = 0
  /// Of one series, and outside of the times asked for.
  package var skippedByTime = 0
  /// Blocks of rows that were decoded, as they lie in the file; from disk or from the cache.
  package var bytesRead: UInt64 = 0

  package init() {}

  package static func += (a: inout RowGroupCounts, b: RowGroupCounts) {
    a.read += b.read
    a.skippedByTime += b.skippedByTime
    a.bytesRead += b.bytesRead
  }
}

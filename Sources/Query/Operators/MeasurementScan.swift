import LineProtocol
import Storage

/// Takes what a scan finds; called once a series and once a stretch, never once a row.
protocol ScanSink: AnyObject {
  /// A series begins; `rank` is its place in the window's canonical order. `false`: pass over it.
  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool
  /// A stretch of the series, before it is decoded: `true` if statistics were enough. Called only where all rows count.
  func takeStatistics(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool
  /// The same, of the values without their times.
  func takeValues(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool
  /// Whether a stretch is worth decoding.
  func wants(_ span: RowGroupSpan) -> Bool
  /// Rows; `selection` as `RowFilter` makes it, `nil`: all. `false`: no more of this series.
  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool
  /// Whether only the last row of the present series is wanted and was not yet taken.
  var wantsLastRow: Bool { get }
  /// A window is done. `false`: no more windows.
  func endWindow() throws -> Bool
}

/// Who wants every row says no more than `begin` and `take`.
extension ScanSink {
  func takeStatistics(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool { false }
  func takeValues(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool { false }
  func wants(_ span: RowGroupSpan) -> Bool { true }
  var wantsLastRow: Bool { false }
  func endWindow() throws -> Bool { true }
}

/// Reads one measurement of a snapshot: window after window in time order, series after series.
struct MeasurementScan {
  var snapshot: Snapshot
  let measurement: [UInt8]
  let columns: [ScanColumn]
  /// `nil`: every row.
  var condition: Condition?
  var times: Range<Int64>
  let isDescending: Bool
  let isCancelled: @Sendable () -> Bool

  /// The series of a window that may have rows, and what was looked at for them.
  typealias KnownSeries = (series: WindowSeries, counts: SelectionCounts)

  /// Gives all that satisfies the condition to `sink`.
  ///
  /// - Parameter known: the series of each window that meets the times, where the caller has them already.
  func run(into sink: some ScanSink, known: [KnownSeries]? = nil) throws -> ScanCounters {
    var counters = ScanCounters()
    guard !columns.isEmpty, !times.isEmpty else { return counters }
    let seen = snapshot.clipped(times)
    let windows = snapshot.windows(in: times)
    counters.windowsByTime = snapshot.windows.count - windows.count
    for place in isDescending ? Array(windows.indices.reversed()) : Array(windows.indices) {
      counters.windows += 1
      try scan(windows[place], seen, known: known?[place], into: sink, &counters)
      guard try sink.endWindow() else { break }
    }
    return counters
  }

  /// The series of a window that may have rows, and what was looked at for them.
  func series(of window: WindowSnapshot, _ seen: Range<Int64>) throws(StorageError) -> KnownSeries {
    var selection = SelectionCounts()
    let series = try window.series(
      of: measurement, where: condition?.predicate, times: seen, counts: &selection)
    return (series, selection)
  }

  /// The part of the windows' series that `shard` of `shardCount` has: for scans that several threads share, who then know the
  /// window's series.
  func scan(
    _ window: WindowSnapshot, _ seen: Range<Int64>, known: KnownSeries? = nil, shard: Int = 0,
    of shardCount: Int = 1, into sink: some ScanSink, _ counters: inout ScanCounters
  ) throws {
    if let (series, selection) = known {
      // Each share of a window looks at the same runs.
      if shard == 0 { counters.selection += selection }
      counters.windowSeriesMax = max(counters.windowSeriesMax, series.count)
      let share = series.count * shard / shardCount..<series.count * (shard + 1) / shardCount
      return try scan(window, seen, series, share, rank: 0, into: sink, &counters)
    }
    // A piece at a time: a window may have millions.
    var pieces = try WindowSeriesPieces(window, of: measurement, where: condition?.predicate, times: seen)
    var rank = 0
    while let series = try pieces.next() {
      try scan(window, seen, series, 0..<series.count, rank: rank, into: sink, &counters)
      rank += series.count
    }
    counters.selection += pieces.counts
    counters.windowSeriesMax = max(counters.windowSeriesMax, rank)
  }

  /// Some series of a list.
  ///
  /// - Parameter rank: of the list's first among the series of the window.
  private func scan(
    _ window: WindowSnapshot, _ seen: Range<Int64>, _ series: WindowSeries, _ share: Range<Int>, rank: Int,
    into sink: some ScanSink, _ counters: inout ScanCounters
  ) throws {
    guard !share.isEmpty else { return }
    let scanner = SeriesScanner(
      window: window, series: series, measurement: measurement, columns: columns, times: seen,
      descending: isDescending)
    defer { counters.groups += scanner.counts }
    var batch = scanner.makeBatch()
    let needsTags = condition?.isMixed ?? false
    var check = InterruptCheck(isCancelled)
    for index in share {
      try check.pass(Self.seriesStepCount)
      let tags = SeriesTags(series.keyBytes, series.keyRange(index))
      var filter = condition
      if needsTags { filter = condition?.settled { tags.value(of: $0) } }
      if case .constant(false) = filter { continue }
      if filter?.readsRows == false { filter = nil }
      guard try sink.begin(tags, rank: rank + index) else { continue }
      counters.series += 1
      if filter == nil, sink.wantsLastRow {
        try takeLastRow(index, scanner, &batch, into: sink, &counters)
        if !sink.wantsLastRow { continue }
        // Its time is known: only that is decoded, and the rest if the row lacks what is asked for.
        let last = series.timeRange(index).upperBound
        if last < .max, seen.contains(last) {
          scanner.times = last..<last + 1
          try scanner.begin(index)
          try read(scanner, &batch, filter, into: sink, &counters)
          scanner.times = seen
          if !sink.wantsLastRow { continue }
        }
      }
      try scanner.begin(index)
      try read(scanner, &batch, filter, into: sink, &counters)
    }
  }

  /// What a series costs that is passed over.
  private static let seriesStepCount = 8

  /// Gives the last row of a series where statistics have it.
  private func takeLastRow(
    _ index: Int, _ scanner: SeriesScanner, _ batch: inout ColumnBatch, into sink: some ScanSink,
    _ counters: inout ScanCounters
  ) throws {
    if isCancelled() { throw QueryFailure.interrupted }
    try scanner.begin(index)
    guard isDescending, let span = try scanner.next(), try scanner.readLastRow(of: span, into: &batch) else { return }
    counters.stretchesByStatistics += 1
    counters.bytesByStatistics += try scanner.stretchByteCount()
    _ = try sink.take(batch, selection: nil)
  }

  private func read(
    _ scanner: SeriesScanner, _ batch: inout ColumnBatch, _ filter: Condition?, into sink: some ScanSink,
    _ counters: inout ScanCounters
  ) throws {
    let deciding = filter.map { filter in columns.indices.map { filter.reads(slot: $0) } } ?? []
    while let span = try scanner.next() {
      if isCancelled() { throw QueryFailure.interrupted }
      if filter == nil, try sink.takeStatistics(of: span, scanner) {
        counters.stretchesByStatistics += 1
        counters.bytesByStatistics += try scanner.stretchByteCount()
        continue
      }
      guard sink.wants(span) else { continue }
      if filter == nil, try sink.takeValues(of: span, scanner) {
        counters.rowsRead += span.rowCount
        continue
      }
      var selection: [UInt64]?
      if let filter {
        selection = try scanner.read(into: &batch, deciding: deciding) { rows in
          counters.rowsRead += rows.count
          return RowFilter(rows).selection(filter)
        }
        if batch.count == 0 || selection?.allSatisfy({ $0 == 0 }) ?? false { continue }
      } else {
        try scanner.read(into: &batch)
        counters.rowsRead += batch.count
      }
      guard try sink.take(batch, selection: selection) else { return }
    }
  }
}

extension Condition {
  /// Whether tags decide what rows must satisfy, beyond the predicate that already chose the series.
  var isMixed: Bool {
    switch self {
    case .constant, .tags, .compare, .matches: false
    case .and(let terms): terms.contains { !$0.isPure }
    case .or: readsRows && !isRowsOnly
    }
  }

  /// All tags, or all rows.
  private var isPure: Bool { !readsRows || isRowsOnly }

  private var isRowsOnly: Bool {
    switch self {
    case .tags: false
    case .constant, .compare, .matches: true
    case .and(let terms), .or(let terms): terms.allSatisfy(\.isRowsOnly)
    }
  }
}

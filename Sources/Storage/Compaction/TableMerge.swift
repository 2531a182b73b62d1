import LineProtocol

/// Merges sorted runs of one window into tables: a flush (one sealed part) and a compaction (several runs) are this.
///
/// All series of all measurements in canonical order, points joined by the rule of precedence, what lies before the floor left
/// out, cut into tables by series. Streamed: memory is one decoded row group a run, one batch, the writer's own, and the keys of
/// a thousand series a run. What is written is synced, its folder too; no edit names it yet.
package struct TableMerge {
  /// Ascending by sequence number; those of one number range are disjoint by series.
  package var runs: [any SortedRun]
  /// What the tables are; each gets a number of its own.
  package var identity: TableIdentity
  /// Points before it are left out.
  package var floor: Int64
  package var options = TableOptions()
  package var fileSystem: any FileSystem
  /// Gives a table number that was never used.
  package var takeTableNumber: () -> UInt64
  /// Called with the bytes written since the last call, after each stretch of rows and each table: may wait, or
  /// throw to stop the merge.
  package var pace: (UInt64) throws(StorageError) -> Void = { _ throws(StorageError) in }

  package init(
    runs: [any SortedRun], identity: TableIdentity, floor: Int64, fileSystem: any FileSystem,
    takeTableNumber: @escaping () -> UInt64
  ) {
    self.runs = runs
    self.identity = identity
    self.floor = floor
    self.fileSystem = fileSystem
    self.takeTableNumber = takeTableNumber
  }

  /// What a merge made.
  package struct Result: Sendable, Equatable {
    /// In canonical order of their series; empty where nothing was left.
    package var tables: [TableState] = []
    /// Row groups that were copied undecoded.
    package var copiedGroupCount = 0

    package init() {}

    package var byteCount: UInt64 { tables.reduce(0) { $0 + $1.byteCount } }
    package var rowCount: Int { tables.reduce(0) { $0 + $1.rowCount } }
  }

  /// Runs the merge. After a throw the files that it made are gone, or orphans that the next start sweeps.
  package func run() throws(StorageError) -> Result {
    let output = TableMergeOutput(self)
    do {
      let window = WindowSnapshot(range: identity.window, runs: runs)
      for measurement in try window.measurements() { try merge(measurement, of: window, into: output) }
      return try output.finish()
    } catch {
      output.abandon()
      throw error
    }
  }

  private func merge(
    _ measurement: [UInt8], of window: WindowSnapshot, into output: TableMergeOutput
  ) throws(StorageError) {
    let times = floor..<Int64.max
    let columns = try window.fields(of: measurement).map { ScanColumn(name: $0.name, type: $0.type) }
    var pieces = try WindowSeriesPieces(
      window, of: measurement, where: nil, times: times, countMax: Self.seriesCountMax, readsWhole: true)
    // One for all pieces: what is decoded at the end of one is not decoded again for the next.
    let scanner = SeriesScanner(
      window: window, series: WindowSeries(), measurement: measurement, columns: columns, times: times, convertsNumbers: false)
    var batch = scanner.makeBatch()
    var short = ShortSeriesBatch(rows: batch)
    while let series = try pieces.next() {
      scanner.series = series
      try merge(series, by: scanner, &batch, &short, into: output)
    }
  }

  /// Series of all runs whose keys are in memory at a time: so few that most of it is used again, and not given back to the system each
  /// time.
  private static let seriesCountMax = 1_024

  private func merge(
    _ series: WindowSeries, by scanner: SeriesScanner, _ batch: inout ColumnBatch, _ short: inout ShortSeriesBatch,
    into output: TableMergeOutput
  ) throws(StorageError) {
    var index = 0
    while index < series.count {
      if try scanner.readShort(from: index, into: &short) > 0 {
        try output.append(short, of: series, from: index)
        index += short.count
        continue
      }
      defer { index += 1 }
      output.beginSeries(try series.key(index))
      try scanner.begin(index)
      while let span = try scanner.next() {
        if let reader = scanner.soleReader as? TableReader, try output.copy(span, from: reader) { continue }
        try scanner.read(into: &batch)
        try output.append(batch)
      }
      try output.endSeries()
    }
  }
}

import LineProtocol

/// What can be read of a damaged table: row groups that decode, of series whose keys do. Takes note of the rest.
final class SalvageRun: SortedRun {
  struct Lost: Equatable {
    /// `nil`: some of them, it is not known which.
    var measurement: [UInt8]?
    /// Its key as bytes; `nil`: all.
    var series: [UInt8]?
    var times: ClosedRange<Int64>
    var error: StorageError
  }

  private struct State {
    var lost: [Lost] = []
    /// Of the measurement that is read.
    var keys: (measurement: [UInt8], list: SeriesList) = ([], SeriesList())
  }
  let table: Table
  private let state = Lock(State())

  init(_ table: Table) { self.table = table }

  var lost: [Lost] { state.withLock { $0.lost } }

  var sequenceRange: ClosedRange<UInt64> { table.sequenceRange }
  var timeRange: ClosedRange<Int64> { table.timeRange }
  var rowCount: Int { table.rowCount }

  func note(_ lost: Lost) {
    state.withLock { state in
      if !state.lost.contains(lost) { state.lost.append(lost) }
    }
  }

  func measurements() throws(StorageError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    do throws(StorageError) {
      let run = try table.directory().run
      for index in 0..<run.count {
        do throws(StorageError) {
          names += try table.entries(run.handle(index)).map(\.name)
        } catch {
          guard error.code == .corrupt else { throw error }
          note(Lost(measurement: nil, series: nil, times: timeRange, error: error))
        }
      }
    } catch {
      guard error.code == .corrupt else { throw error }
      note(Lost(measurement: nil, series: nil, times: timeRange, error: error))
    }
    return names
  }

  func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    do throws(StorageError) { return try table.fields(of: measurement) } catch {
      guard error.code == .corrupt else { throw error }
      note(Lost(measurement: measurement, series: nil, times: timeRange, error: error))
      return []
    }
  }

  func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    try table.tagKeys(of: measurement)
  }

  func series(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> SeriesList {
    var times = timeRange
    do throws(StorageError) {
      if let top = try table.top(of: measurement) { times = top.firstTimestamp...top.lastTimestamp }
      let list = try table.series(of: measurement, where: predicate)
      state.withLock { $0.keys = (measurement, list) }
      return list
    } catch {
      guard error.code == .corrupt else { throw error }
      let isNoted = lost.contains { $0.measurement == measurement && $0.series == nil }
      if !isNoted { note(Lost(measurement: measurement, series: nil, times: times, error: error)) }
      return SeriesList()
    }
  }

  func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    SalvageReader(self, measurement: measurement, fields: fields)
  }

  /// Takes note of rows of a series that cannot be read.
  func note(_ ordinal: UInt32, of measurement: [UInt8], times: ClosedRange<Int64>?, _ error: StorageError) {
    let found = state.withLock { state -> (key: [UInt8], times: ClosedRange<Int64>)? in
      let list = state.keys.list
      guard state.keys.measurement == measurement, let index = list.ordinals.firstIndex(of: ordinal) else {
        return nil
      }
      return (
        Array(list.keyBytes[list.keyRange(index)]), list.firstTimestamps[index]...list.lastTimestamps[index]
      )
    }
    note(
      Lost(
        measurement: measurement, series: found?.key, times: times ?? found?.times ?? timeRange, error: error)
    )
  }
}

/// Reads the row groups that decode and passes over the others.
final class SalvageReader: RunReader {
  private let run: SalvageRun
  private let measurement: [UInt8]
  private let fields: [FieldKey]
  /// A new one after each failure, since a reader that threw throws on.
  private var base: any RunReader
  private var scratch: ColumnBatch
  private var ordinal: UInt32 = 0
  private var times: Range<Int64> = 0..<0
  private var isDescending = false
  private var hasEnded = false

  init(_ run: SalvageRun, measurement: [UInt8], fields: [FieldKey]) {
    self.run = run
    self.measurement = measurement
    self.fields = fields
    base = run.table.makeStreamingReader(of: measurement, fields: fields)
    scratch = ColumnBatch(fields: fields)
  }

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
    (self.ordinal, self.times, isDescending, hasEnded) = (ordinal, times, descending, false)
    do throws(StorageError) {
      try base.begin(ordinal, times: times, descending: descending)
    } catch {
      try lose(nil, error)
    }
  }

  func next() throws(StorageError) -> RowGroupSpan? {
    while !hasEnded {
      var span: RowGroupSpan?
      do throws(StorageError) {
        span = try base.next()
        guard span != nil else { return nil }
        try base.read(into: &scratch)
        return span
      } catch {
        try lose(span, error)
      }
    }
    return nil
  }

  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? { nil }

  func read(into batch: inout ColumnBatch) throws(StorageError) { try base.read(into: &batch) }

  /// Takes note of a stretch, or, where it is not known which, of what is left of the series; goes on behind it.
  private func lose(_ span: RowGroupSpan?, _ error: StorageError) throws(StorageError) {
    guard error.code == .corrupt else { throw error }
    run.note(ordinal, of: measurement, times: span.map { $0.firstTimestamp...$0.lastTimestamp }, error)
    base = run.table.makeStreamingReader(of: measurement, fields: fields)
    guard let span else {
      hasEnded = true
      return
    }
    let isAtEdge =
      isDescending ? span.firstTimestamp <= times.lowerBound : span.lastTimestamp + 1 >= times.upperBound
    if isAtEdge {
      hasEnded = true
      return
    }
    times =
      isDescending ? times.lowerBound..<span.firstTimestamp : span.lastTimestamp + 1..<times.upperBound
    do throws(StorageError) {
      try base.begin(ordinal, times: times, descending: isDescending)
    } catch {
      hasEnded = true
    }
  }
}

import LineProtocol

/// A reader that holds decoded rows of several short series side by side, and says which are a series'.
package protocol SharedRowsReader: RunReader {
  /// Where the rows of a short series lie; `nil` where they do not lie among those of other series, or not all within `times`.
  func sharedRows(of ordinal: UInt32, times: Range<Int64>) throws(StorageError) -> SharedRows?
  /// Whether the rows of a group are those that are held.
  func holds(_ group: UInt64) -> Bool
  /// Holds the rows of the group that `sharedRows` found last instead of those that were.
  func holdShared() throws(StorageError)
  /// Timestamps and columns, the reader's fields, of the rows that are held.
  var heldTimestamps: [Int64] { get }
  func heldColumn(_ index: Int) -> Column
}

/// Where the rows of a series lie among those that are held once its group is.
package struct SharedRows {
  package var group: UInt64
  package var rows: Range<Int>
  package var times: ClosedRange<Int64>
}

/// Rows of short series in several runs, laid one behind the other.
struct ShortSeriesJoin {
  /// One run.
  struct Input {
    var reader: any SharedRowsReader
    /// For each column of the batch that of the reader.
    var columns: [Int]
    fileprivate var laid: [LaidRows] = []

    init(_ reader: any SharedRowsReader, columns: [Int]) { (self.reader, self.columns) = (reader, columns) }
  }

  /// Rows of a run that come next to each other.
  fileprivate struct LaidRows {
    var source: Int
    var target: Int
    var count: Int
  }

  /// One a run; empty: these runs cannot be read so.
  private(set) var inputs: [Input]
  private var found: [(run: Int, place: SharedRows)] = []
  private var single: [(time: Int64, run: Int, row: Int)] = []
  /// Rows laid so far.
  private(set) var rowCount = 0

  init(_ inputs: [Input]) { self.inputs = inputs }

  mutating func reset() {
    rowCount = 0
    for run in inputs.indices { inputs[run].laid.removeAll(keepingCapacity: true) }
  }

  /// Lays the rows of a series behind those before it; `false`, and nothing is laid, where it is not short, two of its rows are of one
  /// time, or what rows laid before come from would have to go.
  mutating func lay(_ sources: ArraySlice<SeriesSource>, times: Range<Int64>) throws(StorageError) -> Bool {
    found.removeAll(keepingCapacity: true)
    var total = 0
    for source in sources {
      let reader = inputs[source.run].reader
      guard let place = try reader.sharedRows(of: source.ordinal, times: times) else { return false }
      total += place.rows.count
      if !reader.holds(place.group) {
        guard inputs[source.run].laid.isEmpty else { return false }
        try reader.holdShared()
      }
      // Few, and mostly in order.
      var at = found.count
      while at > 0, found[at - 1].place.times.lowerBound > place.times.lowerBound { at -= 1 }
      found.insert((source.run, place), at: at)
    }
    guard total < ShortSeriesBatch.rowCountLimit else { return false }
    for index in found.indices.dropFirst()
    where found[index - 1].place.times.upperBound >= found[index].place.times.lowerBound { return laySingle() }
    for (run, place) in found { lay(place.rows, of: run) }
    return true
  }

  private mutating func lay(_ rows: Range<Int>, of run: Int) {
    inputs[run].laid.append(LaidRows(source: rows.lowerBound, target: rowCount, count: rows.count))
    rowCount += rows.count
  }

  /// Lays rows of several runs that lie between one another in time, as those of several senders do; `false` where two are of one time.
  private mutating func laySingle() -> Bool {
    single.removeAll(keepingCapacity: true)
    for (run, place) in found {
      let times = inputs[run].reader.heldTimestamps
      for row in place.rows { single.append((times[row], run, row)) }
    }
    single.sort { $0.time < $1.time }
    for index in single.indices.dropFirst() where single[index - 1].time == single[index].time { return false }
    var index = 0
    while index < single.count {
      let first = single[index]
      var count = 1
      while index + count < single.count, single[index + count].run == first.run { count += 1 }
      // A run's own rows ascend in time, so these are neighbours.
      lay(first.row..<first.row + count, of: first.run)
      index += count
    }
    return true
  }

  // MARK: Columns

  /// Fills an empty batch with the rows that are laid.
  func gather(into batch: inout ColumnBatch) {
    batch.timestamps.append(contentsOf: repeatElement(0, count: rowCount))
    for input in inputs where !input.laid.isEmpty { Self.copy(input.reader.heldTimestamps, input.laid, to: &batch.timestamps) }
    for index in batch.columns.indices { gather(index, into: &batch.columns[index]) }
  }

  private func gather(_ index: Int, into column: inout Column) {
    var isWhole = true
    column.values.append(contentsOf: repeatElement(0, count: rowCount))
    for input in inputs where !input.laid.isEmpty {
      let held = input.reader.heldColumn(input.columns[index])
      if held.presentCount > 0 { Self.copy(held.values, input.laid, to: &column.values) }
      isWhole = isWhole && held.presentCount > 0 && held.validity.isEmpty
    }
    column.presentCount = rowCount
    if !isWhole { gatherValidity(index, into: &column) }
  }

  /// Notes which rows have a value, where some have none: these are zeros.
  private func gatherValidity(_ index: Int, into column: inout Column) {
    column.presentCount = 0
    column.validity.append(contentsOf: repeatElement(0, count: (rowCount + 63) / 64))
    for input in inputs where !input.laid.isEmpty {
      let held = input.reader.heldColumn(input.columns[index])
      for place in input.laid {
        for row in 0..<place.count where held.isPresent(place.source + row) {
          let target = place.target + row
          column.validity[target >> 6] |= 1 << UInt64(target & 63)
          column.presentCount += 1
        }
      }
    }
    if column.presentCount == 0 { column.values.removeAll(keepingCapacity: true) }
    if column.presentCount == 0 || column.presentCount == rowCount { column.validity.removeAll(keepingCapacity: true) }
  }

  private static func copy<Word: BitwiseCopyable>(_ source: [Word], _ places: [LaidRows], to target: inout [Word]) {
    for place in places {
      precondition(
        place.source + place.count <= source.count && place.target + place.count <= target.count, "rows outside of a column")
    }
    unsafe source.withUnsafeBufferPointer { from in
      unsafe target.withUnsafeMutableBufferPointer { to in
        // Short stretches: a call of memmove costs more than the copy. Inside both, as was looked at above.
        for place in places {
          for row in 0..<place.count { unsafe to[place.target &+ row] = from[place.source &+ row] }
        }
      }
    }
  }
}

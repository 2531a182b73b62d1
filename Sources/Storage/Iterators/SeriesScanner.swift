package import LineProtocol

/// A column as a query wants it: the values of one field, other numeric types of that name converted to `type`, or left to columns of
/// their own.
package struct ScanColumn: Sendable, Hashable {
  /// The field's name.
  package var name: [UInt8]
  package var type: FieldType
  /// Only values that were written with the type.
  package var isExact: Bool

  package init(name: [UInt8], type: FieldType, isExact: Bool = false) {
    self.name = name
    self.type = type
    self.isExact = isExact
  }
}

/// Reads one window's series of one measurement, one after another, as if one run held them all.
///
/// The rule of precedence is here and nowhere else: for one series, timestamp and field *name*, over all its types, the
/// run with the higher sequence number wins; fields of one point that lie in several runs are joined. Rows come in *stretches*:
/// where a run's row group meets no other run's times it is handed on undecoded, with its statistics; where they meet the
/// stretch is merged, as far as the first of the row groups that meet goes. So at most one decoded row group a run is held.
///
/// Stretches come ascending by time (or descending), do not overlap, and no timestamp comes twice. Rows without a value in any
/// asked column may come. For one thread; after a throw, the same throw.
package final class SeriesScanner {
  let window: WindowSnapshot
  /// May be changed for others of the same measurement and window between two series.
  var series: WindowSeries
  private let measurement: [UInt8]
  let columns: [ScanColumn]
  /// The rows that count; may be changed before `begin`.
  package var times: Range<Int64>
  private let descending: Bool
  private let convertsNumbers: Bool

  /// One a run, made when first needed.
  private var cursors: [RunCursor?]
  /// Those of the present series, ascending by sequence number.
  private var active: [RunCursor] = []
  /// Those that the present stretch takes rows from.
  private var members: [RunCursor] = []
  private var merge = PointMerge()
  private var isMerged = false
  /// Of `readShort`, where there are several runs.
  var shortJoin: ShortSeriesJoin?
  private var failure: StorageError?

  /// - Parameters:
  ///   - series: of `window`, as `WindowSnapshot.series(of:where:times:)` gave them.
  ///   - columns: in the order in which batches have them; the same name may come with several types.
  ///   - times: clipped to the snapshot's floor (`Snapshot.clipped`).
  ///   - convertsNumbers: `false` where columns are types as stored, for merging.
  package init(
    window: WindowSnapshot, series: WindowSeries, measurement: [UInt8], columns: [ScanColumn],
    times: Range<Int64>,
    descending: Bool = false, convertsNumbers: Bool = true
  ) {
    self.window = window
    self.series = series
    self.measurement = measurement
    self.columns = columns
    self.times = times
    self.descending = descending
    self.convertsNumbers = convertsNumbers
    cursors = Array(repeating: nil, count: window.runs.count)
  }

  /// A batch with the asked columns, for `read(into:)`; reuse one for all stretches.
  package func makeBatch() -> ColumnBatch {
    ColumnBatch(fields: columns.map { FieldKey(name: $0.name, type: $0.type) })
  }

  /// Goes to series `index`; `next` gives its first stretch.
  package func begin(_ index: Int) throws(StorageError) {
    try guarded { () throws(StorageError) in
      Self.clear(&active)
      Self.clear(&members)
      let sources = series.sources(index)
      // A run may reach beyond the window where several keyspaces are read as one.
      let times = times.clamped(to: window.range)
      for source in sources {
        let cursor = try cursor(of: source.run)
        try cursor.begin(source.ordinal, times: times, isAlone: sources.count == 1)
        active.append(cursor)
      }
    }
  }

  /// The next stretch; `nil` after the last. Where one run alone holds it the counts and times may be bounds.
  package func next() throws(StorageError) -> RowGroupSpan? {
    try guarded { () throws(StorageError) in
      while true {
        for cursor in members { try cursor.leave() }
        guard let limit = choose() else { return nil }
        if members.count == 1, !members[0].isDecoded, let span = members[0].span {
          isMerged = false
          return span
        }
        if let span = try join(to: limit) { return span }
      }
    }
  }

  /// What is known of a column over the whole stretch without decoding it: where one run alone holds the stretch, whole, and
  /// no value needs conversion; else `nil`. Call before `read`.
  package func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? {
    try guarded { () throws(StorageError) in
      guard !isMerged, let cursor = members.first, !cursor.isDecoded else { return nil }
      let plan = cursor.plan
      var answer = ColumnStatistics()
      for source in plan.sources[column] {
        guard let known = try plan.reader.statistics(source.column) else { return nil }
        if known.count == 0 { continue }
        guard source.conversion == .identity || source.conversion == .string else { return nil }
        answer = known
      }
      return answer
    }
  }

  /// The values of a column over the whole stretch without the times of its rows: where one run alone holds the stretch, every row has a
  /// value, and that costs less than `read`; else `nil`. Call before `read`.
  package func stretchValues(_ column: Int) throws(StorageError) -> StretchValues? {
    guard !isMerged, let cursor = members.first, !cursor.isDecoded, cursor.plan.isDirect else { return nil }
    return try guarded { () throws(StorageError) in try cursor.plan.reader.stretchValues(column) }
  }

  /// Replaces `batch`, which `makeBatch` made, with the last row of the stretch as `statistics` have it; `false` where they do not. Call
  /// before `read`.
  package func readLastRow(of span: RowGroupSpan, into batch: inout ColumnBatch) throws(StorageError) -> Bool {
    batch.reset()
    batch.timestamps.append(span.lastTimestamp)
    if !isMerged, let cursor = members.first, !cursor.isDecoded, cursor.plan.isDirect {
      return try guarded { () throws(StorageError) in
        try cursor.plan.reader.readLastRow(of: span.lastTimestamp, into: &batch)
      }
    }
    for index in columns.indices {
      guard columns[index].type != .string, let known = try statistics(index) else { return false }
      batch.columns[index].takeLast(known, at: span.lastTimestamp)
    }
    return true
  }

  /// Replaces `batch`, which `makeBatch` made, with the rows of the stretch; they ascend in a descending scan too.
  package func read(into batch: inout ColumnBatch) throws(StorageError) {
    precondition(
      batch.columns.count == columns.count, "batch has \(batch.columns.count) columns, not \(columns.count)")
    try guarded { () throws(StorageError) in
      if !isMerged, let cursor = members.first {
        if cursor.plan.isDirect { return try cursor.read(into: &batch) }
        try cursor.decode()
        cursor.takeAll()
        merge.align([(cursor.plan.batch.timestamps, cursor.taken)])
      }
      try gather(into: &batch)
    }
  }

  /// The same where a condition decides which rows count: `choose` is given rows with the columns that are `deciding` at least, and says with a
  /// bit a row which are wanted. Where one run alone holds the stretch the other columns of rows that are not are not decoded.
  ///
  /// - Returns: the bits of the batch's rows that are wanted; `nil`: all are.
  package func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> [UInt64]? {
    precondition(deciding.count == columns.count, "\(deciding.count) marks of \(columns.count) columns")
    if !isMerged, let cursor = members.first, !cursor.isDecoded, cursor.plan.isDirect {
      let isChosen = try guarded { () throws(StorageError) in try cursor.read(into: &batch, deciding: deciding, choose) }
      if isChosen { return nil }
    } else {
      try read(into: &batch)
    }
    return choose(batch)
  }

  /// What became of row groups so far, over all runs.
  package var counts: RowGroupCounts {
    var counts = RowGroupCounts()
    for case let cursor? in cursors { counts += cursor.counts }
    return counts
  }

  /// Bytes that `read` would decode of the present stretch, where one run alone holds it.
  package func stretchByteCount() throws(StorageError) -> UInt64 { try soleReader?.stretchByteCount() ?? 0 }

  /// The reader that alone holds the present stretch, undecoded, standing at it; `nil` where rows of several are joined. For
  /// merging, which may copy the row group as it is.
  var soleReader: (any RunReader)? {
    guard !isMerged, let cursor = members.first, !cursor.isDecoded else { return nil }
    return cursor.plan.reader.unmasked
  }

  // MARK: Stretches

  /// Empties a list that mostly has one cursor: to let go of that one costs less than to replace a range by nothing.
  private static func clear(_ cursors: inout [RunCursor]) {
    while !cursors.isEmpty { cursors.removeLast() }
  }

  /// Picks the runs that the next stretch takes rows from, and the time to which it goes: the nearest end of a head, so that
  /// no later row of any run can lie before it.
  private func choose() -> Int64? {
    Self.clear(&members)
    var limit: Int64?
    for cursor in active where cursor.span != nil {
      let end = descending ? cursor.first : cursor.last
      limit = limit.map { descending ? max($0, end) : min($0, end) } ?? end
    }
    guard let limit else { return nil }
    for cursor in active
    where cursor.span != nil && (descending ? cursor.last >= limit : cursor.first <= limit) {
      members.append(cursor)
    }
    return limit
  }

  /// Decodes the heads and lays their rows beside each other; `nil` if there turn out to be none.
  private func join(to limit: Int64) throws(StorageError) -> RowGroupSpan? {
    isMerged = true
    for cursor in members {
      try cursor.decode()
      cursor.take(to: limit)
    }
    merge.align(members.map { ($0.plan.batch.timestamps, $0.taken) })
    guard let first = merge.timestamps.first, let last = merge.timestamps.last else { return nil }
    return RowGroupSpan(rowCount: merge.timestamps.count, firstTimestamp: first, lastTimestamp: last)
  }

  /// Fills the batch from the members, lower sequence numbers first.
  private func gather(into batch: inout ColumnBatch) throws(StorageError) {
    batch.timestamps.removeAll(keepingCapacity: true)
    batch.timestamps.append(contentsOf: merge.timestamps)
    for index in columns.indices {
      merge.clear(&batch.columns[index])
      for (input, cursor) in members.enumerated() {
        let plan = cursor.plan
        // What hides goes first: in one row of one run at most one type is present, so the order among them is free.
        for source in plan.sources[index] {
          try merge.overlay(
            plan.batch.columns[source.column], of: input, source.conversion, onto: &batch.columns[index])
        }
      }
      merge.settle(&batch.columns[index])
    }
  }

  // MARK: Cursors and failures

  func cursor(of run: Int) throws(StorageError) -> RunCursor {
    if let made = cursors[run] { return made }
    let made = try RunCursor(
      window.runs[run], measurement, columns: columns, converts: convertsNumbers, descending: descending)
    cursors[run] = made
    return made
  }

  /// Runs `body`; keeps what it throws, and throws it again ever after.
  func guarded<Answer>(_ body: () throws(StorageError) -> Answer) throws(StorageError) -> Answer {
    if let failure { throw failure }
    do {
      return try body()
    } catch {
      failure = error
      throw error
    }
  }
}

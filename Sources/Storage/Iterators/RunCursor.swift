import LineProtocol

/// One run's place in a scan of a series: the stretch at its head, decoded or not, and what of it is taken.
final class RunCursor {
  /// For series that only this run holds, and for those that others hold too.
  private let alone: ReadPlan
  private let joined: ReadPlan
  private(set) var plan: ReadPlan
  private let descending: Bool

  /// The head's stretch as the reader gave it; `nil` at the end.
  private(set) var span: RowGroupSpan?
  /// Bounds of the times of rows not yet taken.
  private(set) var first: Int64 = 0
  private(set) var last: Int64 = 0
  private(set) var isDecoded = false
  /// Rows of `plan.batch` not yet taken, and those taken for the present stretch.
  private var rows = 0..<0
  private(set) var taken = 0..<0
  /// Stretches decoded.
  private var readCount = 0

  /// Whether series that others hold too are read as those that only this run holds.
  var isUniform: Bool { joined === alone }

  /// What became of the run's row groups so far.
  var counts: RowGroupCounts {
    guard var counts = alone.reader.counts else {
      var inMemory = RowGroupCounts()
      inMemory.read = readCount
      return inMemory
    }
    if joined !== alone, let other = joined.reader.counts { counts += other }
    return counts
  }

  init(
    _ run: any SortedRun, _ measurement: [UInt8], columns: [ScanColumn], converts: Bool, descending: Bool
  ) throws(StorageError) {
    let fields = try run.fields(of: measurement)
    func plan(hides: Bool) -> ReadPlan {
      ReadPlan(
        run, measurement, asked: columns, fields: fields, converts: converts, hides: hides)
    }
    alone = plan(hides: false)
    // Where no column has types that only hide, both plans would be the same: one reader does.
    let hasHidingTypes = columns.contains { column in
      fields.named(column.name).contains {
        ValueConversion(from: $0.type, to: column.type, convertsNumbers: converts) == .hide
      }
    }
    joined = hasHidingTypes ? plan(hides: true) : alone
    self.plan = alone
    self.descending = descending
  }

  /// Goes to a series, at its first stretch.
  func begin(_ ordinal: UInt32, times: Range<Int64>, isAlone: Bool) throws(StorageError) {
    plan = isAlone ? alone : joined
    try plan.reader.begin(ordinal, times: times, descending: descending)
    try advance()
  }

  /// Decodes the head, once.
  func decode() throws(StorageError) {
    guard !isDecoded else { return }
    try read(into: &plan.batch)
    rows = 0..<plan.batch.count
    taken = rows.lowerBound..<rows.lowerBound
    isDecoded = true
  }

  /// Has the reader decode its stretch.
  func read(into batch: inout ColumnBatch) throws(StorageError) {
    readCount += 1
    try plan.reader.read(into: &batch)
  }

  /// The same where a condition chooses rows.
  func read(
    into batch: inout ColumnBatch, deciding: [Bool], _ choose: (borrowing ColumnBatch) -> [UInt64]
  ) throws(StorageError) -> Bool {
    readCount += 1
    return try plan.reader.read(into: &batch, deciding: deciding, choose)
  }

  /// Takes the decoded rows up to `limit`, both times included (down to it in a descending scan).
  func take(to limit: Int64) {
    let times = plan.batch.timestamps
    if descending {
      let cut = TimeUnion.firstIndex(in: times, from: 0, notBelow: limit)
      taken = max(rows.lowerBound, min(cut, rows.upperBound))..<rows.upperBound
    } else {
      // Timestamps end below `Int64.max`, so that `limit + 1` cannot pass it; saturate all the same.
      let next = limit == .max ? limit : limit + 1
      let cut =
        limit == .max ? times.count : TimeUnion.firstIndex(in: times, from: rows.lowerBound, notBelow: next)
      taken = rows.lowerBound..<min(cut, rows.upperBound)
    }
  }

  /// Takes all rows of the decoded head.
  func takeAll() { taken = rows }

  /// Leaves what was taken; an undecoded head is left whole.
  func leave() throws(StorageError) {
    guard isDecoded else { return try advance() }
    rows = descending ? rows.lowerBound..<taken.lowerBound : taken.upperBound..<rows.upperBound
    taken = rows.lowerBound..<rows.lowerBound
    if rows.isEmpty { return try advance() }
    first = plan.batch.timestamps[rows.lowerBound]
    last = plan.batch.timestamps[rows.upperBound - 1]
  }

  private func advance() throws(StorageError) {
    isDecoded = false
    span = try plan.reader.next()
    first = span?.firstTimestamp ?? 0
    last = span?.lastTimestamp ?? 0
  }
}

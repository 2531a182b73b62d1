import LineProtocol
import Storage

/// Accumulates columns by group and time bucket: the sink of aggregates that need no rows kept.
final class AggregatePass: ScanSink {
  private let columns: [AggregateColumn]
  private let grid: TimeGrid
  private let limits: QueryLimits
  private(set) var groups: GroupTable
  /// By group, then column.
  private var accumulators: [[BucketAccumulators]] = []
  /// That of the present series.
  private var group = 0
  private var shifted = ColumnBatch(fields: [])
  /// Scratch of `takeValues`.
  private var values: [StretchValues] = []
  private let takesStatistics: Bool
  /// Nanoseconds that times are moved by, to local time.
  var offset: Int64 = 0
  /// Asked by what takes long, which then fails.
  var isInterrupted: () -> Bool = { false }

  init(_ columns: [AggregateColumn], grid: TimeGrid, tagKeys: [[UInt8]], limits: QueryLimits) {
    self.columns = columns
    self.grid = grid
    self.limits = limits
    groups = GroupTable(tagKeys: tagKeys)
    takesStatistics = columns.allSatisfy(\.takesStatistics)
  }

  // MARK: Sink

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    group = groups.number(of: tags)
    if group == accumulators.count {
      try makeRoom()
      var check = InterruptCheck(isInterrupted)
      var made: [BucketAccumulators] = []
      for column in columns {
        made.append(BucketAccumulators(column.aggregates, type: column.column.type, bucketing: grid.bucketing))
        try check.pass(grid.count)
      }
      accumulators.append(made)
    }
    return true
  }

  /// What a group takes beside its cells, and a cell.
  private static let groupByteCount = 256
  private static let cellByteCount = 56

  /// Checks and counts what one more group takes.
  private func makeRoom() throws {
    let cells = groups.count.multipliedReportingOverflow(by: max(grid.count, 1))
    guard !cells.overflow, cells.partialValue <= limits.cellCountMax else {
      throw QueryFailure(
        "max-select-buckets limit exceeded: (\(cells.partialValue)/\(limits.cellCountMax))",
        isLimit: true)
    }
    guard groups.count <= limits.groupCountMax else {
      throw QueryFailure("max-select-series limit exceeded: (\(groups.count)/\(limits.groupCountMax))")
    }
    // Counts and sums, and what else is asked for; and once more as the columns of the answer.
    try limits.account.add(Self.groupByteCount + columns.count * (256 + max(grid.count, 1) * Self.cellByteCount))
  }

  /// The bucket that a stretch lies in, where all that is asked can be told without the times of its rows.
  private func wholeBucket(of span: RowGroupSpan) -> Int? {
    guard takesStatistics else { return nil }
    return grid.bucketing.index(ofAll: span.firstTimestamp &+ offset...max(span.firstTimestamp, span.lastTimestamp) &+ offset)
  }

  func takeStatistics(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool {
    guard let bucket = wholeBucket(of: span) else { return false }
    var known: [ColumnStatistics] = []
    for column in columns {
      guard var one = try scanner.statistics(column.slot) else { return false }
      one.firstTimestamp &+= offset
      one.lastTimestamp &+= offset
      known.append(one)
    }
    for (index, one) in known.enumerated() { _ = accumulators[group][index].add(one, bucket: bucket) }
    return true
  }

  func takeValues(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool {
    guard let bucket = wholeBucket(of: span) else { return false }
    // Let go of at once: the reader decodes the next ones into the same memory.
    defer { values.removeAll(keepingCapacity: true) }
    for column in columns {
      guard var one = try scanner.stretchValues(column.slot) else { return false }
      one.firstTimestamp &+= offset
      one.lastTimestamp &+= offset
      values.append(one)
    }
    for (index, one) in values.enumerated() { _ = accumulators[group][index].add(one, bucket: bucket) }
    return true
  }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    if offset != 0 {
      shifted = copy batch
      for index in shifted.timestamps.indices { shifted.timestamps[index] &+= offset }
      for (index, column) in columns.enumerated() {
        accumulators[group][index].add(shifted, column: column.slot, selection: selection)
      }
    } else {
      for (index, column) in columns.enumerated() {
        accumulators[group][index].add(batch, column: column.slot, selection: selection)
      }
    }
    return true
  }

  func endWindow() throws -> Bool { true }

  // MARK: Joining and answers

  /// What a pass has gathered, to be handed from thread to thread.
  struct Gathered: Sendable {
    fileprivate var groups: GroupTable
    fileprivate var accumulators: [[BucketAccumulators]]
  }

  var gathered: Gathered { Gathered(groups: groups, accumulators: accumulators) }

  /// Takes in what another pass of the same columns and grid has gathered.
  func merge(_ other: Gathered) throws {
    var check = InterruptCheck(isInterrupted)
    for index in 0..<other.groups.count {
      try check.pass(columns.count * max(grid.count, 1))
      group = groups.number(of: other.groups.keys[index])
      if group == accumulators.count {
        try makeRoom()
        accumulators.append(other.accumulators[index])
        continue
      }
      for column in columns.indices { accumulators[group][column].merge(other.accumulators[index][column]) }
    }
  }

  /// Lets go of what was gathered of a group, whose answer was made: both at once would be twice the memory.
  func release(_ group: Int) { accumulators[group] = [] }

  /// The times of all buckets: one array, which all streams share; empty until it is asked for.
  private var bucketTimes: [Int64] = []

  /// The values of a call over the buckets of a group, in time order; empty if no bucket has a value.
  func stream(_ function: AggregateFunction, column: Int, group: Int, keepsTime: Bool) throws(QueryFailure) -> Stream {
    let held = accumulators[group][column]
    guard let first = held.counts.firstIndex(where: { $0 > 0 }) else {
      return Stream(function.answerType(for: held.type))
    }
    let isGrid = grid.bucketing.width > 0
    let buckets = (isGrid ? 0 : first)..<held.counts.count
    let sharesTimes = isGrid && !keepsTime && held.counts.count == grid.count
    var check = InterruptCheck(isInterrupted)
    let isText = held.type == .string && (function == .first || function == .last)
    let column = try isText ? texts(held, function, buckets, &check) : words(held, function, buckets, &check)
    if sharesTimes {
      if bucketTimes.isEmpty { bucketTimes = try grid.times(unless: isInterrupted) }
      return Stream(times: bucketTimes, column: column)
    }
    var stream = Stream(times: [], column: column)
    stream.times.reserveCapacity(buckets.count)
    for bucket in buckets {
      try check.pass()
      stream.times.append(keepsTime ? Self.time(held, function, bucket) : grid.time(of: bucket))
    }
    return stream
  }

  private func texts(
    _ held: BucketAccumulators, _ function: AggregateFunction, _ buckets: Range<Int>, _ check: inout InterruptCheck
  ) throws(QueryFailure) -> Column {
    var column = Column.absent(function.answerType(for: held.type))
    for (row, bucket) in buckets.enumerated() {
      try check.pass()
      if held.counts[bucket] > 0 {
        column.append(text: function == .first ? held.firstString(bucket) : held.lastString(bucket), rowCount: row)
      } else {
        column.appendNull(rowCount: row)
      }
    }
    return column
  }

  /// Some buckets' values; one has a value at least.
  private func words(
    _ held: BucketAccumulators, _ function: AggregateFunction, _ buckets: Range<Int>, _ check: inout InterruptCheck
  ) throws(QueryFailure) -> Column {
    var column = Column.absent(function.answerType(for: held.type))
    column.values.reserveCapacity(buckets.count)
    let counts = held.counts
    for start in stride(from: buckets.lowerBound, to: buckets.upperBound, by: 64) {
      let some = start..<min(start + 64, buckets.upperBound)
      try check.pass(some.count)
      var present: UInt64 = 0
      column.values.append(addingCapacity: some.count) { span in
        for bucket in some {
          let isPresent = counts[bucket] > 0
          if isPresent { present |= 1 << UInt64(bucket - start) }
          span.append(isPresent ? Self.word(held, function, bucket) : 0)
        }
      }
      column.presentCount += present.nonzeroBitCount
      column.validity.append(present)
    }
    if column.presentCount == buckets.count { column.validity = [] }
    return column
  }

  private static func time(_ held: BucketAccumulators, _ function: AggregateFunction, _ bucket: Int) -> Int64
  {
    switch function {
    case .min: held.minimum(bucket).timestamp
    case .max: held.maximum(bucket).timestamp
    case .first: held.first(bucket).timestamp
    default: held.last(bucket).timestamp
    }
  }

  private static func word(_ held: BucketAccumulators, _ function: AggregateFunction, _ bucket: Int) -> UInt64
  {
    switch function {
    case .count: UInt64(held.counts[bucket])
    case .sum:
      held.type == .float
        ? held.sum(bucket).bitPattern : UInt64(truncatingIfNeeded: held.integerSum(bucket))
    case .mean: held.mean(bucket).bitPattern
    case .min: held.minimum(bucket).word
    case .max: held.maximum(bucket).word
    case .first: held.first(bucket).word
    case .last: held.last(bucket).word
    default: spread(held.minimum(bucket).word, held.maximum(bucket).word, held.type)
    }
  }

  private static func spread(_ low: UInt64, _ high: UInt64, _ type: FieldType) -> UInt64 {
    type == .float ? (Double(bitPattern: high) - Double(bitPattern: low)).bitPattern : high &- low
  }
}

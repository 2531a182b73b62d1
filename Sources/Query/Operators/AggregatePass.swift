import LineProtocol
import Storage

/// Accumulates columns by group and time bucket: the sink of aggregates that need no rows kept.
final class AggregatePass: ScanSink {
  private let columns: [AggregateColumn]
  private let grid: TimeGrid
  private let limits: QueryLimits
  private(set) var groups: GroupTable
  /// What is gathered of groups that follow one another, `groupsPerSlab` but in the last slab; in each by column.
  private var slabs: [[BucketAccumulators]] = []
  private let groupsPerSlab: Int
  /// The slab of the present series' group, and its place there.
  private var slab = 0
  private var group = 0
  /// Groups that have their buckets.
  private var groupCount = 0
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
    groupsPerSlab = max(1, Self.slabBucketCount / max(grid.count, 1))
  }

  /// Buckets of a slab: groups of few are held together, one of more has its own, which is let go of by itself.
  private static let slabBucketCount = 4_096

  // MARK: Sink

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    try choose(groups.number(of: tags))
    return true
  }

  /// Makes a group the present one, with buckets if it is new.
  private func choose(_ number: Int) throws {
    (slab, group) = number.quotientAndRemainder(dividingBy: groupsPerSlab)
    guard number == groupCount else { return }
    try makeRoom()
    groupCount += 1
    if group > 0 {
      for index in columns.indices { slabs[slab][index].appendGroup() }
      return
    }
    var check = InterruptCheck(isInterrupted)
    var made: [BucketAccumulators] = []
    for column in columns {
      made.append(BucketAccumulators(column.aggregates, type: column.column.type, bucketing: grid.bucketing))
      try check.pass(grid.count)
    }
    slabs.append(made)
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

  /// The bucket that a stretch lies in, counted over all groups of the slab, where all that is asked can be told without the times of its
  /// rows.
  private func wholeBucket(of span: RowGroupSpan) -> Int? {
    guard takesStatistics else { return nil }
    let times = span.firstTimestamp &+ offset...max(span.firstTimestamp, span.lastTimestamp) &+ offset
    return grid.bucketing.index(ofAll: times).map { group * grid.bucketing.count + $0 }
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
    for (index, one) in known.enumerated() { _ = slabs[slab][index].add(one, bucket: bucket) }
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
    for (index, one) in values.enumerated() { _ = slabs[slab][index].add(one, bucket: bucket) }
    return true
  }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    if offset != 0 {
      shifted = copy batch
      for index in shifted.timestamps.indices { shifted.timestamps[index] &+= offset }
      for (index, column) in columns.enumerated() {
        slabs[slab][index].add(shifted, column: column.slot, selection: selection, group: group)
      }
    } else {
      for (index, column) in columns.enumerated() {
        slabs[slab][index].add(batch, column: column.slot, selection: selection, group: group)
      }
    }
    return true
  }

  func endWindow() throws -> Bool { true }

  // MARK: Joining and answers

  /// What a pass has gathered, to be handed from thread to thread.
  struct Gathered: Sendable {
    fileprivate var groups: GroupTable
    fileprivate var slabs: [[BucketAccumulators]]
  }

  var gathered: Gathered { Gathered(groups: groups, slabs: slabs) }

  /// Takes in what another pass of the same columns and grid has gathered.
  func merge(_ other: Gathered) throws {
    var check = InterruptCheck(isInterrupted)
    for index in 0..<other.groups.count {
      try check.pass(columns.count * max(grid.count, 1))
      let (theirs, place) = index.quotientAndRemainder(dividingBy: groupsPerSlab)
      let number = groups.number(of: index, in: other.groups)
      if groupsPerSlab == 1, number == groupCount {
        try makeRoom()
        groupCount += 1
        slabs.append(other.slabs[theirs])
        continue
      }
      try choose(number)
      for column in columns.indices { slabs[slab][column].merge(other.slabs[theirs][column], group: place, into: group) }
    }
  }

  /// Lets go of what was gathered of a group, whose answer was made, as those of the groups before it: both at once would be twice the
  /// memory.
  func release(_ group: Int) {
    if (group + 1) % groupsPerSlab == 0 { slabs[group / groupsPerSlab] = [] }
  }

  /// The times of all buckets: one array, which all streams share; empty until it is asked for.
  private var bucketTimes: [Int64] = []

  /// The values of a call over the buckets of a group, in time order; empty if no bucket has a value.
  func stream(_ function: AggregateFunction, column: Int, group: Int, keepsTime: Bool) throws(QueryFailure) -> Stream {
    let held = slabs[group / groupsPerSlab][column]
    let all = held.buckets(of: group % groupsPerSlab)
    guard let first = held.counts[all].firstIndex(where: { $0 > 0 }) else {
      return Stream(function.answerType(for: held.type))
    }
    let isGrid = grid.bucketing.width > 0
    let buckets = (isGrid ? all.lowerBound : first)..<all.upperBound
    let sharesTimes = isGrid && !keepsTime && all.count == grid.count
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
      stream.times.append(keepsTime ? Self.time(held, function, bucket) : grid.time(of: bucket - all.lowerBound))
    }
    return stream
  }

  /// The value of a call of each group, by number, where groups have one bucket; null where one has none. And the times.
  func rows(_ function: AggregateFunction, column: Int, keepsTime: Bool) throws(QueryFailure) -> (times: [Int64], column: Column) {
    var out = Column.absent(function.answerType(for: columns[column].column.type))
    var times: [Int64] = []
    times.reserveCapacity(groupCount)
    var check = InterruptCheck(isInterrupted)
    for slab in slabs {
      let held = slab[column]
      for place in 0..<held.groupCount {
        try check.pass()
        Self.append(held, function, place, to: &out, rowCount: times.count)
        times.append(keepsTime ? Self.time(held, function, place) : grid.time(of: 0))
      }
    }
    return (times, out)
  }

  private func texts(
    _ held: BucketAccumulators, _ function: AggregateFunction, _ buckets: Range<Int>, _ check: inout InterruptCheck
  ) throws(QueryFailure) -> Column {
    var column = Column.absent(function.answerType(for: held.type))
    for (row, bucket) in buckets.enumerated() {
      try check.pass()
      Self.append(held, function, bucket, to: &column, rowCount: row)
    }
    return column
  }

  /// Appends a bucket's value; null where it has none.
  private static func append(
    _ held: BucketAccumulators, _ function: AggregateFunction, _ bucket: Int, to column: inout Column, rowCount: Int
  ) {
    if held.counts[bucket] == 0 {
      column.appendNull(rowCount: rowCount)
    } else if held.type == .string, function == .first || function == .last {
      column.append(text: function == .first ? held.firstString(bucket) : held.lastString(bucket), rowCount: rowCount)
    } else {
      column.append(word: word(held, function, bucket), rowCount: rowCount)
    }
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

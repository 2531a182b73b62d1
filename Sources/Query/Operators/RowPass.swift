import LineProtocol
import Storage

/// Keeps the rows of each group: the sink of raw selects, and of calls that need the points themselves.
final class RowPass: ScanSink {
  private let contents: [RowContent]
  private let slots: [Int?]
  /// Scan columns of which one at least must have a value in a row.
  private let required: [Int]
  private let isDescending: Bool
  /// Rows a group needs at most.
  private let limit: Int?
  private let limits: QueryLimits
  /// The contents that order rows of one time.
  private let ties: [Int]
  /// The rows are the answer of a subquery.
  private let isDerived: Bool
  /// A row of a subquery is one, whatever it has.
  private let keepsAll: Bool
  private(set) var groups: GroupTable
  private(set) var buffers: [RowBuffer] = []
  /// By group: rows that come later than this are not needed in the window under way.
  private var bounds: [Int64?] = []
  private var touched: [Int] = []
  private var isTouched: [Bool] = []
  private var group = 0
  private var rank = 0
  private var tags: SeriesTags
  private var takenOfSeries = 0
  private var texts: [Range<Int>]
  private let tagPlaces: TagPlaces
  private var totalCount = 0
  /// By group: what its rows were last counted to take.
  private var counted: [Int] = []
  /// Asked while rows are put in order, which then fails: what is held is of no worth.
  var isInterrupted: () -> Bool = { false }
  /// Takes all rows when as many are held as the limits allow; where there is none, more are refused.
  var onFull: ((RowPass) throws -> Void)?
  /// Rows are in order only when their window is done: where one has more than may be held, `Full` is thrown.
  var isOrdered = false
  /// The groups that are gathered, where not all can be held at once; fewer when they turn out to be too many.
  var choice: GroupChoice?
  /// Windows done.
  private(set) var windowCount = 0
  private var heldByteCount = 0
  /// Memory of rows that are let go of is not kept for others: it became too much.
  private var isMemoryFreed = false

  struct Full: Error {}

  init(
    _ contents: [RowContent], ties: [Int] = [], tagKeys: [[UInt8]], isDescending: Bool, limit: Int?,
    limits: QueryLimits, isDerived: Bool, keepsEmptyRows: Bool = false
  ) {
    self.contents = contents
    self.ties = ties
    self.isDerived = isDerived
    self.isDescending = isDescending
    self.limit = limit
    self.limits = limits
    groups = GroupTable(tagKeys: tagKeys)
    tags = SeriesTags([], 0..<0)
    slots = contents.map(\.slot)
    required = Array(Set(slots.compactMap { $0 })).sorted()
    keepsAll = isDerived && keepsEmptyRows
    texts = Array(repeating: 0..<0, count: contents.count)
    tagPlaces = TagPlaces(contents)
  }

  func begin(_ tags: SeriesTags, rank: Int) throws -> Bool {
    if let choice, !choice.includes(tags) { return false }
    group = groups.number(of: tags)
    if group == buffers.count {
      guard groups.count <= limits.groupCountMax else {
        throw QueryFailure("max-select-series limit exceeded: (\(groups.count)/\(limits.groupCountMax))")
      }
      buffers.append(makeBuffer())
      bounds.append(nil)
      isTouched.append(false)
      counted.append(0)
      try limits.account.add(Self.groupByteCount + contents.count * Self.columnByteCount)
    }
    if let limit, buffers[group].sortedCount >= limit { return false }
    self.rank = rank
    self.tags = tags
    takenOfSeries = 0
    tagPlaces.visit(tags) { texts[$0] = $1 ?? 0..<0 }
    return true
  }

  var wantsLastRow: Bool { isDescending && limit == 1 && takenOfSeries == 0 }

  func takeStatistics(of span: RowGroupSpan, _ scanner: SeriesScanner) throws -> Bool { false }

  func wants(_ span: RowGroupSpan) -> Bool {
    guard let bound = bounds[group] else { return true }
    return isDescending ? span.lastTimestamp >= bound : span.firstTimestamp <= bound
  }

  func take(_ batch: borrowing ColumnBatch, selection: [UInt64]?) throws -> Bool {
    var rows = chosen(batch, selection)
    var count = rows?.count ?? batch.count
    guard count > 0 else { return true }
    if let limit, count > limit - takenOfSeries {
      // No series gives more rows than the group needs.
      let all = rows ?? Array(0..<count)
      count = limit - takenOfSeries
      rows = isDescending ? Array(all.suffix(count)) : Array(all.prefix(count))
    }
    buffers[group].append(batch, rows: rows, rank: rank, tags: tags, slots: slots, texts: texts)
    if !isTouched[group] {
      isTouched[group] = true
      touched.append(group)
    }
    totalCount += count
    takenOfSeries += count
    do throws(QueryFailure) { try account(for: group) } catch {
      // Who takes the rows makes room.
      guard onFull != nil || choice != nil else { throw error }
      if try !makeRoom() { return false }
    }
    if heldByteCount > limits.heldByteCountMax, try !makeRoom() { return false }
    guard let limit else {
      if totalCount > limits.rowCountMax { return try makeRoom() }
      return true
    }
    if buffers[group].count > 2 * limit + 4096 {
      bounds[group] = try buffers[group].prune(
        isDescending: isDescending, limit: limit, isInterrupted: isInterrupted)
      try account(for: group)
    }
    return takenOfSeries < limit
  }

  /// What a group without rows takes, and each of its columns.
  private static let groupByteCount = 512
  private static let columnByteCount = 128

  /// Counts the memory of a group's rows: twice, since they are copied where series are merged, and again into the answer.
  private func account(for group: Int) throws(QueryFailure) {
    let now = 2 * buffers[group].memoryByteCount
    try limits.account.add(now - counted[group])
    heldByteCount += now - counted[group]
    counted[group] = now
  }

  /// Lets go of rows; `false` where the present group is no longer gathered.
  private func makeRoom() throws -> Bool {
    if isOrdered {
      isMemoryFreed = true
      throw Full()
    }
    if let choice, onFull == nil {
      try evict(choice)
      return buffers[group].count > 0
    }
    try empty()
    return true
  }

  /// Passes over the groups that come last, so that about half of what is held is kept.
  private func evict(_ choice: GroupChoice) throws {
    let filled = try groups.sorted(unless: isInterrupted).filter { buffers[$0].count > 0 }
    let order = choice.isDescending ? filled.reversed() : filled
    let total = order.reduce(0) { $0 + counted[$1] }
    var kept = 0
    let cut = order.firstIndex { group in
      kept += counted[group]
      return kept > total / 2
    }
    // The first alone may be too much: then it is answered by itself.
    let first = order.count == 1 ? 0 : max(1, cut ?? 1)
    choice.end(before: groups.values(order[first]), isAlone: order.count == 1)
    for group in order[first...] { try clear(group) }
  }

  /// Forgets the rows of a group.
  private func clear(_ group: Int) throws(QueryFailure) {
    guard buffers[group].count > 0 || isMemoryFreed && counted[group] > 0 else { return }
    totalCount -= buffers[group].count
    if isOrdered, !isMemoryFreed { buffers[group].removeAll() } else { buffers[group] = makeBuffer() }
    try account(for: group)
  }

  private func makeBuffer() -> RowBuffer { RowBuffer(types: contents.map(\.type), ties: ties, isRanked: isDerived) }

  /// The times of the rows of the window under way, of one group of them.
  var freshTimes: [Int64] { touched.first.map { Array(buffers[$0].freshTimestamps) } ?? [] }

  /// Forgets the rows of the window under way.
  func discardWindow() throws {
    for group in touched {
      let count = buffers[group].count
      try buffers[group].discardFresh(isInterrupted: isInterrupted)
      totalCount -= count - buffers[group].count
      if isMemoryFreed, buffers[group].count == 0 {
        buffers[group] = makeBuffer()
        try account(for: group)
      }
      isTouched[group] = false
    }
    touched.removeAll(keepingCapacity: true)
  }

  /// Forgets all rows, and gives their memory back.
  func release() throws {
    isMemoryFreed = true
    for group in buffers.indices { try clear(group) }
    try limits.account.add(-groups.count * (Self.groupByteCount + contents.count * Self.columnByteCount))
    totalCount = 0
  }

  /// Rows held.
  var heldRowCount: Int { totalCount }

  /// The rows that are selected and have a value in a required column; `nil`: all.
  private func chosen(_ batch: borrowing ColumnBatch, _ selection: [UInt64]?) -> [Int]? {
    batch.chosen(required, keepsAll: keepsAll, selection).map(Validity.rows)
  }

  /// Gives all rows to `onFull` and holds none.
  func empty() throws {
    guard let onFull else {
      throw QueryFailure(
        "max-select-point limit exceeded: more than \(limits.rowCountMax) rows", isLimit: true)
    }
    for group in touched { try settle(group) }
    try onFull(self)
    for group in buffers.indices { try clear(group) }
    isMemoryFreed = false
    totalCount = 0
  }

  /// Rows that are handed on part by part are put in order then.
  private func settle(_ group: Int) throws(QueryFailure) {
    try buffers[group].settle(
      isDescending: isDescending, limit: limit, isMoved: onFull == nil || !isOrdered, isInterrupted: isInterrupted)
  }

  func endWindow() throws -> Bool {
    for group in touched {
      try settle(group)
      bounds[group] = nil
      isTouched[group] = false
    }
    touched.removeAll(keepingCapacity: true)
    if isInterrupted() { throw QueryFailure.interrupted }
    windowCount += 1
    if isOrdered, totalCount >= limits.pieceRowCountMax { try empty() }
    guard let limit, groups.tagKeys.isEmpty, let only = buffers.first else { return true }
    return only.sortedCount < limit
  }
}

import LineProtocol
import Storage

/// Rows of one group, kept: of several series, merged by time window after window.
struct RowBuffer {
  private(set) var timestamps: [Int64] = []
  /// The place of each row's series in its window, which decides among rows of one time.
  private var ranks: [UInt32] = []
  /// The series of the window under way that have rows: ranks ascending.
  private var series: [(rank: UInt32, tags: SeriesTags)] = []
  private(set) var columns: [Column]
  /// The rows in order, where they were not moved: see `settle`.
  private var order: [Int]?
  /// Rows that are in order; those past it are of the window under way.
  private(set) var sortedCount = 0
  /// The columns that order rows of one time in a merge of series.
  private let ties: [Int]
  /// Whether rows of one time come in the order of ranks in every window.
  private let isRankedAlways: Bool
  /// Whether they do in the window under way.
  private var isRanked: Bool
  /// Whether `ties` are the same in all rows of a series, up to the first column that is no text.
  private var isTiedBySeries: Bool?

  /// - Parameters:
  ///   - ties: the columns that order rows of one time, as `SeriesMerge` says.
  ///   - isRanked: rows of one time come in the order of ranks instead, as those of InfluxDB's subqueries.
  init(types: [FieldType], ties: [Int], isRanked: Bool) {
    columns = types.map(Column.absent)
    self.ties = ties
    isRankedAlways = isRanked
    self.isRanked = isRanked
  }

  var count: Int { timestamps.count }

  /// Bytes of memory taken, used or not.
  var memoryByteCount: Int {
    columns.reduce(timestamps.capacity * 8 + ranks.capacity * 4) {
      $0 + $1.values.capacity * 8 + $1.bytes.capacity + $1.validity.capacity * 8
    }
  }

  /// Of the rows that are not in order yet.
  var freshTimestamps: ArraySlice<Int64> { timestamps[sortedCount...] }

  /// Appends rows of a batch. `slots[i]` is the batch's column of column `i`; one that is `nil` gets the text that lies at `texts[i]` in
  /// `tags.bytes` in each row, or nothing where that is empty. The series' tags are asked for with its first rows.
  mutating func append(
    _ batch: borrowing ColumnBatch, rows: [Int]?, rank: Int, tags: SeriesTags, slots: [Int?],
    texts: [Range<Int>]
  ) {
    let before = count
    if isTiedBySeries == nil {
      isTiedBySeries = ties.prefix { columns[$0].key.type == .string }.allSatisfy { slots[$0] == nil }
    }
    let added = rows?.count ?? batch.count
    if let rows {
      timestamps.reserveCapacity(before + added)
      for row in rows { timestamps.append(batch.timestamps[row]) }
    } else {
      timestamps.append(contentsOf: batch.timestamps)
    }
    let rank = UInt32(truncatingIfNeeded: rank)
    ranks.append(contentsOf: repeatElement(rank, count: added))
    if series.last?.rank != rank { series.append((rank, tags)) }
    for index in columns.indices {
      if let slot = slots[index] {
        columns[index].append(batch.columns[slot], rows: rows, rowCount: before, added: added)
      } else if !texts[index].isEmpty {
        columns[index].append(repeating: tags.bytes[texts[index]], rowCount: before, added: added)
      } else {
        columns[index].appendNulls(rowCount: before, added: added)
      }
    }
  }

  /// Puts the rows of the window under way in order; they then follow those of the windows before. At most `limit` of all
  /// stay.
  ///
  /// - Parameters:
  ///   - isMoved: else the rows stay where they are, and only `part` gives them in order.
  ///   - isInterrupted: asked all along; it then fails, and the rows are of no worth.
  mutating func settle(
    isDescending: Bool, limit: Int?, isMoved: Bool = true, isInterrupted: @escaping () -> Bool = { false }
  ) throws(QueryFailure) {
    let fresh = sortedCount..<count
    if fresh.isEmpty { return }
    if fresh.count == 1, limit.map({ count <= $0 }) ?? true {
      // One row is in order.
      order? += fresh
    } else if isRanked {
      try sortByRank(isDescending: isDescending, limit: limit, isInterrupted)
    } else if isDescending || !hasRisingTimes(fresh) || (limit.map { $0 < count } ?? false) {
      let merged = try SeriesMerge.merge(
        rowsBySeries(fresh, isDescending: isDescending, isInterrupted), times: timestamps, ties: ties.map { columns[$0] },
        isTiedBySeries: isTiedBySeries ?? false, isDescending: isDescending, limit: limit.map { max(0, $0 - sortedCount) }, isInterrupted: isInterrupted)
      let rows = (order ?? Array(0..<sortedCount)) + merged
      if isMoved { try keep(rows, isInterrupted) } else { order = rows }
    } else {
      order? += fresh
    }
    sortedCount = count
    isRanked = isRankedAlways
    series.removeAll(keepingCapacity: true)
  }

  /// The rows of each series, both in the order of the answer; InfluxDB orders series by their text.
  private func rowsBySeries(
    _ rows: Range<Int>, isDescending: Bool, _ isInterrupted: @escaping () -> Bool
  ) throws(QueryFailure) -> [[Int]] {
    var check = InterruptCheck(isInterrupted)
    var all: [[Int]] = []
    var start = rows.lowerBound
    while start < rows.upperBound {
      var end = start + 1
      var isSorted = true
      while end < rows.upperBound, ranks[end] == ranks[start] {
        if timestamps[end - 1] > timestamps[end] { isSorted = false }
        end += 1
      }
      var run = Array(start..<end)
      try check.pass(run.count)
      if !isSorted { run = try run.sorted(unless: isInterrupted) { timestamps[$0] < timestamps[$1] } }
      if isDescending { run.reverse() }
      all.append(run)
      start = end
    }
    let texts = series.map(\.tags.text)
    let isInOrder = zip(texts, texts.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
    if !isInOrder, all.count == series.count {
      let order = try series.indices.sorted(unless: isInterrupted) { texts[$0].lexicographicallyPrecedes(texts[$1]) }
      all = order.map { all[$0] }
    }
    if isDescending { all.reverse() }
    return all
  }

  /// Orders the rows of the window under way by time and rank.
  private mutating func sortByRank(
    isDescending: Bool, limit: Int?, _ isInterrupted: @escaping () -> Bool
  ) throws(QueryFailure) {
    let fresh = sortedCount..<count
    if isDescending || !isAscending(fresh) || (limit.map { $0 < count } ?? false) {
      var order = Array(fresh)
      if !isAscending(fresh) {
        order = try order.sorted(unless: isInterrupted) { a, b in
          if timestamps[a] != timestamps[b] { return timestamps[a] < timestamps[b] }
          return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : a < b
        }
      }
      if isDescending { order.reverse() }
      if let limit { order.removeLast(max(0, order.count - max(0, limit - sortedCount))) }
      try keep(Array(0..<sortedCount) + order, isInterrupted)
    }
  }

  /// Cuts the rows of the window under way to the `limit` that come first; returns the time of the last that stays.
  ///
  /// Rows of one time are in the order of ranks in this window from then on: the merge needs every series whole.
  mutating func prune(
    isDescending: Bool, limit: Int, isInterrupted: @escaping () -> Bool = { false }
  ) throws(QueryFailure) -> Int64? {
    let start = sortedCount
    isRanked = true
    try sortByRank(isDescending: isDescending, limit: limit, isInterrupted)
    if isDescending, start < count {
      // Back to ascending, as rows of a window under way are.
      try keep(Array(0..<start) + (start..<count).reversed(), isInterrupted)
    }
    guard count >= limit, start < count else { return nil }
    return isDescending ? timestamps[start] : timestamps[count - 1]
  }

  /// Forgets the rows of the window under way.
  mutating func discardFresh(isInterrupted: @escaping () -> Bool) throws(QueryFailure) {
    let kept = order ?? Array(0..<sortedCount)
    if kept.count < count { try keep(kept, isInterrupted) }
    series.removeAll(keepingCapacity: true)
    isRanked = isRankedAlways
  }

  private func hasRisingTimes(_ rows: Range<Int>) -> Bool {
    for row in rows.dropFirst() where timestamps[row - 1] >= timestamps[row] { return false }
    return true
  }

  private func isAscending(_ rows: Range<Int>) -> Bool {
    for row in rows.dropFirst() {
      if timestamps[row - 1] > timestamps[row] { return false }
      if timestamps[row - 1] == timestamps[row], ranks[row - 1] > ranks[row] { return false }
    }
    return true
  }

  private mutating func keep(_ rows: [Int], _ isInterrupted: @escaping () -> Bool) throws(QueryFailure) {
    var check = InterruptCheck(isInterrupted)
    timestamps = rows.map { timestamps[$0] }
    ranks = rows.map { ranks[$0] }
    for index in columns.indices {
      try check.pass(rows.count)
      columns[index] = columns[index].gathered(rows)
    }
    order = nil
  }

  /// Some of the rows that are in order.
  ///
  /// - Parameter byteCountMax: of a column whose strings have no more bytes in all these are not copied.
  func part(_ range: Range<Int>, sharing byteCountMax: Int) -> (times: [Int64], columns: [Column]) {
    guard let order else {
      if range == 0..<count { return (timestamps, columns) }
      return (Array(timestamps[range]), columns.map { $0.part(range, count: count, sharing: byteCountMax) })
    }
    let rows = Array(order[range])
    return (rows.map { timestamps[$0] }, columns.map { $0.part(rows, sharing: byteCountMax) })
  }

  /// Forgets all rows, keeps the memory.
  mutating func removeAll() {
    timestamps.removeAll(keepingCapacity: true)
    ranks.removeAll(keepingCapacity: true)
    series.removeAll(keepingCapacity: true)
    for index in columns.indices { columns[index].reset() }
    (order, sortedCount, isRanked) = (nil, 0, isRankedAlways)
  }

  /// Forgets how rows are ordered among equals; no rows come after this.
  mutating func finish() { ranks = [] }
}

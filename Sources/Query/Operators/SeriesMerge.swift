import LineProtocol
import Storage

/// Merges the rows of several series by time; among rows of one time the order is InfluxDB's.
///
/// InfluxDB keeps the next row of each series in a binary heap (`floatSortedMergeIterator` in its `query/iterator.gen.go`,
/// over Go's `container/heap`): the first row is popped, its series' next one pushed. Rows of one time are ordered by the
/// selected tags and string fields, in the order of their names, up to the first column that is of another type or has no
/// value; beyond that by nothing, so that the heap's steps decide. With `LIMIT` that decides which rows an answer has.
/// These are the same steps in the same order; `n` rows of `k` series cost `n log k`.
struct SeriesMerge {
  /// The next row of a series.
  private struct Entry {
    /// The time, or its complement where the order is descending: smaller comes first.
    var key: Int64
    var row: Int
    var run: Int
  }

  private var heap: [Entry] = []
  private let ties: [Column]
  private let isDescending: Bool
  private let runCount: Int
  /// For each two series how rows of one time are ordered, where all rows of a series have the same ties: found once, at the first two rows
  /// that meet. Empty where they do not, or where there are too many series.
  private var known: [Tie] = []

  private enum Tie: UInt8 { case unknown, broken, unbroken }

  /// Series of which the order of each two is remembered.
  private static let knownCountMax = 1_024

  private init(ties: [Column], isDescending: Bool, runCount: Int, isTiedBySeries: Bool) {
    self.ties = ties
    self.isDescending = isDescending
    self.runCount = runCount
    if isTiedBySeries, !ties.isEmpty, runCount <= Self.knownCountMax {
      known = Array(repeating: .unknown, count: runCount * runCount)
    }
  }

  /// The first `limit` rows in order; `nil`: all.
  ///
  /// - Parameters:
  ///   - rows: the rows of each series in the order of the answer, the series in that order too: descending times and the
  ///     reverse of canonical order where `isDescending`.
  ///   - ties: the columns that order rows of one time.
  ///   - isTiedBySeries: in all rows of a series these are the same.
  ///   - isInterrupted: asked all along; it then fails.
  static func merge(
    _ rows: [[Int]], times: [Int64], ties: [Column], isTiedBySeries: Bool = false, isDescending: Bool, limit: Int?,
    isInterrupted: @escaping () -> Bool = { false }
  ) throws(QueryFailure) -> [Int] {
    let total = rows.reduce(0) { $0 + $1.count }
    let wanted = min(limit ?? total, total)
    if rows.count == 1 { return Array(rows[0].prefix(wanted)) }
    var merge = SeriesMerge(
      ties: ties, isDescending: isDescending, runCount: rows.count, isTiedBySeries: isTiedBySeries)
    var next = Array(repeating: 0, count: rows.count)
    var out: [Int] = []
    out.reserveCapacity(wanted)
    if isTiedBySeries, let order = merge.order(of: rows) {
      var sweep = SeriesSweep(rows, order, times: times, isDescending: isDescending)
      try sweep.run(into: &out, wanted: wanted, isInterrupted: isInterrupted)
      if out.count == wanted { return out }
      next = sweep.taken
    }
    func entry(_ run: Int) -> Entry? {
      guard next[run] < rows[run].count else { return nil }
      let row = rows[run][next[run]]
      next[run] += 1
      return Entry(key: isDescending ? ~times[row] : times[row], row: row, run: run)
    }
    merge.heap = rows.indices.compactMap(entry)
    for index in stride(from: merge.heap.count / 2 - 1, through: 0, by: -1) {
      merge.sink(index, count: merge.heap.count)
    }
    var check = InterruptCheck(isInterrupted)
    while out.count < wanted {
      try check.pass()
      let first = merge.pop()
      out.append(first.row)
      if let entry = entry(first.run) { merge.push(entry) }
    }
    return out
  }

  /// The series in the order of their rows of one time; `nil` where that is not the same for all these.
  private func order(of rows: [[Int]]) -> [Int]? {
    let texts = ties.prefix { $0.key.type == .string }
    guard !texts.isEmpty else { return nil }
    var keys: [[ArraySlice<UInt8>]] = []
    for run in rows {
      guard let first = run.first, texts.allSatisfy({ $0.isPresent(first) }) else { return nil }
      keys.append(texts.map { $0.string(first) })
    }
    func precedes(_ a: Int, _ b: Int) -> Bool {
      let (x, y) = isDescending ? (keys[b], keys[a]) : (keys[a], keys[b])
      for (one, other) in zip(x, y) where !one.elementsEqual(other) { return one.lexicographicallyPrecedes(other) }
      return false
    }
    let order = rows.indices.sorted(by: precedes)
    return zip(order, order.dropFirst()).allSatisfy(precedes) ? order : nil
  }

  /// `Pop` of `container/heap`.
  private mutating func pop() -> Entry {
    let last = heap.count - 1
    heap.swapAt(0, last)
    sink(0, count: last)
    return heap.removeLast()
  }

  /// `Push`.
  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard precedes(child, parent) else { return }
      heap.swapAt(parent, child)
      child = parent
    }
  }

  /// `down`.
  private mutating func sink(_ start: Int, count: Int) {
    var parent = start
    while true {
      var child = 2 * parent + 1
      guard child < count else { return }
      if child + 1 < count, precedes(child + 1, child) { child += 1 }
      guard precedes(child, parent) else { return }
      heap.swapAt(parent, child)
      parent = child
    }
  }

  private mutating func precedes(_ a: Int, _ b: Int) -> Bool {
    let (x, y) = (heap[a], heap[b])
    if x.key != y.key { return x.key < y.key }
    if ties.isEmpty { return false }
    if known.isEmpty { return isTieBroken(x.row, y.row) }
    let place = x.run * runCount + y.run
    if known[place] == .unknown { known[place] = isTieBroken(x.row, y.row) ? .broken : .unbroken }
    return known[place] == .broken
  }

  /// Whether row `a` comes before row `b` of the same time.
  private func isTieBroken(_ a: Int, _ b: Int) -> Bool {
    for column in ties {
      guard column.key.type == .string, column.isPresent(a), column.isPresent(b) else { return false }
      let (x, y) = (column.string(a), column.string(b))
      if x.elementsEqual(y) { continue }
      return isDescending ? y.lexicographicallyPrecedes(x) : x.lexicographicallyPrecedes(y)
    }
    return false
  }
}

/// Merges rows of series of which each two have an order at one time: goes over all series for each time.
///
/// Series that are sampled together have many rows of one time; then a row costs a comparison, and no heap.
struct SeriesSweep {
  /// The rows of all series, one after another, and where the next one and the end of each lie.
  private let rows: [Int]
  private let starts: [Int]
  private let ends: [Int]
  private var cursors: [Int]
  /// The time of each series' next row, or its complement where the order is descending.
  private var keys: [Int64]
  private let order: [Int]
  private let times: [Int64]
  private let flip: Int64

  /// Looks at series that a row may cost, on the average; beyond that a heap is better.
  private static let looksPerRowMax = 24

  /// - Parameter order: the series as their rows of one time are ordered.
  init(_ rows: [[Int]], _ order: [Int], times: [Int64], isDescending: Bool) {
    var (all, starts, ends) = ([Int](), [Int](), [Int]())
    all.reserveCapacity(rows.reduce(0) { $0 + $1.count })
    for series in order {
      starts.append(all.count)
      all += rows[series]
      ends.append(all.count)
    }
    let flip: Int64 = isDescending ? -1 : 0
    keys = zip(starts, ends).map { $0 < $1 ? times[all[$0]] ^ flip : .max }
    cursors = starts
    (self.rows, self.starts, self.ends, self.order, self.times, self.flip) = (all, starts, ends, order, times, flip)
  }

  /// How many rows of each series were taken.
  var taken: [Int] {
    var counts = Array(repeating: 0, count: order.count)
    for (place, series) in order.enumerated() { counts[series] = cursors[place] - starts[place] }
    return counts
  }

  /// Appends rows in order until there are as many as wanted, or until a heap would do better.
  mutating func run(
    into out: inout [Int], wanted: Int, isInterrupted: @escaping () -> Bool
  ) throws(QueryFailure) {
    var lookCount = 0
    var low = keys.min() ?? .max
    var check = InterruptCheck(isInterrupted)
    while out.count < wanted, lookCount <= Self.looksPerRowMax * (out.count + 4 * keys.count) {
      try check.pass(keys.count)
      lookCount += keys.count
      low = take(low, into: &out, wanted: wanted)
    }
  }

  /// Appends the rows of one time; returns the next one.
  @inline(__always)
  private mutating func take(_ low: Int64, into out: inout [Int], wanted: Int) -> Int64 {
    var next = Int64.max
    for place in keys.indices {
      while keys[place] == low, cursors[place] < ends[place], out.count < wanted {
        out.append(rows[cursors[place]])
        cursors[place] += 1
        keys[place] = cursors[place] < ends[place] ? times[rows[cursors[place]]] ^ flip : .max
      }
      next = min(next, keys[place])
    }
    return next
  }
}

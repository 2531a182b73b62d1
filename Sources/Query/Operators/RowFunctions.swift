import LineProtocol
import Storage

/// Aggregates that need the points themselves, over the kept rows of one group, ascending by time.
struct RowFunctions {
  let rows: RowBuffer
  /// The column that the function reads.
  let column: Column
  /// Columns that the points a selector picks bring along.
  let auxiliaries: [Column]
  let grid: TimeGrid
  /// Whether the answer is read from its end: the last point of a value is then the one that counts as distinct.
  var isDescending = false
  /// Asked by what takes long, which then fails.
  var isInterrupted: () -> Bool = { false }

  /// Scalar functions but `integral` answer a row for each bucket, without value where there is none.
  func stream(_ call: AggregateCall, tags: [Column], keepsTime: Bool) throws(QueryFailure) -> Stream {
    guard column.presentCount > 0 else {
      return Stream(call.function.answerType(for: column.key.type))
    }
    switch call.function {
    case .integral: return try integral(call.unit)
    case .top, .bottom: return try extremes(call, tags)
    case .distinct: return try distinct()
    case .sample: return try sample(call.count)
    default: return try scalar(call, keepsTime: keepsTime)
    }
  }

  // MARK: Buckets

  /// Calls `body` with each bucket and its rows that have a value, ascending; buckets without such are left out.
  private func eachBucket(
    _ body: (_ bucket: Int, _ rows: [Int]) throws(QueryFailure) -> Void
  ) throws(QueryFailure) {
    let times = rows.timestamps
    var row = 0
    while row < times.count {
      let time = times[row]
      let bucket = grid.bucket(of: time)
      if isInterrupted() { throw QueryFailure.interrupted }
      let end = grid.bucketing.width > 0 ? grid.time(of: bucket + 1) : .max
      let start = row
      row += 1
      while row < times.count, times[row] < end { row += 1 }
      guard bucket >= 0, bucket < grid.count else { continue }
      let present =
        column.validity.isEmpty ? Array(start..<row) : (start..<row).filter { column.isPresent($0) }
      if !present.isEmpty { try body(bucket, present) }
    }
  }

  private func scalar(_ call: AggregateCall, keepsTime: Bool) throws(QueryFailure) -> Stream {
    var stream = Stream(call.function.answerType(for: column.key.type))
    stream.auxiliaries = auxiliaries.map { Column(key: $0.key) }
    let isGrid = grid.bucketing.width > 0
    var check = InterruptCheck(isInterrupted)
    func fill(to bucket: Int) throws(QueryFailure) {
      while isGrid, stream.count < bucket {
        try check.pass()
        append(nil, at: grid.time(of: stream.count), to: &stream)
      }
    }
    try eachBucket { (bucket, rows) throws(QueryFailure) in
      try fill(to: bucket)
      if call.function.isSelector {
        let row = try selected(call, rows)
        let time = !isGrid && keepsTime ? row.map { self.rows.timestamps[$0] } : nil
        append(row, at: time ?? grid.time(of: bucket), to: &stream)
      } else {
        try appendValue(call.function, rows, at: grid.time(of: bucket), to: &stream)
      }
    }
    try fill(to: grid.count)
    return stream
  }

  /// Appends the value of a row and its auxiliaries, or nothing.
  private func append(_ row: Int?, at time: Int64, to stream: inout Stream) {
    let place = stream.count
    stream.times.append(time)
    Self.append(row, of: column, to: &stream.column, place)
    for index in auxiliaries.indices {
      Self.append(row, of: auxiliaries[index], to: &stream.auxiliaries[index], place)
    }
  }

  private static func append(_ row: Int?, of source: Column, to target: inout Column, _ place: Int) {
    guard let row, source.isPresent(row) else { return target.appendNull(rowCount: place) }
    if source.key.type == .string {
      target.append(text: source.string(row), rowCount: place)
    } else {
      target.append(word: source.values[row], rowCount: place)
    }
  }

  // MARK: Selectors

  private func selected(_ call: AggregateCall, _ rows: [Int]) throws(QueryFailure) -> Int? {
    let order = ValueOrder(column: column, isInterrupted: isInterrupted)
    switch call.function {
    case .min: return rows.dropFirst().reduce(rows[0]) { order.precedes($1, $0) ? $1 : $0 }
    case .max: return rows.dropFirst().reduce(rows[0]) { order.precedes($0, $1) ? $1 : $0 }
    case .first:
      let time = self.rows.timestamps[rows[0]]
      return rows.prefix { self.rows.timestamps[$0] == time }.reduce(rows[0]) {
        order.precedes($0, $1) ? $1 : $0
      }
    case .last:
      let end = rows[rows.count - 1]
      let time = self.rows.timestamps[end]
      return rows.reversed().prefix { self.rows.timestamps[$0] == time }.reduce(end) {
        order.precedes($0, $1) ? $1 : $0
      }
    default:
      let place = (Double(rows.count) * call.percentile / 100 + 0.5).rounded(.down) - 1
      guard place >= 0, place < Double(rows.count) else { return nil }
      return try order.sorted(rows)[Int(place)]
    }
  }

  /// `top` and `bottom`: the best points, by time; with tags the best of each combination of them first.
  private func extremes(_ call: AggregateCall, _ tags: [Column]) throws(QueryFailure) -> Stream {
    var stream = Stream(column.key.type)
    stream.auxiliaries = auxiliaries.map { Column(key: $0.key) }
    let order = ValueOrder(column: column, isInterrupted: isInterrupted)
    try eachBucket { (_, rows) throws(QueryFailure) in
      // Descending, equal ones by time, or ascending.
      var ranked =
        call.function == .top ? try descending(order.sorted(rows.reversed()), order) : try order.sorted(rows)
      if !tags.isEmpty { ranked = try firsts(of: tags, ranked) }
      // By time; those of one time stay as ranked.
      let times = self.rows.timestamps
      let best = ranked.prefix(call.count).enumerated().sorted { a, b in
        (times[a.element], a.offset) < (times[b.element], b.offset)
      }
      for (_, row) in best { append(row, at: times[row], to: &stream) }
    }
    return stream
  }

  /// The first row of each combination of tags.
  private func firsts(of tags: [Column], _ rows: [Int]) throws(QueryFailure) -> [Int] {
    var check = InterruptCheck(isInterrupted)
    var (seen, found) = (Set<[UInt8]>(), [Int]())
    for row in rows {
      try check.pass()
      var key: [UInt8] = []
      for tag in tags {
        if tag.isPresent(row) { key += tag.string(row) }
        key.append(0)
      }
      if seen.insert(key).inserted { found.append(row) }
    }
    return found
  }

  private func descending(_ ascending: [Int], _ order: ValueOrder) throws(QueryFailure) -> [Int] {
    var check = InterruptCheck(isInterrupted)
    var out: [Int] = []
    var end = ascending.count
    while end > 0 {
      var start = end - 1
      while start > 0, !order.precedes(ascending[start - 1], ascending[start]) { start -= 1 }
      try check.pass(end - start)
      out += ascending[start..<end].sorted()
      end = start
    }
    return out
  }

  /// `count` points of each bucket by chance, each as likely as any other, by time: J. S. Vitter's algorithm R.
  private func sample(_ count: Int) throws(QueryFailure) -> Stream {
    var stream = Stream(column.key.type)
    stream.auxiliaries = auxiliaries.map { Column(key: $0.key) }
    var check = InterruptCheck(isInterrupted)
    try eachBucket { (_, rows) throws(QueryFailure) in
      var chosen = Array(rows.prefix(count))
      for place in chosen.count..<rows.count {
        try check.pass()
        let drawn = Int.random(in: 0...place)
        if drawn < count { chosen[drawn] = rows[place] }
      }
      for row in chosen.sorted() { append(row, at: self.rows.timestamps[row], to: &stream) }
    }
    return stream
  }

  private func distinct() throws(QueryFailure) -> Stream {
    var stream = Stream(column.key.type)
    let order = ValueOrder(column: column, isInterrupted: isInterrupted)
    try eachBucket { (bucket, rows) throws(QueryFailure) in
      let times = self.rows.timestamps
      let found = try order.distinct(isDescending ? rows.reversed() : rows).sorted(unless: isInterrupted) {
        times[$0] != times[$1] ? times[$0] < times[$1] : order.precedes($0, $1)
      }
      for row in found { append(row, at: grid.time(of: bucket), to: &stream) }
    }
    return stream
  }

  // MARK: Values

  private func appendValue(
    _ function: AggregateFunction, _ rows: [Int], at time: Int64, to stream: inout Stream
  ) throws(QueryFailure) {
    let place = stream.count
    switch function {
    case .mode: return append(try mode(rows), at: time, to: &stream)
    case .countDistinct:
      stream.times.append(time)
      let found = try ValueOrder(column: column, isInterrupted: isInterrupted).distinct(rows)
      stream.column.append(word: UInt64(found.count), rowCount: place)
    case .median:
      stream.times.append(time)
      stream.column.append(word: try median(rows).bitPattern, rowCount: place)
    default:
      stream.times.append(time)
      if let value = try deviation(rows) {
        stream.column.append(word: value.bitPattern, rowCount: place)
      } else {
        stream.column.appendNull(rowCount: place)
      }
    }
  }

  private func number(_ row: Int) -> Double {
    switch column.key.type {
    case .float: Double(bitPattern: column.values[row])
    case .integer: Double(Int64(bitPattern: column.values[row]))
    default: Double(column.values[row])
    }
  }

  private func median(_ rows: [Int]) throws(QueryFailure) -> Double {
    let sorted = try rows.map(number).sorted(unless: isInterrupted, by: <)
    let middle = sorted.count / 2
    if sorted.count % 2 == 1 { return sorted[middle] }
    return sorted[middle - 1] + (sorted[middle] - sorted[middle - 1]) / 2
  }

  /// The sample's standard deviation, two passes; `nil` of a single value.
  private func deviation(_ rows: [Int]) throws(QueryFailure) -> Double? {
    guard rows.count > 1 else { return nil }
    var check = InterruptCheck(isInterrupted)
    var sum = CompensatedSum()
    for row in rows {
      try check.pass()
      sum.add(number(row))
    }
    let mean = sum.value / Double(rows.count)
    var squares = CompensatedSum()
    for row in rows {
      try check.pass()
      let distance = number(row) - mean
      squares.add(distance * distance)
    }
    return (squares.value / Double(rows.count - 1)).squareRoot()
  }

  /// A row of the most frequent value. Of several such values it is, as InfluxDB's, the lowest of those whose first point is
  /// not later than the last that was counted of one before it.
  private func mode(_ rows: [Int]) throws(QueryFailure) -> Int {
    let order = ValueOrder(column: column, isInterrupted: isInterrupted)
    let times = self.rows.timestamps
    let sorted = try order.sorted(rows)
    var check = InterruptCheck(isInterrupted)
    var (best, bestCount, bestTime) = (sorted[0], 0, times[sorted[0]])
    var (count, firstTime) = (0, bestTime)
    for (place, row) in sorted.enumerated() {
      try check.pass()
      if place > 0, order.precedes(sorted[place - 1], row) {
        // A value counts from its second point on; all alone the lowest wins.
        (count, firstTime) = (1, times[row])
        continue
      }
      count += 1
      let isTied = bestCount == count && (column.key.type == .boolean || firstTime > bestTime)
      if bestCount > count || isTied { continue }
      (best, bestCount, bestTime) = (row, count, times[row])
    }
    return best
  }

  /// The area under the points by trapezes; at a bucket's end the value is interpolated. Empty buckets are not filled.
  private func integral(_ unit: Int64) throws(QueryFailure) -> Stream {
    var stream = Stream(.float)
    let present = rows.timestamps.indices.filter { column.isPresent($0) }
    guard let start = present.first else { return stream }
    let isGrid = grid.bucketing.width > 0
    var current = grid.bucket(of: rows.timestamps[start])
    var (time, value, area) = (rows.timestamps[start], number(start), 0.0)
    func emit(_ bucket: Int) {
      let place = stream.count
      // InfluxDB dates an area of floats without buckets 0, whatever the bound.
      stream.times.append(isGrid || column.key.type != .float ? grid.time(of: bucket) : 0)
      stream.column.append(word: area.bitPattern, rowCount: place)
    }
    var check = InterruptCheck(isInterrupted)
    for row in present.dropFirst() {
      try check.pass()
      let (nextTime, next) = (rows.timestamps[row], number(row))
      if nextTime == time {
        value = next
        continue
      }
      let nextBucket = grid.bucket(of: nextTime)
      if isGrid, nextBucket != current {
        let end = grid.time(of: current + 1)
        if end != time {
          let atEnd = value + (next - value) * Double(end - time) / Double(nextTime - time)
          area += 0.5 * (value + atEnd) * Double(end - time) / Double(unit)
          (time, value) = (end, atEnd)
        }
        emit(current)
        (current, area) = (nextBucket, 0)
      }
      area += 0.5 * (value + next) * Double(nextTime - time) / Double(unit)
      (time, value) = (nextTime, next)
    }
    // A last point at the very start of its bucket has no area there.
    if !isGrid || time != grid.time(of: current) { emit(current) }
    return stream
  }
}

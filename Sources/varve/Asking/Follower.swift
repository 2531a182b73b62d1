import Glibc
import LineProtocol
import Query
import Storage

/// Asks a statement again and again and gives on what is new: `varve query --follow`.
///
/// Points come once each, in the order of their times within a round; late ones too, as long as they are no more than `lateness` behind the
/// newest. Stretches of time come when they are over, `settling` after their end, so that each comes once and whole.
struct Follower {
  private static let second: Int64 = 1_000_000_000
  private static let lateness = 60 * second
  private static let settling = second
  private let text: String
  private let shape: StatementShape
  private var options: QueryOptions
  /// Points before it were given.
  private var next: Int64
  /// What lay before `next` in the first round is not new.
  private var isFirst = true
  /// Rows at or behind `next` less the lateness that were given, or lay there before.
  private var given: Set<Row> = []

  private struct Row: Hashable {
    var time: Int64
    /// Of its series, its values, and how many such rows stood before it.
    var hash: Int
  }

  /// - Parameter now: rows from then on come, or from the beginning of `--time` on.
  init(_ text: String, _ options: QueryOptions, now: Int64) throws {
    self.text = text
    self.options = options
    shape = try StatementShape(text)
    if shape == .other {
      throw UsageError(
        "--follow takes one SELECT, of fields as they are or with GROUP BY time(…), without LIMIT and ORDER BY"
      )
    }
    next = try options.timeRange(now: now).start ?? now
    if case .buckets(let length, let offset) = shape { next = Self.floor(next, length, offset) }
  }

  /// Asks once.
  mutating func round(_ source: any QuerySource, now: Int64, emit: (StatementResult) throws -> Void) throws {
    var (start, end) = (next, Int64.max)
    if case .buckets(let length, let offset) = shape {
      end = Self.floor(now - Self.settling, length, offset)
      guard end > start else { return }
      next = end
    } else {
      start = next - Self.lateness
      given = given.filter { $0.time >= start }
    }
    options.time = "\(QueryTime.print(start)).." + (end == .max ? "" : QueryTime.print(end))
    var newest = next
    try source.run(text, options) { result in
      var result = result
      if shape == .points {
        result.series = result.series.compactMap { fresh($0, from: start, &newest) }
      }
      try emit(result)
    }
    if shape == .points { next = newest }
    isFirst = false
  }

  /// The rows of a series that were not given before.
  private mutating func fresh(_ series: ResultSeries, from start: Int64, _ newest: inout Int64)
    -> ResultSeries?
  {
    guard let times = series.timestamps else { return nil }
    var counts: [Row: Int] = [:]
    let first = next
    let rows = times.indices.filter { row in
      var hasher = Hasher()
      hasher.combine(series.name)
      for tag in series.tags { hasher.combine(tag.value) }
      for column in series.columns where column.isPresent(row) {
        if column.key.type == .string {
          hasher.combine(column.string(row))
        } else {
          hasher.combine(column.values[row])
        }
      }
      var key = Row(time: times[row], hash: hasher.finalize())
      // Rows of several series may look alike.
      let count = counts[key, default: 0]
      counts[key] = count + 1
      key.hash ^= count &* 0x9e37_79b9
      newest = max(newest, times[row])
      let isNew = given.insert(key).inserted
      return isNew && (!isFirst || times[row] >= first)
    }
    return rows.isEmpty ? nil : series.rows(rows)
  }

  /// The beginning of the stretch that an instant lies in.
  private static func floor(_ time: Int64, _ length: Int64, _ offset: Int64) -> Int64 {
    let shifted = time - offset
    return time - ((shifted % length) + length) % length
  }
}

import Storage

/// The time buckets of a statement, in local time where a zone is asked for.
///
/// Buckets are equal in local time; a stretch of constant offset is scanned on its own and its times are moved by the
/// offset, so that a day of 23 hours is one bucket.
struct TimeGrid {
  /// In local time.
  let bucketing: Bucketing
  let zone: TimeZoneRules
  /// What a bucket's answer is dated when there is only one for all time.
  let singleTime: Int64

  /// One bucket for all.
  init(single time: Int64) {
    bucketing = .single
    zone = .utc
    singleTime = time
  }

  /// Buckets that cover `times`; refuses more than `countMax`.
  init(
    _ times: Range<Int64>, _ grouping: Grouping, zone: TimeZoneRules, countMax: Int
  ) throws(QueryFailure) {
    self.zone = zone
    singleTime = 0
    let first = Self.floor(times.lowerBound &+ zone.offset(at: times.lowerBound).nanoseconds, grouping)
    let end = times.upperBound == .min ? times.upperBound : times.upperBound - 1
    let last = Self.floor(end &+ zone.offset(at: end).nanoseconds, grouping)
    let span = last.subtractingReportingOverflow(first)
    let count = span.overflow ? Int.max : Int(span.partialValue / grouping.interval) + 1
    guard count <= countMax else {
      throw QueryFailure("max-select-buckets limit exceeded: (\(count)/\(countMax))")
    }
    bucketing = Bucketing(start: first, width: grouping.interval, count: max(count, 0))
  }

  /// The start of the bucket of a local time.
  private static func floor(_ time: Int64, _ grouping: Grouping) -> Int64 {
    let moved = time &- grouping.offset
    return TimeLiteral.floorDivide(moved, grouping.interval) * grouping.interval &+ grouping.offset
  }

  var count: Int { bucketing.count }

  /// When a bucket begins, in UTC.
  func time(of bucket: Int) -> Int64 {
    guard bucketing.width > 0 else { return singleTime }
    let local = bucketing.start + Int64(bucket) * bucketing.width
    guard zone != .utc else { return local }
    let guess = local &- zone.offset(at: local).nanoseconds
    return local &- zone.offset(at: guess).nanoseconds
  }

  /// The stretches of `times` in which the zone's offset is constant, with that offset.
  func stretches(of times: Range<Int64>) -> [(times: Range<Int64>, offset: Int64)] {
    guard zone != .utc else { return [(times, 0)] }
    var found: [(times: Range<Int64>, offset: Int64)] = []
    var start = times.lowerBound
    while start < times.upperBound {
      let (offset, valid) = zone.offset(at: start)
      let end = min(valid.upperBound, times.upperBound)
      found.append((start..<end, offset))
      start = end
    }
    return found
  }
}

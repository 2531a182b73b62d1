import Storage

/// The time buckets of a statement, in local time where a zone is asked for.
///
/// Buckets are equal in local time; a stretch of constant offset is scanned on its own and its times are moved by the
/// offset, so that a day of 23 hours is one bucket. Months, and days of which one is longer where order counts, are each scanned on their own, and moved so that they lie side by side as
/// if they were of one length.
struct TimeGrid {
  /// In local time.
  let bucketing: Bucketing
  let zone: TimeZoneRules
  /// What a bucket's answer is dated when there is only one for all time.
  let singleTime: Int64
  /// When each bucket begins, and the last ends, in UTC, where each is scanned on its own; else empty.
  private let starts: [Int64]
  /// Nanoseconds that all buckets are moved up by; 0 but at the beginning of time.
  private let shift: Int64

  /// One bucket for all.
  init(single time: Int64) {
    bucketing = .single
    zone = .utc
    singleTime = time
    starts = []
    shift = 0
  }

  /// Buckets that are scanned one by one, at most, so that what lies in one keeps its order.
  private static let orderedCountMax = 10_000

  /// Buckets that cover `times`; refuses more than `countMax`.
  ///
  /// - Parameter isOrdered: whether in a bucket that has an hour twice the one must come before the other.
  init(
    _ times: Range<Int64>, _ grouping: Grouping, zone asked: TimeZoneRules, countMax: Int, isOrdered: Bool
  ) throws(QueryFailure) {
    singleTime = 0
    if let calendar = grouping.calendar(in: asked) {
      (zone, shift) = (asked, 0)
      (bucketing, starts) = try Self.months(times, calendar, width: grouping.interval, countMax: countMax)
      return
    }
    let fixed = Self.fixedOffset(of: asked, over: times, interval: grouping.interval)
    let zone = fixed == nil ? asked : .utc
    let lift = Int128(fixed ?? 0)
    let end = times.upperBound == .min ? times.upperBound : times.upperBound - 1
    let first = Self.floor(Self.local(times.lowerBound, zone) + lift, grouping)
    let last = Self.floor(Self.local(end, zone) + lift, grouping)
    let count = Int128(1) + (last - first) / Int128(grouping.interval)
    guard count <= Int128(countMax) else {
      throw QueryFailure("max-select-buckets limit exceeded: (\(count)/\(countMax))", isLimit: true, part: .clause(.group))
    }
    // The first bucket may begin before time does: all are moved up then.
    let raised = max(0, Int128(Int64.min) - first)
    guard Self.local(end, zone) + lift + raised <= Int128(Int64.max) else {
      throw QueryFailure(
        "the times asked for lie too near to the ends of time for such buckets", part: .clause(.group))
    }
    self.zone = zone
    shift = Int64(lift + raised)
    if isOrdered, fixed == nil, raised == 0, count <= Int128(Self.orderedCountMax) {
      let starts = (0...count).map { zone.instant(ofLocal: first + $0 * Int128(grouping.interval)) }
      let width = zip(starts, starts.dropFirst()).map { $1 - $0 }.max() ?? grouping.interval
      if !Int64(count).multipliedReportingOverflow(by: width).overflow {
        self.starts = starts
        bucketing = Bucketing(start: -width * Int64(count / 2), width: width, count: Int(count))
        return
      }
    }
    starts = []
    bucketing = Bucketing(start: Int64(first + raised), width: grouping.interval, count: Int(max(count, 0)))
  }

  /// The offset of a zone at the beginning of `times`, where it does not change in them, or only by whole buckets: then all buckets are of
  /// one length, and an hour that clocks show twice is twice as many of them. `nil` where it does.
  private static func fixedOffset(of zone: TimeZoneRules, over times: Range<Int64>, interval: Int64) -> Int64? {
    var (offset, valid) = zone.offset(at: times.lowerBound)
    let first = offset
    while valid.upperBound < times.upperBound {
      let before = offset
      (offset, valid) = zone.offset(at: valid.upperBound)
      if (offset - before) % interval != 0 { return nil }
    }
    return first
  }

  private static func local(_ time: Int64, _ zone: TimeZoneRules) -> Int128 {
    Int128(time) + Int128(zone.offset(at: time).nanoseconds)
  }

  /// The months that cover `times`.
  private static func months(
    _ times: Range<Int64>, _ calendar: MonthCalendar, width: Int64, countMax: Int
  ) throws(QueryFailure) -> (Bucketing, [Int64]) {
    let first = calendar.place(of: times.lowerBound)
    let last = calendar.place(of: max(times.lowerBound, times.upperBound == .min ? .min : times.upperBound - 1))
    let count = Int(last - first) + 1
    // Side by side they must fit in the range of times.
    guard count <= countMax, !Int64(count).multipliedReportingOverflow(by: width).overflow else {
      throw QueryFailure("max-select-buckets limit exceeded: (\(count)/\(countMax))", isLimit: true, part: .clause(.group))
    }
    let bucketing = Bucketing(start: -width * Int64(count / 2), width: width, count: count)
    return (bucketing, (first...last + 1).map(calendar.start))
  }

  /// The start of the bucket of a local time.
  private static func floor(_ time: Int128, _ grouping: Grouping) -> Int128 {
    let (moved, interval) = (time - Int128(grouping.offset), Int128(grouping.interval))
    let rest = moved % interval
    return time - (rest < 0 ? rest + interval : rest)
  }

  var count: Int { bucketing.count }

  /// The bucket of an instant; outside of the grid negative, or not below `count`.
  func bucket(of time: Int64) -> Int {
    guard !starts.isEmpty else {
      return bucketing.index(of: Int64(clamping: Self.local(time, zone) + Int128(shift)))
    }
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] <= time { low = middle + 1 } else { high = middle }
    }
    return low - 1
  }

  /// When a bucket begins, in UTC.
  func time(of bucket: Int) -> Int64 {
    guard bucketing.width > 0 else { return singleTime }
    if !starts.isEmpty { return starts[min(max(bucket, 0), starts.count - 1)] }
    let local = Int128(bucketing.start) + Int128(bucket) * Int128(bucketing.width) - Int128(shift)
    return zone == .utc ? Int64(clamping: local) : zone.instant(ofLocal: local)
  }

  /// When every bucket begins, in UTC.
  ///
  /// - Parameter isInterrupted: asked all along; it then fails.
  func times(unless isInterrupted: @escaping () -> Bool) throws(QueryFailure) -> [Int64] {
    var check = InterruptCheck(isInterrupted)
    var times: [Int64] = []
    times.reserveCapacity(count)
    let (first, last) = (Int128(bucketing.start) - Int128(shift), Int128(bucketing.start) + Int128(count) * Int128(bucketing.width))
    guard starts.isEmpty, bucketing.width > 0, zone == .utc, first >= Int128(Int64.min), last <= Int128(Int64.max) else {
      for bucket in 0..<count {
        try check.pass()
        times.append(time(of: bucket))
      }
      return times
    }
    // None is past the range of times: no number needs 128 bits.
    var next = Int64(first)
    for _ in 0..<count {
      try check.pass()
      times.append(next)
      next &+= bucketing.width
    }
    return times
  }

  /// The stretches of `times` in which the zone's offset is constant, with that offset.
  func stretches(of times: Range<Int64>) -> [(times: Range<Int64>, offset: Int64)] {
    guard starts.isEmpty else { return alone(times) }
    guard zone != .utc else { return [(times, shift)] }
    var found: [(times: Range<Int64>, offset: Int64)] = []
    var start = times.lowerBound
    while start < times.upperBound {
      let (offset, valid) = zone.offset(at: start)
      let end = min(valid.upperBound, times.upperBound)
      found.append((start..<end, offset + shift))
      start = end
    }
    return found
  }

  private func alone(_ times: Range<Int64>) -> [(times: Range<Int64>, offset: Int64)] {
    (0..<count).compactMap { bucket in
      let month = starts[bucket]..<max(starts[bucket], starts[bucket + 1])
      let part = month.clamped(to: times)
      if part.isEmpty { return nil }
      return (part, bucketing.start &+ Int64(bucket) &* bucketing.width &- starts[bucket])
    }
  }
}

/// Time buckets of equal width: bucket `i` is `start + i · width ..< start + (i + 1) · width`.
package struct Bucketing: Sendable, Equatable {
  /// Where bucket 0 begins.
  package var start: Int64
  /// Nanoseconds; 0: one bucket for all time.
  package var width: Int64
  package var count: Int

  /// One bucket for all time.
  package static let single = Bucketing(start: .min, width: 0, count: 1)

  package init(start: Int64, width: Int64, count: Int) {
    precondition(width >= 0 && count >= 0 && (width > 0 || count == 1), "\(count) buckets of \(width) ns")
    self.start = start
    self.width = width
    self.count = count
  }

  /// The bucket of a time; negative before the first, `count` or more past the last.
  @inline(__always)
  package func index(of time: Int64) -> Int {
    guard width > 0 else { return 0 }
    if time < start { return -1 }
    // The distance fits in 64 bits without a sign, the quotient in `Int` for widths of two or more; 1 ns needs the clamp.
    let distance = UInt64(bitPattern: time &- start)
    return Int(clamping: distance / UInt64(bitPattern: width))
  }

  /// The first time past bucket `index`; `Int64.max` where that cannot be said.
  @inline(__always)
  package func end(of index: Int) -> Int64 {
    guard width > 0 else { return .max }
    let (length, overflow) = Int64(index + 1).multipliedReportingOverflow(by: width)
    let (end, passes) = start.addingReportingOverflow(length)
    return overflow || passes ? .max : end
  }

  /// The bucket that holds both times; `nil` if they lie in two, or in none.
  package func index(ofAll times: ClosedRange<Int64>) -> Int? {
    let index = index(of: times.lowerBound)
    return index >= 0 && index < count && self.index(of: times.upperBound) == index ? index : nil
  }
}

extension Bucketing {
  /// Neighbouring rows of one bucket.
  package struct Run: Sendable, Equatable {
    package var bucket: Int
    /// Index of the first row.
    package var start: Int
    package var count: Int
  }

  /// Replaces `runs` with the buckets that ascending times meet; times outside of the buckets are passed over.
  ///
  /// A division where a bucket is skipped, and a gallop to a bucket's end; where every bucket has as many rows as the one before,
  /// as in regular data, two comparisons.
  package func cut(_ times: [Int64], into runs: inout [Run]) {
    runs.removeAll(keepingCapacity: true)
    if width == 0 {
      if !times.isEmpty { runs.append(Run(bucket: 0, start: 0, count: times.count)) }
      return
    }
    var row = TimeUnion.firstIndex(in: times, from: 0, notBelow: start)
    var (bucket, bucketEnd, length) = (-1, Int64.min, 0)
    while row < times.count {
      let time = times[row]
      let (next, overflow) = bucketEnd.addingReportingOverflow(width)
      if bucket >= 0, !overflow, time < next {
        (bucket, bucketEnd) = (bucket + 1, next)
      } else {
        bucket = index(of: time)
        bucketEnd = end(of: bucket)
      }
      if bucket >= count { return }
      let guess = row + length
      var rowEnd = guess
      if length == 0 || guess > times.count || times[guess - 1] >= bucketEnd
        || guess < times.count && times[guess] < bucketEnd
      {
        rowEnd =
          bucketEnd == .max ? times.count : TimeUnion.firstIndex(in: times, from: row, notBelow: bucketEnd)
      }
      length = rowEnd - row
      runs.append(Run(bucket: bucket, start: row, count: length))
      row = rowEnd
    }
  }
}

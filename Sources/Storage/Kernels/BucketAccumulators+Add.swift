import LineProtocol

extension BucketAccumulators {
  /// Adds a column of a batch: rows that lie outside the buckets, have no value or are not selected are passed over.
  ///
  /// Costs one division a bucket met, then vector loops over the bucket's rows.
  /// - Parameter selection: bit `i & 63` of word `i >> 6` says that row `i` counts; `nil`: all.
  package mutating func add(_ batch: borrowing ColumnBatch, column: Int, selection: [UInt64]? = nil) {
    guard batch.columns[column].presentCount > 0 else { return }
    if batch.columns[column].validity.isEmpty, selection == nil {
      precondition(batch.columns[column].values.count == batch.timestamps.count, "column and times differ in length")
      if type == .string { return addStrings(batch.columns[column], batch.timestamps, batch.columns[column].values) }
      addWords(batch.timestamps, batch.columns[column].values)
      return
    }
    let (times, words) = compress(batch, column, selection)
    if type == .string { addStrings(batch.columns[column], times, words) } else { addWords(times, words) }
    (denseTimes, denseWords) = (times, words)
  }

  /// Adds the statistics of a stretch, all of which lies in `bucket`.
  ///
  /// - Returns: `false`, nothing added, where they cannot answer: times of extremes, strings' first and last.
  package mutating func add(_ known: ColumnStatistics, bucket: Int) -> Bool {
    guard known.count > 0 else { return true }
    if aggregates.contains(.extremeTimes), !aggregates.isDisjoint(with: [.minimum, .maximum]) { return false }
    if type == .string, !aggregates.isEmpty { return false }
    if aggregates.contains(.sum) {
      if type == .float {
        floatSums[bucket].add(CompensatedSum(sum: known.floatSum, error: known.floatError))
      } else {
        integerSums[bucket] += known.integerSum
      }
    }
    if aggregates.contains(.minimum) { lowerMinimum(TimedWord(timestamp: 0, word: known.minimum), bucket) }
    if aggregates.contains(.maximum) { raiseMaximum(TimedWord(timestamp: 0, word: known.maximum), bucket) }
    if aggregates.contains(.first) {
      takeFirst(TimedWord(timestamp: known.firstTimestamp, word: known.first), bucket)
    }
    if aggregates.contains(.last) { takeLast(TimedWord(timestamp: known.lastTimestamp, word: known.last), bucket) }
    counts[bucket] += known.count
    return true
  }

  /// Present and selected values with their times, side by side; in the scratch arrays, which the caller puts back.
  private mutating func compress(
    _ batch: borrowing ColumnBatch, _ column: Int, _ selection: [UInt64]?
  ) -> ([Int64], [UInt64]) {
    var (times, words) = (denseTimes, denseWords)
    (denseTimes, denseWords) = ([], [])
    times.removeAll(keepingCapacity: true)
    words.removeAll(keepingCapacity: true)
    for start in stride(from: 0, to: batch.timestamps.count, by: 64) {
      let count = min(64, batch.timestamps.count - start)
      var rest = Validity.bits(batch.columns[column].validity, at: start, count: count)
      if let selection { rest &= Validity.bits(selection, at: start, count: count) }
      if rest == Validity.mask(count) {
        times.append(contentsOf: batch.timestamps[start..<start + count])
        words.append(contentsOf: batch.columns[column].values[start..<start + count])
        continue
      }
      while rest != 0 {
        let row = start + rest.trailingZeroBitCount
        rest &= rest &- 1
        times.append(batch.timestamps[row])
        words.append(batch.columns[column].values[row])
      }
    }
    return (times, words)
  }

  /// Numbers and booleans.
  private mutating func addWords(_ times: [Int64], _ words: [UInt64]) {
    // The pointer stays inside the call; ranges come from `eachBucket`, which keeps to the times' count, equal to the words'.
    unsafe words.withUnsafeBufferPointer { words in
      guard let base = words.baseAddress else { return }
      eachBucket(of: times, bucketing) { bucket, rows in
        unsafe fold(base + rows.lowerBound, rows.count, bucket, first: times[rows.lowerBound], last: times[rows.upperBound - 1]) {
          offset in times[rows.lowerBound + offset]
        }
      }
    }
  }

  /// The words of one bucket.
  @inline(__always)
  private mutating func fold(
    _ words: UnsafePointer<UInt64>, _ count: Int, _ bucket: Int, first: Int64, last: Int64, time: (Int) -> Int64
  ) {
    if aggregates.contains(.sum) {
      switch type {
      case .float: unsafe floatSums[bucket].add(ColumnKernels.sum(floats: words, count))
      case .integer: unsafe integerSums[bucket] += ColumnKernels.sum(integers: words, count)
      default: unsafe integerSums[bucket] += ColumnKernels.sum(unsigned: words, count)
      }
    }
    if !aggregates.isDisjoint(with: [.minimum, .maximum]) {
      let extremes =
        switch order {
        case .float: unsafe ColumnKernels.extremes(floats: words, count)
        case .integer: unsafe ColumnKernels.extremes(integers: words, count)
        case .unsigned: unsafe ColumnKernels.extremes(unsigned: words, count)
        }
      let wantsTimes = aggregates.contains(.extremeTimes)
      let list = unsafe UnsafeBufferPointer(start: words, count: count)
      if aggregates.contains(.minimum) {
        let place = wantsTimes ? unsafe list.firstIndex(of: extremes.minimum) : nil
        lowerMinimum(TimedWord(timestamp: place.map(time) ?? 0, word: extremes.minimum), bucket)
      }
      if aggregates.contains(.maximum) {
        let place = wantsTimes ? unsafe list.firstIndex(of: extremes.maximum) : nil
        raiseMaximum(TimedWord(timestamp: place.map(time) ?? 0, word: extremes.maximum), bucket)
      }
    }
    if aggregates.contains(.first) { unsafe takeFirst(TimedWord(timestamp: first, word: words[0]), bucket) }
    if aggregates.contains(.last) { unsafe takeLast(TimedWord(timestamp: last, word: words[count - 1]), bucket) }
    counts[bucket] += count
  }

  /// Strings: places of words into the column's bytes.
  private mutating func addStrings(_ column: borrowing Column, _ times: [Int64], _ words: [UInt64]) {
    func text(_ word: UInt64) -> ArraySlice<UInt8> {
      let offset = Int(word >> 32)
      return column.bytes[offset..<offset + Int(word & 0xffff_ffff)]
    }
    eachBucket(of: times, bucketing) { bucket, rows in
      if aggregates.contains(.first) { takeFirst(times[rows.lowerBound], text(words[rows.lowerBound]), bucket) }
      if aggregates.contains(.last) { takeLast(times[rows.upperBound - 1], text(words[rows.upperBound - 1]), bucket) }
      counts[bucket] += rows.count
    }
  }
}

/// Calls `body` with each bucket met and the rows in it; times outside the buckets are passed over. One division a bucket, and
/// a gallop to the bucket's end.
@inline(__always)
private func eachBucket(of times: [Int64], _ bucketing: Bucketing, _ body: (Int, Range<Int>) -> Void) {
  var row = TimeUnion.firstIndex(in: times, from: 0, notBelow: bucketing.start)
  if bucketing.width == 0 { row = 0 }
  while row < times.count {
    let bucket = bucketing.index(of: times[row])
    if bucket >= bucketing.count { return }
    let end = bucketing.end(of: bucket)
    let next = end == .max ? times.count : TimeUnion.firstIndex(in: times, from: row, notBelow: end)
    body(bucket, row..<next)
    row = next
  }
}

import LineProtocol

extension BucketAccumulators {
  /// Adds a column of a batch to a group: rows that lie outside the buckets, have no value or are not selected are passed over.
  ///
  /// Costs one division a bucket met, then vector loops over the bucket's rows.
  /// - Parameter selection: bit `i & 63` of word `i >> 6` says that row `i` counts; `nil`: all.
  package mutating func add(_ batch: borrowing ColumnBatch, column: Int, selection: [UInt64]? = nil, group: Int = 0) {
    precondition(group < groupCount, "group \(group) of \(groupCount)")
    guard batch.columns[column].presentCount > 0 else { return }
    if batch.columns[column].validity.isEmpty, selection == nil {
      precondition(
        batch.columns[column].values.count == batch.timestamps.count, "column and times differ in length")
      if type == .string {
        return addStrings(batch.columns[column], batch.timestamps, batch.columns[column].values, group)
      }
      addWords(batch.timestamps, batch.columns[column].values, group)
      return
    }
    let (times, words) = compress(batch, column, selection)
    if type == .string { addStrings(batch.columns[column], times, words, group) } else { addWords(times, words, group) }
    (denseTimes, denseWords) = (times, words)
  }

  /// Whether an extreme's time is asked for: only a look at the rows' times tells it.
  private var wantsExtremeTimes: Bool {
    aggregates.contains(.extremeTimes) && !aggregates.isDisjoint(with: [.minimum, .maximum])
  }

  /// Adds the values of a stretch, all of which lies in `bucket`, counted over all groups.
  ///
  /// - Returns: `false`, nothing added, where they cannot answer: times of extremes, strings.
  package mutating func add(_ stretch: StretchValues, bucket: Int) -> Bool {
    precondition(bucket < counts.count, "bucket \(bucket) of \(counts.count)")
    guard type != .string, !wantsExtremeTimes else { return false }
    guard let first = stretch.words.first, let last = stretch.words.last else { return true }
    runs.removeAll(keepingCapacity: true)
    runs.append(Bucketing.Run(bucket: bucket, start: 0, count: stretch.words.count))
    // The run is all of the words, and pointers stay inside the call.
    unsafe stretch.words.withUnsafeBufferPointer { list in
      if let words = list.baseAddress { unsafe addRuns(words, []) }
    }
    if aggregates.contains(.first) { takeFirst(TimedWord(timestamp: stretch.firstTimestamp, word: first), bucket) }
    if aggregates.contains(.last) { takeLast(TimedWord(timestamp: stretch.lastTimestamp, word: last), bucket) }
    counts[bucket] += stretch.words.count
    return true
  }

  /// Adds the statistics of a stretch, all of which lies in `bucket`, counted over all groups.
  ///
  /// - Returns: `false`, nothing added, where they cannot answer: times of extremes, strings' first and last.
  package mutating func add(_ known: ColumnStatistics, bucket: Int) -> Bool {
    guard known.count > 0 else { return true }
    if wantsExtremeTimes { return false }
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
    if aggregates.contains(.last) {
      takeLast(TimedWord(timestamp: known.lastTimestamp, word: known.last), bucket)
    }
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

  /// Numbers and booleans, one aggregate after the other: each loop has one kernel and one array.
  private mutating func addWords(_ times: [Int64], _ words: [UInt64], _ group: Int) {
    cut(times, group)
    // Pointers stay inside the call; runs lie within the times' count, which is the words'.
    unsafe words.withUnsafeBufferPointer { list in
      guard let words = list.baseAddress else { return }
      unsafe addRuns(words, times)
      if aggregates.contains(.first) {
        for run in runs {
          unsafe takeFirst(TimedWord(timestamp: times[run.start], word: words[run.start]), run.bucket)
        }
      }
      if aggregates.contains(.last) {
        for run in runs {
          let last = run.start + run.count - 1
          unsafe takeLast(TimedWord(timestamp: times[last], word: words[last]), run.bucket)
        }
      }
    }
    for run in runs { counts[run.bucket] += run.count }
  }

  /// The runs of a group's buckets.
  private mutating func cut(_ times: [Int64], _ group: Int) {
    bucketing.cut(times, into: &runs)
    if group == 0 { return }
    for index in runs.indices { runs[index].bucket += group * bucketing.count }
  }

  /// Sums and extremes of the runs; the times are looked at where an extreme's is asked for.
  private mutating func addRuns(_ words: UnsafePointer<UInt64>, _ times: [Int64]) {
    if aggregates.contains(.sum) { unsafe addSums(words) }
    if aggregates.contains(.minimum) { unsafe addMinimums(words, times) }
    if aggregates.contains(.maximum) { unsafe addMaximums(words, times) }
  }

  private mutating func addSums(_ words: UnsafePointer<UInt64>) {
    // Buckets of runs are those of a group that there is, for which the arrays have room.
    if type == .float {
      unsafe floatSums.withUnsafeMutableBufferPointer { sums in
        for run in runs {
          unsafe sums[run.bucket].add(ColumnKernels.sum(floats: words + run.start, run.count))
        }
      }
      return
    }
    let isSigned = type == .integer
    unsafe integerSums.withUnsafeMutableBufferPointer { sums in
      for run in runs {
        let start = unsafe words + run.start
        unsafe sums[run.bucket] &+=
          isSigned
          ? ColumnKernels.sum(integers: start, run.count) : ColumnKernels.sum(unsigned: start, run.count)
      }
    }
  }

  private mutating func addMinimums(_ words: UnsafePointer<UInt64>, _ times: [Int64]) {
    let (order, wantsTimes) = (order, aggregates.contains(.extremeTimes))
    unsafe minimums.withUnsafeMutableBufferPointer { held in
      for run in runs {
        let start = unsafe words + run.start
        let word =
          switch order {
          case .float: unsafe ColumnKernels.lowest(floats: start, run.count)
          case .integer: unsafe ColumnKernels.extremes(integers: start, run.count).lowest
          case .unsigned: unsafe ColumnKernels.extremes(unsigned: start, run.count).lowest
          }
        let time = wantsTimes ? unsafe Self.time(of: word, in: run, start, times) : 0
        unsafe order.keepLower(
          TimedWord(timestamp: time, word: word), in: &held[run.bucket], isFirst: counts[run.bucket] == 0)
      }
    }
  }

  private mutating func addMaximums(_ words: UnsafePointer<UInt64>, _ times: [Int64]) {
    let (order, wantsTimes) = (order, aggregates.contains(.extremeTimes))
    unsafe maximums.withUnsafeMutableBufferPointer { held in
      for run in runs {
        let start = unsafe words + run.start
        let word =
          switch order {
          case .float: unsafe ColumnKernels.highest(floats: start, run.count)
          case .integer: unsafe ColumnKernels.extremes(integers: start, run.count).highest
          case .unsigned: unsafe ColumnKernels.extremes(unsigned: start, run.count).highest
          }
        let time = wantsTimes ? unsafe Self.time(of: word, in: run, start, times) : 0
        unsafe order.keepHigher(
          TimedWord(timestamp: time, word: word), in: &held[run.bucket], isFirst: counts[run.bucket] == 0)
      }
    }
  }

  /// The time of the first row of a run that has the word.
  private static func time(
    of word: UInt64, in run: Bucketing.Run, _ words: UnsafePointer<UInt64>, _ times: [Int64]
  ) -> Int64 {
    let place = unsafe UnsafeBufferPointer(start: words, count: run.count).firstIndex(of: word)
    return place.map { times[run.start + $0] } ?? 0
  }

  /// Strings: places of words into the column's bytes.
  private mutating func addStrings(_ column: borrowing Column, _ times: [Int64], _ words: [UInt64], _ group: Int) {
    func text(_ word: UInt64) -> ArraySlice<UInt8> {
      let offset = Int(word >> 32)
      return column.bytes[offset..<offset + Int(word & 0xffff_ffff)]
    }
    cut(times, group)
    for run in runs {
      let last = run.start + run.count - 1
      if aggregates.contains(.first) { takeFirst(times[run.start], text(words[run.start]), run.bucket) }
      if aggregates.contains(.last) { takeLast(times[last], text(words[last]), run.bucket) }
      counts[run.bucket] += run.count
    }
  }
}

extension PackedPlan {
  /// Fewest rows that ranges are tried for: their table takes some dozens of bytes.
  static let rangeRowCountMin = 64

  /// The plan, with ranges, whose prediction takes the fewest bits for a sample of `words`; nil where that is
  /// not so much less than `byteCount` as to be worth the time.
  func withRanges(_ words: UnsafeBufferPointer<UInt64>, insteadOf byteCount: Int) -> PackedPlan? {
    guard words.count >= Self.rangeRowCountMin else { return nil }
    var best: (bitCount: Int, plan: PackedPlan)?
    for prediction in prediction == .deltaOfDelta
      ? [.none, .delta, .deltaOfDelta] : [Prediction.none, .delta]
    {
      var plan = self
      (plan.prediction, plan.isInRanges) = (prediction, true)
      let bitCount = unsafe plan.rangeBitCount(words, pieceCountMax: 4)
      if bitCount < best?.bitCount ?? .max { best = (bitCount, plan) }
    }
    func isWorth(_ bitCount: Int) -> Bool {
      Self.isWorthRanges(bitCount / 8, insteadOf: byteCount, rowCount: words.count)
    }
    // The little that nearly all blocks are judged by is too kind to some.
    guard let best, isWorth(best.bitCount), isWorth(unsafe best.plan.rangeBitCount(words, pieceCountMax: 32))
    else { return nil }
    return best.plan
  }

  /// Whether so many bytes less than `packed` are worth the time that ranges take to read, some 4 ns a row: a
  /// sixteenth, and a bit a row; a bit and a half where a row takes less than five, and is read fastest as it
  /// is.
  static func isWorthRanges(_ byteCount: Int, insteadOf packed: Int, rowCount: Int) -> Bool {
    let saved = packed - byteCount
    let sixteenths = packed * 8 >= 5 * rowCount ? 2 : 3
    return saved * 16 >= packed && saved * 16 >= sixteenths * rowCount
  }

  /// Rows of a sample: pieces of so many, of which prediction takes the first two for a start.
  private static let samplePieceRowCount = 18

  /// About how many bits `words` (`rangeRowCountMin` or more) take in ranges, by a sample; `Int.max` where
  /// that is not of the transform.
  private func rangeBitCount(_ words: UnsafeBufferPointer<UInt64>, pieceCountMax: Int) -> Int {
    var source = unsafe TransformedGroups(words, self)
    let pieceCount = min(pieceCountMax, words.count / Self.samplePieceRowCount)
    var sample: [Int64] = []
    sample.reserveCapacity(pieceCount * Self.samplePieceRowCount)
    let isWhole = unsafe withUnsafeTemporaryAllocation(
      of: UInt64.self, capacity: 2 * Self.samplePieceRowCount
    ) { scratch in
      guard let scratch = scratch.baseAddress else { return false }
      let rest = unsafe scratch + Self.samplePieceRowCount
      for piece in 0..<pieceCount {
        let first = piece * (words.count - Self.samplePieceRowCount) / max(1, pieceCount - 1)
        guard
          let values = unsafe source.values(from: first, count: Self.samplePieceRowCount, scratch: scratch)
        else {
          return false
        }
        _ = unsafe prediction.apply(
          values, count: Self.samplePieceRowCount, after: Predecessor(of: values, count: 2), slope: 0,
          into: rest)
        for row in 2..<Self.samplePieceRowCount { sample.append(Int64(bitPattern: unsafe rest[row])) }
      }
      return true
    }
    return isWhole ? Int(RangeFit.bitsEach(of: &sample) * Float(words.count)) : .max
  }

  /// Words of scratch for `count` words and, as bytes, their ranges.
  private static func rangeScratchWordCount(_ count: Int) -> Int { count + count / 8 + 1 }

  private static func places(
    behind words: UnsafeMutablePointer<UInt64>, _ count: Int
  ) -> UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutableRawPointer(words + count).assumingMemoryBound(to: UInt8.self)
  }

  /// Appends a block of `words` (one or more) in ranges to `output`; false, and nothing is appended, where
  /// the words are not of the transform, or too far apart.
  func encodeRanges(_ words: UnsafeBufferPointer<UInt64>, into output: inout [UInt8]) -> Bool {
    var source = unsafe TransformedGroups(words, self)
    var (table, headers, bodies): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
    // Residues of all rows; one group more of scratch; ranges.
    let count = words.count + groupRowCount
    let isWhole = unsafe withUnsafeTemporaryAllocation(
      of: UInt64.self, capacity: Self.rangeScratchWordCount(count)
    ) { scratch in
      guard let rest = scratch.baseAddress,
        var groups = unsafe rangeGroups(of: &source, scratch: rest + words.count, into: rest)
      else { return false }
      let places = unsafe Self.places(behind: rest, count)
      let fit = unsafe RangeFit(rest, count: words.count, places: places)
      guard fit.bitCount < .max else { return false }
      fit.table.encode(into: &table)
      for index in groups.indices {
        let first = index * groupRowCount
        unsafe groups[index].encodeBody(
          rest + first, places + first, fit.table, rowCount: min(groupRowCount, words.count - first),
          into: &bodies)
        groups[index].encode(prediction, into: &headers)
      }
      return true
    }
    guard isWhole else { return false }
    output.append(Encoding.ranges.rawValue)
    output.append(prediction.rawValue | source.code.rawValue << 2)
    source.encodeParameters(into: &output)
    output += table
    output += headers
    output += bodies
    return true
  }

  /// Writes what prediction leaves of all groups to `words`, and gives where each begins; nil where words are
  /// not of the transform.
  private func rangeGroups(
    of source: inout TransformedGroups, scratch: UnsafeMutablePointer<UInt64>,
    into words: UnsafeMutablePointer<UInt64>
  ) -> [RangeGroup]? {
    var groups: [RangeGroup] = []
    var before: Predecessor?
    for first in stride(from: 0, to: source.count, by: groupRowCount) {
      let rowCount = min(groupRowCount, source.count - first)
      guard
        let (start, step) = unsafe predict(
          &source, from: first, rowCount: rowCount, after: &before, scratch: scratch, into: words + first)
      else { return nil }
      var frame = PackedGroup()
      (frame.start, frame.step) = (start, step)
      groups.append(RangeGroup(frame: frame))
    }
    return groups
  }
}

extension PackedPlan {
  /// The plan that takes the fewest bits for a sample of `words` (one or more): their first group, and the
  /// middle one of many.
  ///
  /// Floats are taken for decimals by a sample of `decimalSampleCount`, and not at all where that is 0.
  init(for words: UnsafeBufferPointer<UInt64>, kind: ColumnKind, decimalSampleCount: Int) {
    var candidates: [PackedPlan] = []
    if kind == .float, decimalSampleCount > 0,
      let exponent = unsafe DecimalDetection.exponent(of: words, sampleCount: decimalSampleCount)
    {
      candidates.append(PackedPlan(code: .decimal, exponent: exponent))
    }
    // Decimals of many digits may be smaller as bits.
    if candidates.isEmpty || candidates[0].exponent > 6 {
      let unit = unsafe CommonUnit(of: words).unit
      if unit > 1 {
        candidates.append(PackedPlan(code: .scaled, unit: unit))
      } else {
        candidates.append(PackedPlan())
      }
      if kind == .float { candidates.append(PackedPlan(code: .rotated)) }
    }
    var best = (bitCount: Int.max, plan: PackedPlan(prediction: .none))
    unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.scratchWordCount) { scratch in
      guard let scratch = scratch.baseAddress else { return }
      for var plan in candidates {
        for prediction in [Prediction.none, .line, .delta, .deltaOfDelta] {
          plan.prediction = prediction
          for slope in unsafe plan.slopes(words, kind: kind, scratch: scratch) {
            plan.slope = slope
            let bitCount = unsafe plan.bitCount(words, scratch: scratch)
            if bitCount < best.bitCount { best = (bitCount, plan) }
          }
          plan.slope = 0
        }
      }
    }
    self = best.plan
  }

  /// Slopes to try for a line: the group's own rounded to one, two and three digits, as clocks tick, and as
  /// it is. One, 0, for the rest.
  private func slopes(
    _ words: UnsafeBufferPointer<UInt64>, kind: ColumnKind, scratch: UnsafeMutablePointer<UInt64>
  ) -> [UInt64] {
    guard prediction == .line else { return [0] }
    guard kind == .timestamp else { return [] }
    let count = min(groupRowCount, words.count)
    var source = unsafe TransformedGroups(words, self)
    guard count > 1, let values = unsafe source.values(from: 0, count: count, scratch: scratch) else {
      return []
    }
    let step = Int64(bitPattern: unsafe values[count - 1] &- values[0]) / Int64(count - 1)
    var slopes: [UInt64] = []
    var digit: Int64 = 1
    while digit <= Int64.max / 100, step.magnitude >= UInt64(digit) * 10 { digit *= 10 }
    for _ in 0..<3 where digit > 0 {
      let rounded = (step + (step < 0 ? -digit : digit) / 2) / digit * digit
      if rounded != 0, !slopes.contains(UInt64(bitPattern: rounded)) {
        slopes.append(UInt64(bitPattern: rounded))
      }
      digit /= 10
    }
    return slopes + [0]
  }

  /// About how many bits the sampled groups take; `Int.max` where they are not of the transform.
  private func bitCount(_ words: UnsafeBufferPointer<UInt64>, scratch: UnsafeMutablePointer<UInt64>) -> Int {
    var source = unsafe TransformedGroups(words, self)
    var sum = 0
    let middle = words.count / 2 / groupRowCount * groupRowCount
    for first in words.count >= 3 * groupRowCount ? [0, middle] : [0] {
      let count = min(groupRowCount, words.count - first)
      guard let values = unsafe source.values(from: first, count: count, scratch: scratch) else {
        return .max
      }
      let rest = unsafe scratch + groupRowCount
      _ = unsafe prediction.apply(
        values, count: count, after: Predecessor(of: values, count: count), slope: slope, into: rest)
      sum += unsafe PackedGroup.choose(rest, rowCount: count, scratch: rest + groupRowCount).bitCount
    }
    return sum + source.corrections.bitCount
  }
}

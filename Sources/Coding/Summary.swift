/// What a block's index entry says of its values. Words are as `ColumnKind` says.
public struct Summary: Sendable, Equatable {
  /// Values seen; the rest means nothing where it is 0.
  public var count = 0
  /// The least by the column's kind; NaN is left out (it is NaN where there is nothing else), −0 is less than
  /// 0. 0 for strings.
  public var minimum: UInt64 = 0
  /// The greatest, in the same way.
  public var maximum: UInt64 = 0
  /// The first word.
  public var first: UInt64 = 0
  /// The last word.
  public var last: UInt64 = 0
  /// The exact sum of integers, unsigned integers, booleans (the number of trues); 0 for the rest.
  public var integerSum: Int128 = 0
  /// The sum of floats, with `floatError` an unrounded pair: the value of a compensated summation.
  public var floatSum: Double = 0
  /// What the summation's roundings lost; 0 where the sum is not finite.
  public var floatError: Double = 0
  /// Whether a float is NaN.
  public var hasNaN = false

  /// The summary of nothing.
  public init() {}
}

/// Summarises `words`, all present, of a column of `kind`.
public func summarize(_ words: UnsafeBufferPointer<UInt64>, kind: ColumnKind) -> Summary {
  var summary = Summary()
  guard let first = unsafe words.first, let last = unsafe words.last else { return summary }
  summary.count = words.count
  summary.first = first
  summary.last = last
  switch kind {
  case .float: unsafe summarizeFloats(words, into: &summary)
  case .integer, .timestamp:
    var (low, high) = (Int64.max, Int64.min)
    for index in words.indices {
      let word = unsafe words[index]
      let value = Int64(bitPattern: word)
      low = min(low, value)
      high = max(high, value)
      summary.integerSum &+= Int128(value)
    }
    summary.minimum = UInt64(bitPattern: low)
    summary.maximum = UInt64(bitPattern: high)
  case .unsigned, .boolean:
    summary.minimum = .max
    for index in words.indices {
      let word = unsafe words[index]
      summary.minimum = min(summary.minimum, word)
      summary.maximum = max(summary.maximum, word)
      summary.integerSum &+= Int128(word)
    }
  case .string: break
  }
  return summary
}

/// Summarises `words`; see the function over a raw buffer.
public func summarize(_ words: Span<UInt64>, kind: ColumnKind) -> Summary {
  // The pointer does not outlive the call.
  unsafe words.withUnsafeBufferPointer { unsafe summarize($0, kind: kind) }
}

/// Four lanes at a time; one by one where the sum is not finite.
private func summarizeFloats(_ words: UnsafeBufferPointer<UInt64>, into summary: inout Summary) {
  typealias Lanes = SIMD4<Double>
  guard let base = words.baseAddress else { return }
  let bytes = unsafe UnsafeRawPointer(base)
  var sums = Lanes.zero
  var errors = Lanes.zero
  var (low0, low1, low2, low3) = (Double.infinity, Double.infinity, Double.infinity, Double.infinity)
  var (high0, high1, high2, high3) = (-Double.infinity, -Double.infinity, -Double.infinity, -Double.infinity)
  var row = 0
  while row &+ 4 <= words.count {
    // Rows row ..< row + 4 are below the count.
    let values = unsafe bytes.loadUnaligned(fromByteOffset: row &* 8, as: Lanes.self)
    // Knuth's TwoSum: the rounded total, and what the rounding lost.
    let totals = sums + values
    let parts = totals - sums
    errors += (sums - (totals - parts)) + (values - parts)
    sums = totals
    // In this form, and lane by lane, each is one instruction.
    low0 = values[0] < low0 ? values[0] : low0
    low1 = values[1] < low1 ? values[1] : low1
    low2 = values[2] < low2 ? values[2] : low2
    low3 = values[3] < low3 ? values[3] : low3
    high0 = values[0] > high0 ? values[0] : high0
    high1 = values[1] > high1 ? values[1] : high1
    high2 = values[2] > high2 ? values[2] : high2
    high3 = values[3] > high3 ? values[3] : high3
    row &+= 4
  }
  var sum = CompensatedSum()
  for lane in 0..<4 {
    sum.add(sums[lane])
    sum.error += errors[lane]
  }
  var low = min(min(low0, low1), min(low2, low3))
  var high = max(max(high0, high1), max(high2, high3))
  while row < words.count {
    let value = Double(bitPattern: unsafe words[row])
    sum.add(value)
    low = value < low ? value : low
    high = value > high ? value : high
    row &+= 1
  }
  guard sum.value.isFinite, sum.error.isFinite else {
    return unsafe summarizeFloatsOneByOne(words, into: &summary)
  }
  // Comparisons take −0 and 0 for equal.
  let (zero, negativeZero) = ((0.0).bitPattern, (-0.0).bitPattern)
  if low == 0 { low = unsafe contains(negativeZero, words) ? -0.0 : 0 }
  if high == 0 { high = unsafe contains(zero, words) ? 0 : -0.0 }
  summary.minimum = low.bitPattern
  summary.maximum = high.bitPattern
  summary.floatSum = sum.value
  summary.floatError = sum.error
}

/// Whether `word` is among `words`; without a branch a word.
private func contains(_ word: UInt64, _ words: UnsafeBufferPointer<UInt64>) -> Bool {
  var isFound = false
  for index in words.indices { isFound = unsafe isFound || words[index] == word }
  return isFound
}

/// NaN is told apart, and −0 from 0.
private func summarizeFloatsOneByOne(_ words: UnsafeBufferPointer<UInt64>, into summary: inout Summary) {
  var (low, high) = (Int64.max, Int64.min)
  var sum = CompensatedSum()
  for index in words.indices {
    let word = unsafe words[index]
    let value = Double(bitPattern: word)
    sum.add(value)
    if value.isNaN {
      summary.hasNaN = true
    } else {
      low = min(low, orderedKey(word))
      high = max(high, orderedKey(word))
    }
  }
  summary.floatSum = sum.value
  summary.floatError = sum.value.isFinite ? sum.error : 0
  summary.minimum = low <= high ? orderedWord(low) : summary.first
  summary.maximum = low <= high ? orderedWord(high) : summary.first
}

/// A key whose order is that of the numbers, −0 below 0; the map is its own inverse.
func orderedKey(_ word: UInt64) -> Int64 {
  let bits = Int64(bitPattern: word)
  return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
}

private func orderedWord(_ key: Int64) -> UInt64 {
  UInt64(bitPattern: orderedKey(UInt64(bitPattern: key)))
}

/// A sum and what its roundings lost.
private struct CompensatedSum {
  var value = 0.0
  var error = 0.0

  @inline(__always) mutating func add(_ next: Double) {
    let total = value + next
    let part = total - value
    error += (value - (total - part)) + (next - part)
    value = total
  }
}

/// What a block's index entry says of its values. Words are as `ColumnKind` says.
public struct Summary: Sendable, Equatable {
  /// Values seen; the rest means nothing where it is 0.
  public var count = 0
  /// By the column's kind; NaN is left out of both (they are NaN where there is nothing else), and −0 is less than 0. 0 for strings.
  public var minimum: UInt64 = 0
  public var maximum: UInt64 = 0
  /// The first and the last word.
  public var first: UInt64 = 0
  public var last: UInt64 = 0
  /// The exact sum of integers, unsigned integers, booleans (the number of trues); 0 for the rest.
  public var integerSum: Int128 = 0
  /// The sum of floats as an unrounded pair: value and error of a compensated summation.
  public var floatSum: Double = 0
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
    for unsafe word in unsafe words {
      let value = Int64(bitPattern: word)
      low = min(low, value)
      high = max(high, value)
      summary.integerSum &+= Int128(value)
    }
    summary.minimum = UInt64(bitPattern: low)
    summary.maximum = UInt64(bitPattern: high)
  case .unsigned, .boolean:
    summary.minimum = .max
    for unsafe word in unsafe words {
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

private func summarizeFloats(_ words: UnsafeBufferPointer<UInt64>, into summary: inout Summary) {
  var (low, high) = (Int64.max, Int64.min)
  var (sum, error) = (0.0, 0.0)
  for unsafe word in unsafe words {
    let value = Double(bitPattern: word)
    if value.isNaN {
      summary.hasNaN = true
    } else {
      // The order of these keys is that of the numbers, −0 below 0; the map is its own inverse.
      let key = Int64(bitPattern: word) ^ Int64(bitPattern: UInt64(bitPattern: Int64(bitPattern: word) >> 63) >> 1)
      low = min(low, key)
      high = max(high, key)
    }
    // Knuth's TwoSum: `total` rounded, and what the rounding lost.
    let total = sum + value
    let part = total - sum
    error += (sum - (total - part)) + (value - part)
    sum = total
  }
  summary.floatSum = sum
  summary.floatError = sum.isFinite ? error : 0
  if low <= high {
    summary.minimum = UInt64(bitPattern: low ^ Int64(bitPattern: UInt64(bitPattern: low >> 63) >> 1))
    summary.maximum = UInt64(bitPattern: high ^ Int64(bitPattern: UInt64(bitPattern: high >> 63) >> 1))
  } else {
    summary.minimum = summary.first
    summary.maximum = summary.first
  }
}

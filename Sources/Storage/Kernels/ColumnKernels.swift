import LineProtocol

/// Loops over dense words of one column, vectors where runs are long enough.
///
/// `SIMD8` with `replace(with:where:)`: `pointwiseMin` and `pointwiseMax` are slower than scalar code in this compiler. All take
/// a pointer to `count` words and read no others.
enum ColumnKernels {
  /// Runs below it are not worth setting up lanes.
  private static let vectorCountMin = 16

  /// The sum of floats: TwoSum in eight lanes, joined without loss.
  static func sum(floats words: UnsafePointer<UInt64>, _ count: Int) -> CompensatedSum {
    var total = CompensatedSum()
    var index = 0
    if count >= vectorCountMin {
      let bytes = unsafe UnsafeRawPointer(words)
      var sums = SIMD8<Double>.zero
      var errors = SIMD8<Double>.zero
      while index &+ 8 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        let next = sums + values
        let part = next - sums
        errors += (sums - (next - part)) + (values - part)
        sums = next
        index &+= 8
      }
      for lane in 0..<8 { total.add(CompensatedSum(sum: sums[lane], error: errors[lane])) }
    }
    while index < count {
      unsafe total.add(Double(bitPattern: words[index]))
      index &+= 1
    }
    return total
  }

  /// The exact sum of unsigned words: halves of 32 bits in lanes of 64, which cannot overflow below 2³² words.
  static func sum(unsigned words: UnsafePointer<UInt64>, _ count: Int) -> Int128 {
    unsafe sum(words, count, flip: 0)
  }

  /// The exact sum of signed words: shifted by 2⁶³ to be unsigned, and back.
  static func sum(integers words: UnsafePointer<UInt64>, _ count: Int) -> Int128 {
    unsafe sum(words, count, flip: 1 << 63) - Int128(count) << 63
  }

  private static func sum(_ words: UnsafePointer<UInt64>, _ count: Int, flip: UInt64) -> Int128 {
    let bytes = unsafe UnsafeRawPointer(words)
    var (low, high) = (SIMD8<UInt64>.zero, SIMD8<UInt64>.zero)
    let (flips, mask, shift) = (SIMD8(repeating: flip), SIMD8<UInt64>(repeating: 0xffff_ffff), SIMD8<UInt64>(repeating: 32))
    var index = 0
    while index &+ 8 <= count {
      let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<UInt64>.self) ^ flips
      low &+= values & mask
      high &+= values &>> shift
      index &+= 8
    }
    var total = Int128(low.wrappedSum()) + Int128(high.wrappedSum()) << 32
    while index < count {
      total += Int128(unsafe words[index] ^ flip)
      index &+= 1
    }
    return total
  }

  /// The lowest and the highest float, NaN left out unless there is nothing else; −0 is less than 0.
  static func extremes(floats words: UnsafePointer<UInt64>, _ count: Int) -> (minimum: UInt64, maximum: UInt64) {
    var (low, high) = (Double.infinity, -Double.infinity)
    var index = 0
    if count >= vectorCountMin {
      let bytes = unsafe UnsafeRawPointer(words)
      var (lows, highs) = (SIMD8(repeating: low), SIMD8(repeating: high))
      while index &+ 8 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        lows.replace(with: values, where: values .< lows)
        highs.replace(with: values, where: values .> highs)
        index &+= 8
      }
      (low, high) = (lows.min(), highs.max())
    }
    while index < count {
      let value = unsafe Double(bitPattern: words[index])
      low = value < low ? value : low
      high = value > high ? value : high
      index &+= 1
    }
    // `<` does not tell the zeros apart, and takes infinity for nothing seen: both are rare enough to look again.
    if low == 0 || high == 0 || low == .infinity || high == -.infinity { return unsafe orderedExtremes(words, count) }
    return (low.bitPattern, high.bitPattern)
  }

  private static func orderedExtremes(_ words: UnsafePointer<UInt64>, _ count: Int) -> (minimum: UInt64, maximum: UInt64) {
    var answer = unsafe (minimum: words[0], maximum: words[0])
    for index in 1..<max(count, 1) {
      let word = unsafe words[index]
      answer.minimum = WordOrder.float.lower(answer.minimum, word)
      answer.maximum = WordOrder.float.higher(answer.maximum, word)
    }
    return answer
  }

  /// The lowest and the highest signed word.
  static func extremes(integers words: UnsafePointer<UInt64>, _ count: Int) -> (minimum: UInt64, maximum: UInt64) {
    var (low, high) = (Int64.max, Int64.min)
    for index in 0..<count {
      let value = unsafe Int64(bitPattern: words[index])
      low = min(low, value)
      high = max(high, value)
    }
    return (UInt64(bitPattern: low), UInt64(bitPattern: high))
  }

  /// The lowest and the highest unsigned word.
  static func extremes(unsigned words: UnsafePointer<UInt64>, _ count: Int) -> (minimum: UInt64, maximum: UInt64) {
    var (low, high) = (UInt64.max, UInt64.min)
    for index in 0..<count {
      let word = unsafe words[index]
      low = min(low, word)
      high = max(high, word)
    }
    return (low, high)
  }
}

/// The order of a type's words.
enum WordOrder {
  case float, integer, unsigned

  init(_ type: FieldType) {
    switch type {
    case .float: self = .float
    case .integer: self = .integer
    case .unsigned, .boolean, .string: self = .unsigned
    }
  }

  /// Whether `a` is below `b`; −0 is below 0. NaN lies outside the order: see `lower`.
  @inline(__always)
  func precedes(_ a: UInt64, _ b: UInt64) -> Bool {
    switch self {
    case .float: Self.key(a) < Self.key(b)
    case .integer: Int64(bitPattern: a) < Int64(bitPattern: b)
    case .unsigned: a < b
    }
  }

  /// The lower of two, NaN only if both are.
  @inline(__always)
  func lower(_ a: UInt64, _ b: UInt64) -> UInt64 {
    if self == .float, Double(bitPattern: a).isNaN { return b }
    if self == .float, Double(bitPattern: b).isNaN { return a }
    return precedes(b, a) ? b : a
  }

  /// The higher of two, NaN only if both are.
  @inline(__always)
  func higher(_ a: UInt64, _ b: UInt64) -> UInt64 {
    if self == .float, Double(bitPattern: a).isNaN { return b }
    if self == .float, Double(bitPattern: b).isNaN { return a }
    return precedes(a, b) ? b : a
  }

  /// A float's bits as an integer of the same order.
  @inline(__always)
  private static func key(_ word: UInt64) -> Int64 {
    let bits = Int64(bitPattern: word)
    return bits ^ Int64(bitPattern: UInt64(bitPattern: bits >> 63) >> 1)
  }
}

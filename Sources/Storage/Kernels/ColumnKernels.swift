/// Loops over dense words of one column, vectors where runs are long enough.
///
/// `SIMD8` with `replace(with:where:)`: `pointwiseMin` and `pointwiseMax` are slower than scalar code in this compiler. All take
/// a pointer to `count` words and read no others.
enum ColumnKernels {
  /// Runs below it are not worth setting up lanes.
  private static let vectorCountMin = 16

  /// The sum of floats: TwoSum in four lanes, joined without loss. (Eight lanes spill: half the speed.)
  static func sum(floats words: UnsafePointer<UInt64>, _ count: Int) -> CompensatedSum {
    var total = CompensatedSum()
    var index = 0
    if count >= vectorCountMin {
      let bytes = unsafe UnsafeRawPointer(words)
      var sums = SIMD4<Double>.zero
      var errors = SIMD4<Double>.zero
      while index &+ 4 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD4<Double>.self)
        let next = sums + values
        let part = next - sums
        errors += (sums - (next - part)) + (values - part)
        sums = next
        index &+= 4
      }
      for lane in 0..<4 { total.add(CompensatedSum(sum: sums[lane], error: errors[lane])) }
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
    let (flips, mask, shift) = (
      SIMD8(repeating: flip), SIMD8<UInt64>(repeating: 0xffff_ffff), SIMD8<UInt64>(repeating: 32)
    )
    var index = 0
    var total: Int128 = 0
    if count >= vectorCountMin {
      while index &+ 8 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<UInt64>.self) ^ flips
        low &+= values & mask
        high &+= values &>> shift
        index &+= 8
      }
      total = Int128(low.wrappedSum()) + Int128(high.wrappedSum()) << 32
    }
    while index < count {
      total &+= Int128(unsafe words[index] ^ flip)
      index &+= 1
    }
    return total
  }

  /// The lowest float, NaN left out unless there is nothing else; −0 is less than 0.
  static func lowest(floats words: UnsafePointer<UInt64>, _ count: Int) -> UInt64 {
    var low = Double.infinity
    var index = 0
    if count >= vectorCountMin {
      let bytes = unsafe UnsafeRawPointer(words)
      var lows = SIMD8(repeating: low)
      while index &+ 8 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        lows.replace(with: values, where: values .< lows)
        index &+= 8
      }
      low = lows.min()
    }
    while index < count {
      let value = unsafe Double(bitPattern: words[index])
      low = value < low ? value : low
      index &+= 1
    }
    // `<` does not tell the zeros apart, and takes infinity for nothing seen.
    if low == 0 { return unsafe contains((-0.0).bitPattern, words, count) ? (-0.0).bitPattern : 0 }
    if low == .infinity { return unsafe ordered(words, count) { WordOrder.float.lower($0, $1) } }
    return low.bitPattern
  }

  /// The highest float, NaN left out unless there is nothing else; 0 is more than −0.
  static func highest(floats words: UnsafePointer<UInt64>, _ count: Int) -> UInt64 {
    var high = -Double.infinity
    var index = 0
    if count >= vectorCountMin {
      let bytes = unsafe UnsafeRawPointer(words)
      var highs = SIMD8(repeating: high)
      while index &+ 8 <= count {
        let values = unsafe bytes.loadUnaligned(fromByteOffset: index &* 8, as: SIMD8<Double>.self)
        highs.replace(with: values, where: values .> highs)
        index &+= 8
      }
      high = highs.max()
    }
    while index < count {
      let value = unsafe Double(bitPattern: words[index])
      high = value > high ? value : high
      index &+= 1
    }
    if high == 0 { return unsafe contains(0, words, count) ? 0 : (-0.0).bitPattern }
    if high == -.infinity { return unsafe ordered(words, count) { WordOrder.float.higher($0, $1) } }
    return high.bitPattern
  }

  /// Whether a word of this very pattern is there.
  private static func contains(_ word: UInt64, _ words: UnsafePointer<UInt64>, _ count: Int) -> Bool {
    // No way out early: so it is a vector loop.
    var isThere = false
    for index in 0..<count { isThere = unsafe isThere || words[index] == word }
    return isThere
  }

  private static func ordered(
    _ words: UnsafePointer<UInt64>, _ count: Int, _ choose: (UInt64, UInt64) -> UInt64
  ) -> UInt64 {
    var answer = unsafe words[0]
    for index in 1..<max(count, 1) { answer = unsafe choose(answer, words[index]) }
    return answer
  }

  // Both ends at once, even where one is asked: the compiler makes this loop a vector loop, one for either end alone it does
  // not. Minimum and maximum of 8,192 integers: 1.2 G values/s against 0.7.

  /// The lowest and the highest signed word.
  @inline(never)
  static func extremes(integers words: UnsafePointer<UInt64>, _ count: Int) -> (
    lowest: UInt64, highest: UInt64
  ) {
    var (low, high) = (Int64.max, Int64.min)
    for index in 0..<count {
      let value = unsafe Int64(bitPattern: words[index])
      low = min(low, value)
      high = max(high, value)
    }
    return (UInt64(bitPattern: low), UInt64(bitPattern: high))
  }

  /// The lowest and the highest unsigned word.
  @inline(never)
  static func extremes(unsigned words: UnsafePointer<UInt64>, _ count: Int) -> (
    lowest: UInt64, highest: UInt64
  ) {
    var (low, high) = (UInt64.max, UInt64.min)
    for index in 0..<count {
      let word = unsafe words[index]
      low = min(low, word)
      high = max(high, word)
    }
    return (low, high)
  }
}

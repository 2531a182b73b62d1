extension PackedGroup {
  /// Words of scratch: four histograms of widths as 32-bit counts, rows of exceptions as 16 bits.
  static let scratchWordCount = histogramWordCount + groupRowCount / 4
  private static let histogramWordCount = 4 * histogramByteCount / 8
  private static let histogramByteCount = 72 * 4

  /// Prepares a group for packing: `words` are what prediction left over, and become what is packed.
  ///
  /// Chooses base and width so that packed words and exceptions take the fewest bits, by a sample of 256
  /// rows; then counts exceptions exactly, so that a group never takes more than the span of its words.
  /// `base` of a line is to join its start.
  init(fitting words: UnsafeMutablePointer<UInt64>, rowCount: Int, scratch: UnsafeMutablePointer<UInt64>) {
    let choice = unsafe Self.choose(words, rowCount: rowCount, scratch: scratch)
    base = choice.base
    width = choice.width
    let rows = unsafe Self.exceptionRows(scratch)
    let found = unsafe Self.subtract(base, from: words, rowCount: rowCount, width: width, rows: rows)
    guard found.exceptionCount > 0 else {
      width = 64 - found.all.leadingZeroBitCount
      return
    }
    exceptionCount = found.exceptionCount
    highByteCount = (64 - found.highs.leadingZeroBitCount + 8) / 8
    // Any other width takes a bit a row more at least.
    let exceptionBits = exceptionCount * 8 * Self.exceptionByteCount(highByteCount) + 16
    guard exceptionBits >= rowCount else { return }
    var (low, high) = (Int64.max, Int64.min)
    for row in 0..<rowCount {
      let word = Int64(bitPattern: unsafe words[row])
      low = min(low, word)
      high = max(high, word)
    }
    let span = 64 - UInt64(bitPattern: high &- low).leadingZeroBitCount
    guard rowCount * width + exceptionBits >= rowCount * span else { return }
    (width, exceptionCount, highByteCount) = (span, 0, 0)
    base &+= UInt64(bitPattern: low)
    for row in 0..<rowCount { unsafe words[row] &-= UInt64(bitPattern: low) }
  }

  /// The place in scratch where `init(fitting:)` leaves the rows of exceptions.
  private static func exceptionRows(_ scratch: UnsafeMutablePointer<UInt64>) -> UnsafeMutablePointer<UInt16> {
    unsafe UnsafeMutableRawPointer(scratch + histogramWordCount).assumingMemoryBound(to: UInt16.self)
  }

  /// The bits of a word above `width`, with its sign; 0 in all but exceptions.
  @inline(__always)
  private static func high(_ word: UInt64, _ width: Int) -> Int64 {
    // A word of 64 bits has none above.
    width == 64 ? 0 : word < (1 &<< UInt64(width)) ? 0 : Int64(bitPattern: word) &>> Int64(width)
  }

  /// Subtracts `base`; gives all words' bits, the number of exceptions and the bits of their highs'
  /// magnitudes; writes down their rows.
  private static func subtract(
    _ base: UInt64, from words: UnsafeMutablePointer<UInt64>, rowCount: Int, width: Int,
    rows: UnsafeMutablePointer<UInt16>
  ) -> (all: UInt64, exceptionCount: Int, highs: UInt64) {
    typealias Lanes = SIMD8<UInt64>
    let bytes = UnsafeMutableRawPointer(words)
    let lanesOfBase = Lanes(repeating: base)
    let limit = ~BitPacking.mask(width)
    var (all, exceptions, highs): (UInt64, Int, UInt64) = (0, 0, 0)
    // Sixteen rows at a time: the few of them that hold exceptions are looked at again, row by row.
    var first = 0
    while first < rowCount {
      var some: UInt64 = 0
      let end = min(rowCount, first &+ 16)
      if end &- first == 16 {
        let a = unsafe bytes.loadUnaligned(fromByteOffset: first &* 8, as: Lanes.self) &- lanesOfBase
        let b = unsafe bytes.loadUnaligned(fromByteOffset: first &* 8 &+ 64, as: Lanes.self) &- lanesOfBase
        unsafe bytes.storeBytes(of: a, toByteOffset: first &* 8, as: Lanes.self)
        unsafe bytes.storeBytes(of: b, toByteOffset: first &* 8 &+ 64, as: Lanes.self)
        let four = (a | b).lowHalf | (a | b).highHalf
        some = four[0] | four[1] | four[2] | four[3]
      } else {
        for row in first..<end {
          unsafe words[row] &-= base
          some |= unsafe words[row]
        }
      }
      all |= some
      if some & limit != 0 {
        for row in first..<end {
          let high = unsafe high(words[row], width)
          // There is room for every row; one that is no exception is written over.
          unsafe rows[exceptions & (groupRowCount &- 1)] = UInt16(truncatingIfNeeded: row)
          exceptions &+= high == 0 ? 0 : 1
          highs |= UInt64(bitPattern: high ^ (high &>> 63))
        }
      }
      first = end
    }
    return (all, exceptions, highs)
  }

  /// Appends the group's body of `bodyByteCount(rowCount)` bytes: `words` and `scratch` are as
  /// `init(fitting:)` left them.
  func encodeBody(
    _ words: UnsafePointer<UInt64>, rowCount: Int, scratch: UnsafeMutablePointer<UInt64>,
    into output: inout [UInt8]
  ) {
    output.append(addingCapacity: bodyByteCount(rowCount)) { span in
      // Exactly `bodyByteCount` bytes are written: the packed words, then a row and high bits for each
      // exception counted.
      unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
        guard let start = buffer.baseAddress else { return }
        let target = unsafe UnsafeMutableRawPointer(start + initializedCount)
        if rowCount == groupRowCount {
          unsafe BitPacking.packGroup(words, width: width, into: target)
        } else {
          unsafe BitPacking.packStream(words, count: rowCount, width: width, into: target)
        }
        if exceptionCount > 0 {
          let packed = BitPacking.byteCount(rowCount, width: width)
          unsafe encodeExceptions(words, rows: Self.exceptionRows(scratch), into: target + packed)
        }
        initializedCount += bodyByteCount(rowCount)
      }
    }
  }

  private func encodeExceptions(
    _ words: UnsafePointer<UInt64>, rows: UnsafePointer<UInt16>, into target: UnsafeMutableRawPointer
  ) {
    for index in 0..<exceptionCount {
      let row = unsafe rows[index]
      let high = unsafe Self.high(words[Int(row)], width)
      unsafe target.storeBytes(of: row.littleEndian, toByteOffset: 2 * index, as: UInt16.self)
      for byte in 0..<highByteCount {
        unsafe target.storeBytes(
          of: UInt8(truncatingIfNeeded: high &>> Int64(8 * byte)),
          toByteOffset: 2 * exceptionCount + index * highByteCount + byte, as: UInt8.self)
      }
    }
  }

  // MARK: Base and width

  /// The base and width of fewest bits for a sample of `words`, and about how many bits all of them then
  /// take.
  static func choose(
    _ words: UnsafePointer<UInt64>, rowCount: Int, scratch: UnsafeMutablePointer<UInt64>
  ) -> (base: UInt64, width: Int, bitCount: Int) {
    let centre = unsafe centre(words, rowCount: rowCount)
    let counts = unsafe UnsafeMutableRawPointer(scratch).assumingMemoryBound(to: UInt32.self)
    let shift = rowCount >= 1024 ? 2 : rowCount >= 512 ? 1 : 0
    let sample = unsafe countWidths(words, rowCount: rowCount, shift: shift, centre: centre, into: counts)
    // A window of 2^w around the centre holds the magnitudes of fewer than w bits; the rest are exceptions.
    let magnitudes = UInt64(
      bitPattern: (sample.high ^ (sample.high >> 63)) | (sample.low ^ (sample.low >> 63)))
    let widest = 64 - magnitudes.leadingZeroBitCount
    var best = (base: centre &- (1 &<< UInt64(widest)), width: widest + 1)
    var bitCount = rowCount * best.width
    var exceptions = 0
    for magnitude in stride(from: widest, to: 0, by: -1) {
      let at = unsafe counts + magnitude
      exceptions += unsafe Int(at[0] &+ at[72] &+ at[144] &+ at[216])
      let highBytes = (widest - magnitude + 8) / 8
      let bits = rowCount * magnitude + (exceptions &<< shift) * 8 * exceptionByteCount(highBytes) + 16
      if bits < bitCount {
        bitCount = bits
        best = (centre &- (1 &<< UInt64(magnitude - 1)), magnitude)
      }
    }
    let exceptionBits = 8 * exceptionByteCount((widest + 8) / 8)
    if (exceptions &<< shift) * exceptionBits < bitCount {
      // No window at all but one value, the centre: all others, which are those of magnitude and more, become
      // exceptions.
      let others =
        unsafe sample.count
        - equalCount(words, to: centre, rowCount: rowCount, sampleCount: sample.count, shift: shift)
      let bits = (others &<< shift) * exceptionBits + (others > 0 ? 16 : 0)
      if bits < bitCount { (bitCount, best) = (bits, (centre, 0)) }
    }
    // The window of all that the sample holds, with what it has to spare on both sides.
    let range = UInt64(bitPattern: sample.high &- sample.low)
    let hullWidth = 64 - range.leadingZeroBitCount
    if rowCount * hullWidth <= bitCount {
      let spare = BitPacking.mask(hullWidth) &- range
      return (centre &+ UInt64(bitPattern: sample.low) &- spare / 2, hullWidth, rowCount * hullWidth)
    }
    return (best.base, best.width, bitCount)
  }

  /// Counts the widths of a sample's magnitudes around `centre`, where −1 has that of 0, in four histograms
  /// of 72 so that one count does not wait for the last; gives the sample's size, least and greatest.
  private static func countWidths(
    _ words: UnsafePointer<UInt64>, rowCount: Int, shift: Int, centre: UInt64,
    into counts: UnsafeMutablePointer<UInt32>
  ) -> (count: Int, low: Int64, high: Int64) {
    unsafe counts.update(repeating: 0, count: 4 * 72)
    var (low, high) = (Int64.max, Int64.min)
    @inline(__always) func count(_ row: Int, _ histogram: Int) {
      let value = Int64(bitPattern: unsafe words[row] &- centre)
      low = value < low ? value : low
      high = value > high ? value : high
      // The sign's bit is 0 here; doubled and made odd, so that the width of 0 needs no case.
      let odd = UInt64(bitPattern: value ^ (value &>> 63)) &<< 1 | 1
      unsafe counts[histogram &* 72 &+ (63 &- odd.leadingZeroBitCount)] &+= 1
    }
    // One of every 1, 2 or 4 rows, at places that wander so that no period hides from them.
    let mask = (1 &<< shift) &- 1
    let (second, third, fourth) = (
      1 &<< shift | (1 & mask), 2 &<< shift | (2 & mask), 3 &<< shift | (3 & mask)
    )
    var row = 0
    while row &+ 4 &<< shift <= rowCount {
      count(row, 0)
      count(row &+ second, 1)
      count(row &+ third, 2)
      count(row &+ fourth, 3)
      row &+= 4 &<< shift
    }
    var sampleCount = row >> shift
    while row < rowCount {
      count(row, 0)
      sampleCount &+= 1
      row &+= mask &+ 1
    }
    return (sampleCount, low, high)
  }

  /// The middle of what is packed: 0 where that lies well inside, else the median of 15 rows.
  private static func centre(_ words: UnsafePointer<UInt64>, rowCount: Int) -> UInt64 {
    let count = min(15, rowCount)
    // Relative to the first of them, so that words around 2⁶³ sort as they lie.
    let first = unsafe words[rowCount / (2 * count)]
    var sample = InlineArray<15, Int64>(repeating: 0)
    for index in 0..<count {
      let value = Int64(bitPattern: unsafe words[(2 * index + 1) * rowCount / (2 * count)] &- first)
      var place = index
      while place > 0, sample[place - 1] > value {
        sample[place] = sample[place - 1]
        place -= 1
      }
      sample[place] = value
    }
    let lower = Int64(bitPattern: UInt64(bitPattern: sample[count / 4]) &+ first)
    let upper = Int64(bitPattern: UInt64(bitPattern: sample[count - 1 - count / 4]) &+ first)
    return lower <= 0 && upper >= 0 ? 0 : UInt64(bitPattern: sample[count / 2]) &+ first
  }

  private static func equalCount(
    _ words: UnsafePointer<UInt64>, to centre: UInt64, rowCount: Int, sampleCount: Int, shift: Int
  ) -> Int {
    var count = 0
    for index in 0..<sampleCount {
      // As in `countWidths`, but for the last few.
      let row = min(index &<< shift | (index & ((1 &<< shift) &- 1)), rowCount &- 1)
      count &+= unsafe words[row] == centre ? 1 : 0
    }
    return count
  }
}

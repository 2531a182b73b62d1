/// Finds out whether floats are decimals, and turns them into integers.
enum DecimalDetection {
  /// The least exponent that makes a decimal of a float, or one that is near; nil where none does.
  static func exponent(of word: UInt64) -> Int? {
    var power = 1.0
    for exponent in 0...RestoreDecimal.exponentMax {
      if nearest(to: word, power: power) != nil { return exponent }
      power *= 10
    }
    return nil
  }

  /// Magnitudes of `m` from which floats are not taken for near: decimals lie so close there that any float is near one.
  private static let nearMantissaLimit: UInt64 = 1 << 42

  /// `m` with |m| < 2⁵¹ whose quotient `m / power` has the bits of `word`, or is some units in the last place off; nil where there is
  /// none, as for NaN, infinities and −0.
  @inline(__always)
  static func nearest(to word: UInt64, power: Double) -> (mantissa: UInt64, unitCount: Int64)? {
    let sum = Double(bitPattern: word) * power + RestoreDecimal.magic
    let mantissa = sum.bitPattern &- RestoreDecimal.magicBits
    guard (mantissa &+ 1 << 51) >> 52 == 0 else { return nil }
    let quotient = ((sum - RestoreDecimal.magic) / power).bitPattern
    let unitCount = Int64(bitPattern: word &- quotient)
    if unitCount == 0 { return (mantissa, 0) }
    let isNear =
      unitCount.magnitude <= UInt64(Corrections.unitCountMax)
      && Int64(bitPattern: mantissa).magnitude < nearMantissaLimit
    return isNear ? (mantissa, unitCount) : nil
  }

  /// The exponent that serves nearly all of `words`, by a sample of them; nil where more than one in eight is
  /// no decimal.
  static func exponent(of words: UnsafeBufferPointer<UInt64>, sampleCount: Int) -> Int? {
    let count = min(words.count, sampleCount)
    var most = 0
    var failures = 0
    for index in 0..<count {
      // Spread over the block, below `words.count`.
      if let exponent = unsafe exponent(of: words[index * words.count / count]) {
        most = max(most, exponent)
      } else {
        failures += 1
        if failures * 8 > count { return nil }
      }
    }
    return most
  }

  /// Turns `count` floats into integers; what is to be corrected is noted, and a float that is no decimal and near none takes the
  /// integer before it.
  ///
  /// Returns false, with the work half done, where that are too many.
  static func convert(
    _ words: UnsafePointer<UInt64>, count: Int, power: Double, firstRow: Int, previous: UInt64,
    into values: UnsafeMutablePointer<UInt64>, _ corrections: inout Corrections
  ) -> Bool {
    typealias Lanes = SIMD8<UInt64>
    let source = unsafe UnsafeRawPointer(words)
    let target = UnsafeMutableRawPointer(values)
    let powers = SIMD8(repeating: power)
    let magic = SIMD8(repeating: RestoreDecimal.magic)
    let magicBits = Lanes(repeating: RestoreDecimal.magicBits)
    var row = 0
    while row < count {
      let end = min(count, row &+ 8)
      if end &- row == 8 {
        let floats = unsafe source.loadUnaligned(fromByteOffset: row &* 8, as: SIMD8<Double>.self)
        let sums = floats * powers + magic
        let mantissas = unsafe unsafeBitCast(sums, to: Lanes.self) &- magicBits
        let quotients = (sums - magic) / powers
        let wrong =
          unsafe (unsafeBitCast(quotients, to: Lanes.self) ^ unsafeBitCast(floats, to: Lanes.self))
          | ((mantissas &+ Lanes(repeating: 1 << 51)) &>> Lanes(repeating: 52))
        unsafe target.storeBytes(of: mantissas, toByteOffset: row &* 8, as: Lanes.self)
        let four = wrong.lowHalf | wrong.highHalf
        if four[0] | four[1] | four[2] | four[3] == 0 {
          row = end
          continue
        }
      }
      while row < end {
        let word = unsafe words[row]
        if let (mantissa, unitCount) = nearest(to: word, power: power) {
          unsafe values[row] = mantissa
          if unitCount != 0, !corrections.add(firstRow + row, unitCount: unitCount) { return false }
        } else {
          unsafe values[row] = row > 0 ? values[row &- 1] : previous
          if !corrections.add(firstRow + row, word: word) { return false }
        }
        row &+= 1
      }
    }
    return true
  }
}

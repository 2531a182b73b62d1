import Coding
import TestSupport

/// Columns of many shapes, made from a seed.
enum Shape: String, CaseIterable, Sendable {
  case random, integerWalk, decimalWalk, oneDecimal, preciseWalk, preciseRandom, signedNormal, singlePrecision
  case counter, counterWithResets, constant, twoValues, alternatingSign, extremes, unsignedTop, multiples
  case specials, subnormals, decimalsWithSpecials, negativeZeros, sparse, ramp, largeIntegralFloats
  case regularTimes, millisecondJitter, nanosecondJitter, timesWithGaps, timesOfManySeries
  case booleans, rareBooleans, longRuns, fahrenheit, identifiers, sumsOfDecimals
  case heavyTail, frequentDecimals, randomTimes

  var kind: ColumnKind {
    switch self {
    case .random, .unsignedTop: .unsigned
    case .integerWalk, .counter, .counterWithResets, .constant, .twoValues, .alternatingSign, .extremes,
      .multiples,
      .sparse, .ramp, .identifiers, .heavyTail:
      .integer
    case .regularTimes, .millisecondJitter, .nanosecondJitter, .timesWithGaps, .timesOfManySeries,
      .randomTimes:
      .timestamp
    case .booleans, .rareBooleans, .longRuns: .boolean
    default: .float
    }
  }

  func words(_ count: Int, seed: UInt64) -> [UInt64] {
    var generator = SplitMix64(seed: seed ^ UInt64(count))
    var walk = Double.random(in: 0...100, using: &generator)
    var total: Int64 = 0
    func integer(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) }
    return (0..<count).map { row in
      switch self {
      case .random: return generator.next()
      case .integerWalk:
        walk = min(100, max(0, walk + normal(&generator)))
        return integer(Int64(walk))
      case .decimalWalk:
        walk = min(100, max(0, walk + normal(&generator) * 0.1))
        return ((walk * 100).rounded() / 100).bitPattern
      case .oneDecimal: return (Double(Int.random(in: -9999...9999, using: &generator)) / 10).bitPattern
      case .preciseWalk:
        walk = min(100, max(0, walk + normal(&generator)))
        return walk.bitPattern
      case .preciseRandom: return Double.random(in: 0..<100, using: &generator).bitPattern
      case .signedNormal: return normal(&generator).bitPattern
      case .singlePrecision: return Double(Float.random(in: 0..<100, using: &generator)).bitPattern
      case .counter:
        total += Int64.random(in: 0...5000, using: &generator)
        return integer(total)
      case .counterWithResets:
        total = row % 700 == 699 ? 0 : total + Int64.random(in: 1000...1900, using: &generator)
        return integer(total)
      case .constant: return integer(-42)
      case .twoValues: return Bool.random(using: &generator) ? 7 : integer(-1_000_000)
      case .alternatingSign: return integer(row % 2 == 0 ? 1000 : -1000)
      case .extremes:
        return [integer(.min), integer(.max), 0, 1, .max][Int.random(in: 0..<5, using: &generator)]
      case .unsignedTop: return .max - UInt64.random(in: 0...1000, using: &generator)
      case .multiples: return integer(Int64.random(in: -500...500, using: &generator) * 4096 * 25)
      case .specials:
        let few: [Double] = [.nan, -.nan, .infinity, -.infinity, 0, -0.0, 1.5, .greatestFiniteMagnitude]
        return row % 9 == 0
          ? 0x7ff4_0000_0000_0001 | UInt64(row) : few[Int.random(in: 0..<8, using: &generator)].bitPattern
      case .subnormals:
        return UInt64.random(in: 0..<1 << 52, using: &generator) | (row % 3 == 0 ? 1 << 63 : 0)
      case .decimalsWithSpecials:
        return row % 97 == 5 ? Double.nan.bitPattern : (Double(row % 1000) / 100).bitPattern
      case .negativeZeros: return row % 50 == 49 ? (-0.0).bitPattern : (Double(row % 7) / 10).bitPattern
      case .sparse: return row % 211 == 7 ? generator.next() : 5
      case .ramp: return integer(Int64(row) * 37 - 5)
      case .largeIntegralFloats: return (1.7e18 + Double(row) * 1e9).bitPattern
      case .regularTimes: return integer(1_700_000_000_000_000_000 + Int64(row) * 10_000_000_000)
      case .millisecondJitter:
        return integer(
          1_700_000_000_000_000_000 + Int64(row) * 10_000_000_000
            + Int64.random(in: 0...4, using: &generator) * 1_000_000)
      case .nanosecondJitter:
        return integer(
          1_700_000_000_000_000_000 + Int64(row) * 10_000_000_000
            + Int64.random(in: 0...2_000_000, using: &generator))
      case .timesWithGaps:
        total += row % 300 == 299 ? 3_600_000_000_000 : 10_000_000_000
        return integer(-5_000_000_000_000 + total)
      case .timesOfManySeries: return integer(1_700_000_000_000_000_000 + Int64(row % 60) * 1_000_000_000)
      case .booleans: return UInt64.random(in: 0...1, using: &generator)
      case .rareBooleans: return Int.random(in: 0..<20, using: &generator) == 0 ? 1 : 0
      case .fahrenheit:
        walk = min(100, max(0, walk + normal(&generator)))
        return ((walk * 10).rounded() / 10 * 1.8 + 32).bitPattern
      case .sumsOfDecimals:
        walk = min(100, max(-20, walk + normal(&generator) * 0.1))
        let off = [0, 0, 0, 0, 0, 0, 1, -1, 2, -3][Int.random(in: 0..<10, using: &generator)]
        let word = ((walk * 1_000).rounded() / 1_000).bitPattern &+ UInt64(bitPattern: Int64(off))
        return row % 301 == 77 ? Double.nan.bitPattern : word
      case .identifiers:
        return UInt64.random(in: 1...40, using: &generator) &* 0x9e37_79b9_7f4a_7c15
      case .longRuns: return UInt64(row / 100 % 2)
      case .heavyTail:
        let sign: Int64 = Bool.random(using: &generator) ? 1 : -1
        return integer(sign * Int64(generator.next() >> UInt64(Int.random(in: 16...63, using: &generator))))
      case .frequentDecimals:
        let few = [0.25, 17.5, 380.75, 1024.5]
        let isFrequent = Int.random(in: 0..<10, using: &generator) < 9
        return
          (isFrequent
          ? few[min(3, (generator.next() | 8).trailingZeroBitCount)]
          : (Double.random(in: 0..<9999, using: &generator) * 100).rounded() / 100).bitPattern
      case .randomTimes:
        // Waiting times: of any length, short ones more often.
        let shift = UInt64(30 + 6 * (generator.next() | 1 << 5).trailingZeroBitCount)
        total += Int64(generator.next() >> shift) * 1000
        return integer(1_700_000_000_000_000_000 + total)
      }
    }
  }

  /// A standard normal variate: twelve uniform ones.
  private func normal(_ generator: inout SplitMix64) -> Double {
    (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
  }
}

/// Encodes `words` with a new encoder.
func encoded(_ words: [UInt64], _ kind: ColumnKind) -> [UInt8] {
  var encoder = BlockEncoder(kind: kind)
  var payload: [UInt8] = []
  encoder.encode(words.span, into: &payload)
  return payload
}

/// Decodes `rows` of a block.
func decoded(_ payload: [UInt8], _ kind: ColumnKind, count: Int, rows: Range<Int>) throws -> [UInt64] {
  var decoder = BlockDecoder()
  var words: [UInt64] = []
  try decoder.decode(payload.span, kind: kind, count: count, rows: rows, into: &words)
  return words
}

/// Bytes of a stored block less its trailer.
func storedByteCount(_ payload: [UInt8]) -> Int {
  var stored: [UInt8] = []
  sealBlock(payload, into: &stored)
  return stored.count - blockTrailerByteCount
}

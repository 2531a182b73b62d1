import TestSupport
import Testing

@testable import Coding

@Suite("Blocks in ranges")
struct RangeTests {
  static let shapes: [Shape] = [.heavyTail, .frequentDecimals, .randomTimes]

  @Test("are made of what is unevenly spread, and not of what packs well", arguments: Shape.allCases)
  func choice(shape: Shape) throws {
    let payload = encoded(shape.words(4096, seed: 7), shape.kind)
    if Self.shapes.contains(shape) {
      #expect(payload[0] == Encoding.ranges.rawValue)
    } else if [.integerWalk, .decimalWalk, .counter, .preciseWalk, .millisecondJitter].contains(shape) {
      #expect(payload[0] == Encoding.packed.rawValue)
    }
  }

  @Test("take as many bits as the frequencies of values ask for, and a tenth more at most", arguments: 0..<4)
  func entropy(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    let words = (0..<16_384).map { _ in UInt64((generator.next() | 1 << 20).trailingZeroBitCount) &* 0x1_0001
    }
    var counts: [UInt64: Double] = [:]
    for word in words { counts[word, default: 0] += 1 }
    let bits = counts.values.reduce(0) { $0 + $1 * logarithm(Double(words.count) / $1) }
    let payload = try #require(inRanges(words))
    #expect(Double(payload.count) * 8 < bits * 1.1)
  }

  /// To base 2, by squaring: tests do without a library for it.
  private func logarithm(_ value: Double) -> Double {
    var (rest, sum, weight) = (value.significand, Double(value.exponent), 0.5)
    for _ in 0..<40 {
      rest *= rest
      if rest >= 2 { (rest, sum) = (rest / 2, sum + weight) }
      weight /= 2
    }
    return sum
  }

  @Test("come back exactly whatever the words, prediction and transform", arguments: Shape.allCases)
  func anyWords(shape: Shape) throws {
    var count = 0
    for rowCount in [1, 2, 63, 1024, 1025, 2500] {
      let words = shape.words(rowCount, seed: 8)
      for prediction in Prediction.allCases {
        for code in [TransformCode.identity, .rotated] {
          let plan = PackedPlan(code: code, prediction: prediction, isInRanges: true)
          guard let payload = inRanges(words, plan) else { continue }
          let back = try decoded(payload, shape.kind, count: rowCount, rows: 0..<rowCount)
          if back != words { Issue.record("\(shape) of \(rowCount), \(prediction), \(code)") }
          count += 1
        }
      }
    }
    // Only what spans more than 56 bits is refused.
    if ![.random, .extremes, .twoValues].contains(shape) { #expect(count > 0) }
  }

  @Test("of flipped bits are refused or decode to something, and never trap", arguments: shapes)
  func flipped(shape: Shape) throws {
    var generator = SplitMix64(seed: 9)
    var refusedCount = 0
    for rowCount in [64, 1024, 1500] {
      let payload = try #require(inRanges(shape.words(rowCount, seed: 9), plan(of: shape)))
      for trial in 0..<600 {
        var flipped = payload
        let end = trial % 2 == 0 ? min(60, flipped.count) : flipped.count
        for _ in 0...trial % 3 {
          flipped[Int.random(in: 0..<end, using: &generator)] ^=
            1 << UInt8.random(in: 0..<8, using: &generator)
        }
        if (try? decoded(flipped, shape.kind, count: rowCount, rows: 0..<rowCount)) == nil {
          refusedCount += 1
        }
      }
    }
    #expect(refusedCount > 300)
  }

  @Test("cut at any length are refused", arguments: shapes)
  func cut(shape: Shape) throws {
    let payload = try #require(inRanges(shape.words(300, seed: 10), plan(of: shape)))
    for length in payload.indices
    where (try? decoded(Array(payload[..<length]), shape.kind, count: 300, rows: 0..<300)) != nil {
      Issue.record("\(shape) cut to \(length) of \(payload.count) bytes")
    }
  }

  private func plan(of shape: Shape) -> PackedPlan {
    PackedPlan(
      code: shape == .frequentDecimals ? .decimal : .identity, exponent: 2,
      prediction: shape == .randomTimes ? .delta : .none, isInRanges: true)
  }

  private func inRanges(
    _ words: [UInt64], _ plan: PackedPlan = PackedPlan(prediction: .none, isInRanges: true)
  ) -> [UInt8]? {
    var payload: [UInt8] = []
    return words.withUnsafeBufferPointer { plan.encode($0, into: &payload) } ? payload : nil
  }
}

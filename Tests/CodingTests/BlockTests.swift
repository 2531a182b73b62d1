import Coding
import TestSupport
import Testing

@Suite("Blocks of words")
struct BlockTests {
  static let counts = [0, 1, 2, 3, 7, 63, 64, 65, 1023, 1024, 1025, 2047, 4096, 5000]

  @Test("any words come back exactly, and take 8 bytes a word and 12 at most", arguments: Shape.allCases)
  func roundTrip(shape: Shape) throws {
    for count in Self.counts {
      let words = shape.words(count, seed: 1)
      let payload = encoded(words, shape.kind)
      let back = try decoded(payload, shape.kind, count: count, rows: 0..<count)
      if back != words { Issue.record("\(shape) of \(count): \(firstDifference(words, back))") }
      if payload.count > count * 8 + 12 { Issue.record("\(shape) of \(count): \(payload.count) bytes") }
    }
  }

  @Test("any kind takes any words", arguments: ColumnKind.allCases)
  func everyKind(kind: ColumnKind) throws {
    for shape in Shape.allCases {
      let words = shape.words(1500, seed: 2)
      let back = try decoded(encoded(words, kind), kind, count: 1500, rows: 0..<1500)
      if back != words { Issue.record("\(shape) as \(kind): \(firstDifference(words, back))") }
    }
  }

  @Test("rows decode alone as they do together", arguments: Shape.allCases)
  func ranges(shape: Shape) throws {
    var generator = SplitMix64(seed: 3)
    for count in [5, 1024, 3100, 4096] {
      let words = shape.words(count, seed: 3)
      let payload = encoded(words, shape.kind)
      var ranges = [0..<0, count..<count, 0..<1, count - 1..<count, 1..<count]
      for _ in 0..<12 {
        let start = Int.random(in: 0...count, using: &generator)
        ranges.append(start..<Int.random(in: start...count, using: &generator))
      }
      if count > 1024 { ranges += [0..<1024, 1024..<2048, 1023..<1025, 1000..<3000] }
      for rows in ranges {
        let back = try decoded(payload, shape.kind, count: count, rows: rows)
        if back != Array(words[rows]) { Issue.record("\(shape) of \(count), rows \(rows)") }
      }
    }
  }

  @Test("one encoder serves blocks of changing shape", arguments: 0..<8)
  func changingShapes(seed: Int) throws {
    var generator = SplitMix64(seed: UInt64(seed))
    for kind in ColumnKind.allCases {
      var encoder = BlockEncoder(kind: kind)
      for block in 0..<24 {
        let shape = Shape.allCases[Int.random(in: 0..<Shape.allCases.count, using: &generator)]
        let count = Int.random(in: 1...1500, using: &generator)
        let words = shape.words(count, seed: UInt64(block))
        var payload: [UInt8] = [1, 2, 3]
        encoder.encode(words.span, into: &payload)
        let back = try decoded(Array(payload.dropFirst(3)), kind, count: count, rows: 0..<count)
        if back != words { Issue.record("seed \(seed), block \(block): \(shape) of \(count) as \(kind)") }
      }
    }
  }

  @Test("what is appended leaves what was there", arguments: [Shape.decimalWalk, .regularTimes, .booleans])
  func appends(shape: Shape) throws {
    let words = shape.words(1200, seed: 4)
    let payload = encoded(words, shape.kind)
    var decoder = BlockDecoder()
    var unsigned: [UInt64] = [9]
    try decoder.decode(payload.span, kind: shape.kind, count: 1200, rows: 10..<1100, into: &unsigned)
    #expect(unsigned == [9] + words[10..<1100])
    var signed: [Int64] = [-9]
    try decoder.decode(payload.span, kind: shape.kind, count: 1200, rows: 10..<1100, into: &signed)
    #expect(signed == [-9] + words[10..<1100].map { Int64(bitPattern: $0) })
  }

  @Test("timestamps are encoded from Int64")
  func timestamps() throws {
    let times = (0..<3000).map { (row: Int) -> Int64 in Int64(row * 1000 + row % 7 - 500_000) * 1_000_000 }
    var encoder = BlockEncoder(kind: .timestamp)
    var payload: [UInt8] = []
    encoder.encode(times.span, into: &payload)
    var decoder = BlockDecoder()
    var back: [Int64] = []
    try decoder.decode(payload.span, kind: .timestamp, count: 3000, rows: 0..<3000, into: &back)
    #expect(back == times)
  }

  private func firstDifference(_ a: [UInt64], _ b: [UInt64]) -> String {
    guard a.count == b.count else { return "\(b.count) words, not \(a.count)" }
    guard let row = a.indices.first(where: { a[$0] != b[$0] }) else { return "none" }
    return "row \(row) is \(String(b[row], radix: 16)), not \(String(a[row], radix: 16))"
  }
}

@Suite("Bytes a value")
struct SizeTests {
  /// Bytes a value of a sealed block of 4,096, without the trailer: the design's table.
  @Test(
    "of 4,096-value blocks are those of the design",
    arguments: [
      (Shape.integerWalk, 0.382), (.decimalWalk, 0.762), (.counter, 1.64), (.preciseWalk, 6.6),
      (.preciseRandom, 7.0),
      (.regularTimes, 0.004), (.millisecondJitter, 0.5), (.nanosecondJitter, 2.9), (.constant, 0.001),
      (.rareBooleans, 0.11), (.longRuns, 0.02), (.singlePrecision, 3.6), (.signedNormal, 7.2),
      (.sparse, 0.06),
      (.counterWithResets, 1.3), (.fahrenheit, 1.6), (.identifiers, 0.9), (.sumsOfDecimals, 1.7),
      (.heavyTail, 4.0), (.frequentDecimals, 0.63), (.randomTimes, 4.1),
    ])
  func bytesAValue(shape: Shape, limit: Double) {
    for seed in 0..<3 {
      let payload = encoded(shape.words(4096, seed: UInt64(seed)), shape.kind)
      let size = Double(storedByteCount(payload)) / 4096
      if size > limit {
        Issue.record("\(shape), seed \(seed): \(size) bytes a value, at most \(limit) expected")
      }
    }
  }
}

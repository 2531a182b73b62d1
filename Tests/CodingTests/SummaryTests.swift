import Coding
import TestSupport
import Testing

@Suite("Summary of a block")
struct SummaryTests {
  @Test(
    "of integers is that of the dull model", arguments: [ColumnKind.integer, .unsigned, .boolean, .timestamp])
  func integers(kind: ColumnKind) {
    for shape in Shape.allCases where kind != .boolean || shape.kind == .boolean {
      for count in [0, 1, 2, 5, 1000] {
        let words = shape.words(count, seed: 1)
        let summary = summarize(words.span, kind: kind)
        let values = words.map {
          kind == .unsigned || kind == .boolean ? Int128($0) : Int128(Int64(bitPattern: $0))
        }
        let isRight =
          summary.count == count && summary.integerSum == values.reduce(0, +)
          && (count == 0
            || (summary.minimum == UInt64(truncatingIfNeeded: values.min() ?? 0)
              && summary.maximum == UInt64(truncatingIfNeeded: values.max() ?? 0)
              && summary.first == words[0] && summary.last == words[count - 1]))
        if !isRight { Issue.record("\(shape) of \(count) as \(kind): \(summary)") }
      }
    }
  }

  @Test("of floats is that of the dull model", arguments: Shape.allCases.filter { $0.kind == .float })
  func floats(shape: Shape) {
    for count in [1, 2, 3, 4, 5, 7, 8, 1003] {
      let words = shape.words(count, seed: 2)
      let values = words.map { Double(bitPattern: $0) }
      let summary = summarize(words.span, kind: .float)
      let numbers = values.filter { !$0.isNaN }
      let low = numbers.min { isLess($0, $1) } ?? values[0]
      let high = numbers.max { isLess($0, $1) } ?? values[0]
      if summary.minimum != low.bitPattern || summary.maximum != high.bitPattern {
        Issue.record(
          "\(shape) of \(count): \(Double(bitPattern: summary.minimum)), \(Double(bitPattern: summary.maximum))"
        )
      }
      if summary.hasNaN != (numbers.count < count) { Issue.record("\(shape) of \(count): NaN") }
      let sum = summary.floatSum + summary.floatError
      let expected = values.reduce(0, +)
      if sum.isNaN != expected.isNaN
        || (!sum.isNaN && sum != expected && abs(sum - expected) > abs(expected) * 1e-9)
      {
        Issue.record("\(shape) of \(count): \(sum), not \(expected)")
      }
    }
  }

  @Test("carries what a plain sum of floats loses")
  func compensated() {
    var values = [1e16]
    values += [Double](repeating: 1, count: 1000)
    values.append(-1e16)
    let words = values.map(\.bitPattern)
    let summary = summarize(words.span, kind: .float)
    #expect(summary.floatSum + summary.floatError == 1000)
  }

  @Test(
    "takes −0 for less than 0, wherever it stands",
    arguments: [[0.0, -0.0], [-0.0, 0.0], [0, 0, 0, 0, 0, -0.0, 0], [-0.0]])
  func negativeZero(values: [Double]) {
    let words = values.map(\.bitPattern)
    let summary = summarize(words.span, kind: .float)
    #expect(summary.minimum == (-0.0).bitPattern)
    #expect(summary.maximum == (values.contains { $0.sign == .plus } ? 0.0 : -0.0).bitPattern)
  }

  private func isLess(_ a: Double, _ b: Double) -> Bool {
    a < b || (a == 0 && b == 0 && a.sign == .minus && b.sign == .plus)
  }
}

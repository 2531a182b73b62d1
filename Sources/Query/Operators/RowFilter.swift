import LineProtocol
import Storage

/// Decides which rows of a batch satisfy a condition: a bit a row.
struct RowFilter {
  private let evaluator: ValueEvaluator

  init(_ batch: borrowing ColumnBatch) {
    evaluator = ValueEvaluator(timestamps: batch.timestamps, columns: batch.columns)
  }

  private var wordCount: Int { (evaluator.count + 63) / 64 }

  /// Bit `i & 63` of word `i >> 6` says that row `i` satisfies it; bits past the last row are zero.
  func selection(_ condition: Condition) -> [UInt64] {
    switch condition {
    case .constant(let answer): return answer ? all : Array(repeating: 0, count: wordCount)
    case .tags: return all  // settled before rows are read
    case .and(let terms):
      return terms.dropFirst().reduce(terms.first.map(selection) ?? all) { found, term in
        zip(found, selection(term)).map(&)
      }
    case .or(let terms):
      return terms.reduce(Array(repeating: 0, count: wordCount)) { found, term in
        zip(found, selection(term)).map(|)
      }
    case .compare(let sign, let left, .literal(let literal)):
      let column = evaluator.evaluate(left)
      return compare(sign, column, literal)
        ?? compare(sign, column, .constant(literal, count: evaluator.count))
    case .compare(let sign, let left, let right):
      return compare(sign, evaluator.evaluate(left), evaluator.evaluate(right))
    case .matches(let value, let regex, let isNegated):
      let column = evaluator.evaluate(value)
      guard column.key.type == .string else { return Array(repeating: 0, count: wordCount) }
      return bits(column, column) { regex.matches(column.string($0)) != isNegated }
    }
  }

  private var all: [UInt64] {
    var bits = [UInt64](repeating: .max, count: wordCount)
    if evaluator.count & 63 != 0 { bits[wordCount - 1] = (1 << UInt64(evaluator.count & 63)) - 1 }
    return bits
  }

  /// Values of types that have no order between them compare as false.
  private func compare(_ sign: Operator, _ a: Column, _ b: Column) -> [UInt64] {
    let (x, y) = (a.key.type, b.key.type)
    if x == .string, y == .string {
      switch sign {
      case .equal: return bits(a, b) { a.string($0).elementsEqual(b.string($0)) }
      case .notEqual: return bits(a, b) { !a.string($0).elementsEqual(b.string($0)) }
      default: return Array(repeating: 0, count: wordCount)
      }
    }
    if x == .boolean, y == .boolean {
      guard sign == .equal || sign == .notEqual else { return Array(repeating: 0, count: wordCount) }
      return words(sign, a, b, a.values, b.values)
    }
    guard x <= .unsigned, y <= .unsigned else { return Array(repeating: 0, count: wordCount) }
    if x == y, x == .integer {
      return words(sign, a, b, a.values.map { Int64(bitPattern: $0) }, b.values.map { Int64(bitPattern: $0) })
    }
    if x == y, x == .unsigned { return words(sign, a, b, a.values, b.values) }
    return words(sign, a, b, ValueEvaluator.doubles(a), ValueEvaluator.doubles(b))
  }

  /// The comparison of numbers with one that is written down; `nil` where it is none of these.
  private func compare(_ sign: Operator, _ a: Column, _ literal: Literal) -> [UInt64]? {
    let type = a.key.type
    switch literal {
    case .integer(let value) where type == .integer: return words(sign, a, a.values, value) { Int64(bitPattern: $0) }
    case .unsigned(let value) where type == .unsigned: return words(sign, a, a.values, value) { $0 }
    default: break
    }
    guard literal.type <= .unsigned, type <= .unsigned else { return nil }
    let value = ValueEvaluator.doubles(.constant(literal, count: 1))[0]
    switch type {
    case .float: return words(sign, a, a.values, value) { Double(bitPattern: $0) }
    case .integer:
      if let (sign, whole) = Self.whole(sign, value) { return words(sign, a, a.values, whole) { Int64(bitPattern: $0) } }
      return words(sign, a, a.values, value) { Double(Int64(bitPattern: $0)) }
    default: return words(sign, a, a.values, value) { Double($0) }
    }
  }

  /// The comparison of integers with a float as one with an integer; `nil` where it has none. Integers that a float does not hold exactly are
  /// far beyond any that one is compared with so.
  private static func whole(_ sign: Operator, _ value: Double) -> (Operator, Int64)? {
    guard value.magnitude < 0x1p53 else { return nil }
    switch sign {
    case .greater, .lessOrEqual: return (sign, Int64(value.rounded(.down)))
    case .less, .greaterOrEqual: return (sign, Int64(value.rounded(.up)))
    case .equal, .notEqual: return value == value.rounded() ? (sign, Int64(value)) : nil
    default: return nil
    }
  }

  @inline(__always)
  private func words<Value: Comparable>(
    _ sign: Operator, _ a: Column, _ x: [UInt64], _ value: Value, _ number: (UInt64) -> Value
  ) -> [UInt64] {
    // A column without any value may have no words: none is read then. Else rows are below their count: unchecked, eight are compared at once.
    unsafe x.withUnsafeBufferPointer { x in
      switch sign {
      case .equal: bits(a, a) { unsafe number(x[$0]) == value }
      case .notEqual: bits(a, a) { unsafe number(x[$0]) != value }
      case .less: bits(a, a) { unsafe number(x[$0]) < value }
      case .lessOrEqual: bits(a, a) { unsafe number(x[$0]) <= value }
      case .greater: bits(a, a) { unsafe number(x[$0]) > value }
      case .greaterOrEqual: bits(a, a) { unsafe number(x[$0]) >= value }
      default: Array(repeating: 0, count: wordCount)
      }
    }
  }

  private func words<Value: Comparable>(
    _ sign: Operator, _ a: Column, _ b: Column, _ x: [Value], _ y: [Value]
  ) -> [UInt64] {
    switch sign {
    case .equal: bits(a, b) { x[$0] == y[$0] }
    case .notEqual: bits(a, b) { x[$0] != y[$0] }
    case .less: bits(a, b) { x[$0] < y[$0] }
    case .lessOrEqual: bits(a, b) { x[$0] <= y[$0] }
    case .greater: bits(a, b) { x[$0] > y[$0] }
    case .greaterOrEqual: bits(a, b) { x[$0] >= y[$0] }
    default: Array(repeating: 0, count: wordCount)
    }
  }

  /// Bits of rows in which both have a value and `body` says yes; `body` is inlined into the loop.
  @inline(__always)
  private func bits(_ a: Column, _ b: Column, _ body: (Int) -> Bool) -> [UInt64] {
    var out = [UInt64](repeating: 0, count: wordCount)
    guard a.presentCount > 0, b.presentCount > 0 else { return out }
    for index in out.indices {
      let present = a.presence(index, count: evaluator.count) & b.presence(index, count: evaluator.count)
      guard present != 0 else { continue }
      let start = index * 64
      var word: UInt64 = 0
      if present == .max {
        // No branch a row.
        for bit in 0..<64 { word |= (body(start &+ bit) ? 1 : 0) &<< UInt64(bit) }
      } else {
        for bit in 0..<min(64, evaluator.count - start) where present & (1 << UInt64(bit)) != 0 {
          if body(start + bit) { word |= 1 << UInt64(bit) }
        }
      }
      out[index] = word
    }
    return out
  }
}

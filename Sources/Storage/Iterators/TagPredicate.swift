/// A condition on a series' tags. An absent tag has the empty value, as in InfluxDB.
package indirect enum TagPredicate: Sendable, Equatable {
  case equals(key: [UInt8], value: [UInt8])
  case notEquals(key: [UInt8], value: [UInt8])
  /// Matched once a distinct value where that can be done.
  case matches(key: [UInt8], Regex)
  case and(TagPredicate, TagPredicate)
  case or(TagPredicate, TagPredicate)
  case not(TagPredicate)
  case constant(Bool)

  /// Whether a series satisfies it; `value` gives a tag's value, empty where it is absent.
  @inlinable package func isSatisfied<Text: Collection<UInt8>>(_ value: (_ key: [UInt8]) -> Text) -> Bool {
    switch self {
    case .equals(let key, let wanted): value(key).elementsEqual(wanted)
    case .notEquals(let key, let unwanted): !value(key).elementsEqual(unwanted)
    case .matches(let key, let regex): regex.matches(ArraySlice(value(key)))
    case .and(let a, let b): a.isSatisfied(value) && b.isSatisfied(value)
    case .or(let a, let b): a.isSatisfied(value) || b.isSatisfied(value)
    case .not(let a): !a.isSatisfied(value)
    case .constant(let answer): answer
    }
  }
}

extension TagPredicate {
  /// How deep conditions may nest where they are kept in the manifest: far below what readers of JSON take.
  package static let depthMax = 64

  /// Levels of `and`, `or` and `not`, and one for the comparison.
  package var depth: Int {
    switch self {
    case .equals, .notEquals, .matches, .constant: 1
    case .and(let a, let b), .or(let a, let b): 1 + max(a.depth, b.depth)
    case .not(let a): 1 + a.depth
    }
  }
}

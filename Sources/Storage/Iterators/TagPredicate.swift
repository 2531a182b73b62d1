/// A condition on a series' tags. An absent tag has the empty value, as in InfluxDB.
package indirect enum TagPredicate: Sendable, Equatable {
  case equals(key: [UInt8], value: [UInt8])
  case notEquals(key: [UInt8], value: [UInt8])
  /// One of many values; an absent tag satisfies it where the empty one is among them.
  case isOneOf(key: [UInt8], TagValueList)
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
    case .isOneOf(let key, let values): values.contains(value(key))
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
    case .isOneOf(_, let values): 1 + (values.count - 1).bitLength
    case .and(let a, let b), .or(let a, let b): 1 + max(a.depth, b.depth)
    case .not(let a): 1 + a.depth
    }
  }
}

extension Int {
  /// Bits that its binary form has.
  fileprivate var bitLength: Int { Int.bitWidth - leadingZeroBitCount }
}

extension TagPredicate {
  /// What any of some predicates satisfies. Those that compare one key are one list, which is searched: as many comparisons would each be made
  /// for each series.
  package static func any(of terms: [TagPredicate]) -> TagPredicate {
    join(terms, TagPredicate.or, empty: false) { if case .equals(let key, let value) = $0 { (key, value) } else { nil } } gathered: {
      .isOneOf(key: $0, $1)
    }
  }

  /// What all of some predicates satisfy.
  package static func all(of terms: [TagPredicate]) -> TagPredicate {
    join(terms, TagPredicate.and, empty: true) { if case .notEquals(let key, let value) = $0 { (key, value) } else { nil } } gathered: {
      .not(.isOneOf(key: $0, $1))
    }
  }

  /// Comparisons of one key that are worth a list.
  private static let listCountMin = 8

  private static func join(
    _ terms: [TagPredicate], _ joined: (TagPredicate, TagPredicate) -> TagPredicate, empty: Bool,
    comparison: (TagPredicate) -> (key: [UInt8], value: [UInt8])?, gathered: (_ key: [UInt8], TagValueList) -> TagPredicate
  ) -> TagPredicate {
    guard terms.count >= listCountMin else { return balanced(terms[...], joined) ?? .constant(empty) }
    var keys: [[UInt8]] = []
    var values: [[UInt8]: [[UInt8]]] = [:]
    var kept: [TagPredicate] = []
    for term in terms {
      guard let (key, value) = comparison(term) else {
        kept.append(term)
        continue
      }
      if keys.last != key, values[key] == nil { keys.append(key) }
      values[key, default: []].append(value)
    }
    return balanced((keys.map { gathered($0, TagValueList(sorting: values[$0] ?? [])) } + kept)[...], joined) ?? .constant(empty)
  }

  /// A tree of low depth, so that thousands of terms do not nest thousands deep.
  static func balanced(
    _ terms: ArraySlice<TagPredicate>, _ joined: (TagPredicate, TagPredicate) -> TagPredicate
  ) -> TagPredicate? {
    guard terms.count > 1 else { return terms.first }
    let middle = terms.startIndex + terms.count / 2
    guard let low = balanced(terms[..<middle], joined), let high = balanced(terms[middle...], joined) else { return nil }
    return joined(low, high)
  }
}

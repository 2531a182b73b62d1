/// A condition on a series' tags. An absent tag has the empty value, as in InfluxDB.
package indirect enum TagPredicate: Sendable {
  case equals(key: [UInt8], value: [UInt8])
  case notEquals(key: [UInt8], value: [UInt8])
  /// A test of the value, such as a regular expression; called once a distinct value where that can be done.
  case matches(key: [UInt8], test: @Sendable (ArraySlice<UInt8>) -> Bool)
  case and(TagPredicate, TagPredicate)
  case or(TagPredicate, TagPredicate)
  case not(TagPredicate)
  case constant(Bool)

  /// Whether a series satisfies it; `value` gives a tag's value, empty where it is absent.
  package func isSatisfied(_ value: (_ key: [UInt8]) -> ArraySlice<UInt8>) -> Bool {
    switch self {
    case .equals(let key, let wanted): value(key).elementsEqual(wanted)
    case .notEquals(let key, let unwanted): !value(key).elementsEqual(unwanted)
    case .matches(let key, let test): test(value(key))
    case .and(let a, let b): a.isSatisfied(value) && b.isSatisfied(value)
    case .or(let a, let b): a.isSatisfied(value) || b.isSatisfied(value)
    case .not(let a): !a.isSatisfied(value)
    case .constant(let answer): answer
    }
  }
}

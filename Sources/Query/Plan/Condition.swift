import LineProtocol
import Storage

/// A condition of one measurement: its names are known to be tags or fields.
indirect enum Condition: Sendable {
  case constant(Bool)
  case and([Condition])
  case or([Condition])
  /// Of the series alone.
  case tags(TagPredicate)
  /// Of each row; slots are those of the scan.
  case compare(Operator, ValueExpression, ValueExpression)
  case matches(ValueExpression, Regex, isNegated: Bool)

  /// Whether a row must be looked at to decide.
  var readsRows: Bool {
    switch self {
    case .constant, .tags: false
    case .and(let terms), .or(let terms): terms.contains(where: \.readsRows)
    case .compare, .matches: true
    }
  }

  /// Whether the column of a slot must be looked at to decide.
  func reads(slot: Int) -> Bool {
    switch self {
    case .constant, .tags: false
    case .and(let terms), .or(let terms): terms.contains { $0.reads(slot: slot) }
    case .compare(_, let left, let right): left.reads(slot: slot) || right.reads(slot: slot)
    case .matches(let value, _, _): value.reads(slot: slot)
    }
  }

  /// What every series with a row that satisfies this must satisfy; `nil` if that is nothing.
  var predicate: TagPredicate? {
    switch self {
    case .constant(let answer): return answer ? nil : .constant(false)
    case .tags(let predicate): return predicate
    case .compare, .matches: return nil
    case .and(let terms):
      let known = terms.compactMap(\.predicate)
      return known.isEmpty ? nil : .all(of: known)
    case .or(let terms):
      let known = terms.compactMap(\.predicate)
      guard known.count == terms.count else { return nil }
      return .any(of: known)
    }
  }

  /// The condition as one of the series alone; `nil` where it asks for more.
  var seriesPredicate: TagPredicate? { readsRows ? nil : predicate ?? .constant(true) }

  /// Terms of which all, or one, must hold, of which those of tags are one.
  static func joining(_ terms: [Condition], isAnd: Bool) -> Condition {
    var (tags, others): ([TagPredicate], [Condition]) = ([], [])
    for term in terms {
      if case .tags(let predicate) = term { tags.append(predicate) } else { others.append(term) }
    }
    if tags.count > 1 { others.insert(.tags(isAnd ? .all(of: tags) : .any(of: tags)), at: 0) } else { others = terms }
    return others.count == 1 ? others[0] : isAnd ? .and(others) : .or(others)
  }

  /// What rows of a series must still satisfy, once its tags are known; `value` gives them, empty where absent.
  func settled(_ value: (_ key: [UInt8]) -> ArraySlice<UInt8>) -> Condition {
    switch self {
    case .constant, .compare, .matches: return self
    case .tags(let predicate): return .constant(predicate.isSatisfied(value))
    case .and(let terms):
      var kept: [Condition] = []
      for term in terms {
        switch term.settled(value) {
        case .constant(false): return .constant(false)
        case .constant(true): break
        case let other: kept.append(other)
        }
      }
      return kept.isEmpty ? .constant(true) : kept.count == 1 ? kept[0] : .and(kept)
    case .or(let terms):
      var kept: [Condition] = []
      for term in terms {
        switch term.settled(value) {
        case .constant(true): return .constant(true)
        case .constant(false): break
        case let other: kept.append(other)
        }
      }
      return kept.isEmpty ? .constant(false) : kept.count == 1 ? kept[0] : .or(kept)
    }
  }
}

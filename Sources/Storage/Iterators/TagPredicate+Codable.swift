/// As text in the manifest: names and values are valid UTF-8, so strings hold them exactly.
extension TagPredicate: Codable {
  private indirect enum Coded: Codable {
    case equals(key: String, value: String)
    case notEquals(key: String, value: String)
    case matches(key: String, pattern: Regex)
    case and(Coded, Coded)
    case or(Coded, Coded)
    case not(Coded)
    case constant(Bool)
  }

  package init(from decoder: any Decoder) throws { self.init(try Coded(from: decoder)) }

  package func encode(to encoder: any Encoder) throws { try coded.encode(to: encoder) }

  private init(_ coded: Coded) {
    switch coded {
    case .equals(let key, let value): self = .equals(key: Array(key.utf8), value: Array(value.utf8))
    case .notEquals(let key, let value): self = .notEquals(key: Array(key.utf8), value: Array(value.utf8))
    case .matches(let key, let regex): self = .matches(key: Array(key.utf8), regex)
    case .and(let a, let b): self = .and(TagPredicate(a), TagPredicate(b))
    case .or(let a, let b): self = .or(TagPredicate(a), TagPredicate(b))
    case .not(let a): self = .not(TagPredicate(a))
    case .constant(let answer): self = .constant(answer)
    }
  }

  private var coded: Coded {
    func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    switch self {
    case .equals(let key, let value): return .equals(key: text(key), value: text(value))
    case .notEquals(let key, let value): return .notEquals(key: text(key), value: text(value))
    case .isOneOf(let key, let values):
      // As older versions have it, who read no list.
      let terms = (0..<values.count).map { TagPredicate.equals(key: key, value: Array(values.bytes[values.range($0)])) }
      return TagPredicate.balanced(terms[...], TagPredicate.or)?.coded ?? .constant(false)
    case .matches(let key, let regex): return .matches(key: text(key), pattern: regex)
    case .and(let a, let b): return .and(a.coded, b.coded)
    case .or(let a, let b): return .or(a.coded, b.coded)
    case .not(let a): return .not(a.coded)
    case .constant(let answer): return .constant(answer)
    }
  }
}

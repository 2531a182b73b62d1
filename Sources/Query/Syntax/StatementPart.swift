/// What in a statement a failure is about, to be found again in its text.
enum StatementPart: Sendable, Equatable {
  /// A call, by the name of its function in lower case.
  case call(String)
  /// A name, by its first segment.
  case name(String)
  /// The same, outside of every aggregate.
  case looseName(String)
  /// A database or a policy.
  case place(String)
  /// A clause, by the word that begins it.
  case clause(Keyword)
}

extension StatementPart {
  /// What of an expression a failure of it is about: its first call or name.
  init?(of expression: Expression) {
    switch expression {
    case .call(let name, _): self = .call(name)
    case .distinct: self = .call("distinct")
    case .reference(let name, _): self = .name(name.split(separator: ".").first.map(String.init) ?? name)
    default:
      guard let found = expression.children.lazy.compactMap(StatementPart.init(of:)).first else { return nil }
      self = found
    }
  }
}

/// What a shell asks of the language: whether a text is whole, and which words there are.
public enum InfluxQLNames {
  /// Whether a text is the beginning of one that parses: more must follow.
  public static func isUnfinished(_ text: String) -> Bool {
    do {
      _ = try Parser.parse(text)
      return false
    } catch {
      return error.message.contains("found EOF")
    }
  }

  /// Whether a text makes or takes away databases, policies or series; of one that does not parse, no.
  public static func changesNames(_ text: String) -> Bool {
    guard let statements = try? Parser.parse(text) else { return false }
    return statements.contains(where: \.changesSomething)
  }

  /// Whether a word is reserved, in any case.
  public static func isKeyword(_ word: String) -> Bool { Keyword(bytes: word.utf8) != nil }

  /// A name as a statement has it: in double quotes where it must be.
  public static func written(_ name: String) -> String { Expression.quoteName(name) }

  /// The functions of `SELECT`, in lower case.
  public static let functions: [String] = {
    let aggregates = AggregateFunction.allCases.filter { $0 != .countDistinct }.map(\.rawValue)
    let others = MathFunction.allCases.map(\.rawValue) + Indicator.Function.allCases.map(\.rawValue)
    return (aggregates + others + CallParser.transformNames).sorted()
  }()
}

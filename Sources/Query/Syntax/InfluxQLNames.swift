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
    return statements.contains { statement in
      switch statement {
      case .explain, .show, .explainDeletion, .killQuery, .unsupported: false
      case .select(let select): select.target != nil
      default: true
      }
    }
  }

  /// Whether a word is reserved, in any case.
  public static func isKeyword(_ word: String) -> Bool { Keyword(bytes: word.utf8) != nil }

  /// A name as a statement has it: in double quotes where it must be.
  public static func written(_ name: String) -> String { Expression.quoteName(name) }

  /// The functions of `SELECT`, in lower case.
  public static let functions = [
    "abs", "acos", "asin", "atan", "atan2", "bottom", "ceil", "cos", "count", "cumulative_sum", "derivative",
    "difference",
    "distinct", "elapsed", "exp", "first", "floor", "holt_winters", "holt_winters_with_fit", "integral",
    "last", "ln", "log", "log10",
    "log2", "max", "mean", "median", "min", "mode", "moving_average", "non_negative_derivative",
    "non_negative_difference",
    "percentile", "pow", "round", "sample", "sin", "spread", "sqrt", "stddev", "sum", "tan", "top",
  ]
}

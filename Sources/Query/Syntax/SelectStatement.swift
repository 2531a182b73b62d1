/// What stands in a bucket without values.
enum Fill: Sendable, Equatable {
  case null, none, previous, linear
  case value(Expression)
}

/// One selected expression.
struct SelectedField: Sendable, Equatable {
  var expression: Expression
  /// Empty: named by the expression.
  var alias = ""
}

/// `SELECT … FROM …`.
struct SelectStatement: Sendable, Equatable {
  var fields: [SelectedField] = []
  /// `INTO`, where given.
  var target: IntoTarget?
  var sources: [Source] = []
  var condition: Expression?
  var dimensions: [Expression] = []
  var fill: Fill = .null
  var isDescending = false
  /// 0: all.
  var limit = 0
  var offset = 0
  var seriesLimit = 0
  var seriesOffset = 0
  /// The name of a time zone; empty: UTC.
  var timeZone = ""
}

extension SelectStatement: CustomStringConvertible {
  /// As InfluxQL; parses to an equal statement.
  var description: String {
    var out = "SELECT "
    out += fields.map { field in
      "\(field.expression)" + (field.alias.isEmpty ? "" : " AS \(Expression.quoteName(field.alias))")
    }.joined(separator: ", ")
    if let target { out += " INTO \(target)" }
    out += " FROM \(sources.map(\.description).joined(separator: ", "))"
    if let condition { out += " WHERE \(condition)" }
    if !dimensions.isEmpty { out += " GROUP BY \(dimensions.map(\.description).joined(separator: ", "))" }
    switch fill {
    case .null: break
    case .none: out += " fill(none)"
    case .previous: out += " fill(previous)"
    case .linear: out += " fill(linear)"
    case .value(let value): out += " fill(\(value))"
    }
    if isDescending { out += " ORDER BY time DESC" }
    for (word, count) in [
      ("LIMIT", limit), ("OFFSET", offset), ("SLIMIT", seriesLimit), ("SOFFSET", seriesOffset),
    ] where count > 0 {
      out += " \(word) \(count)"
    }
    return timeZone.isEmpty ? out : out + " TZ(\(Expression.quoteString(timeZone)))"
  }
}

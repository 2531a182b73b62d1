/// What the rows of a text are, for who asks it again and again for what is new.
public enum StatementShape: Sendable, Equatable {
  /// One `SELECT` of points as they are.
  case points
  /// One `SELECT` of stretches of time of equal length, in nanoseconds, and where they begin.
  case buckets(length: Int64, offset: Int64)
  /// All else: several statements, no `SELECT`, or rows that are no points and have no stretch of time.
  case other

  /// - Throws: where the text does not parse.
  public init(_ text: String) throws(QueryParseError) {
    let statements = try Parser.parse(text)
    guard statements.count == 1, case .select(let select) = statements[0], select.target == nil,
      !select.isDescending,
      select.limit == 0, select.offset == 0
    else {
      self = .other
      return
    }
    for dimension in select.dimensions {
      guard case .call("time", let arguments) = dimension.bare,
        case .duration(let length)? = arguments.first?.bare
      else { continue }
      var offset: Int64 = 0
      if arguments.count > 1, case .duration(let asked) = arguments[1].bare { offset = asked }
      self = .buckets(length: length, offset: offset)
      return
    }
    let hasCall = select.fields.contains { field in
      var found = false
      field.expression.visit { if case .call = $0 { found = true } }
      return found
    }
    self = hasCall ? .other : .points
  }
}

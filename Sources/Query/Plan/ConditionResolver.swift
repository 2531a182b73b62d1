import LineProtocol
import Storage

/// Turns a statement's condition into one of a measurement: decides which names are tags, and gives the fields slots.
struct ConditionResolver {
  let schema: MeasurementSchema
  let times: TimeExpression
  /// Columns that the scan reads; fields of the condition are added.
  var columns: [ScanColumn]
  /// Comparisons that are made for each row: they are made one by one.
  private static let rowTermCountMax = 10_000
  private var rowTermCount = 0
  /// What was looked up last: a list of thousands of alternatives names one tag.
  private var last: (reference: Reference, tag: [UInt8]?)?

  init(schema: MeasurementSchema, times: TimeExpression, columns: [ScanColumn]) {
    (self.schema, self.times, self.columns) = (schema, times, columns)
  }

  /// Nanoseconds of constants beside `time` in an `OR`.
  mutating func resolve(_ expression: Expression) throws(QueryFailure) -> Condition {
    switch expression {
    case .parenthesis(let inner): return try resolve(inner)
    case .chain(let sign, let terms):
      var resolved: [Condition] = []
      for term in terms { resolved.append(try resolve(term)) }
      return .joining(resolved, isAnd: sign == .and)
    case .boolean(let answer): return .constant(answer)
    case .binary(let sign, let left, let right) where sign.takesRegex:
      guard case .regex(let pattern) = right else { throw invalid(expression) }
      return try counted(try matching(left, pattern, isNegated: sign == .matchesNot))
    case .binary(let sign, let left, let right) where sign.isComparison:
      return try counted(try comparison(sign, left, right))
    default: throw invalid(expression)
    }
  }

  private mutating func counted(_ term: Condition) throws(QueryFailure) -> Condition {
    if !term.readsRows { return term }
    rowTermCount += 1
    guard rowTermCount <= Self.rowTermCountMax else {
      throw QueryFailure("more than \(Self.rowTermCountMax) comparisons of fields in a condition", isLimit: true)
    }
    return term
  }

  private func invalid(_ expression: Expression) -> QueryFailure {
    QueryFailure("invalid condition expression: \(expression)")
  }

  // MARK: Tags

  /// The key of a name that is a tag here, or nothing at all.
  private mutating func tagKey(_ expression: Expression) -> [UInt8]? {
    guard case .reference(let name, let cast) = expression.bare else { return nil }
    let reference = Reference(name: name, cast: cast)
    if let last, last.reference == reference { return last.tag }
    let tag: [UInt8]? =
      switch reference.meaning(in: schema) {
      case .tag(let key): key
      case .missing: cast == nil || cast == .tag ? Array(name.utf8) : nil
      case .field: nil
      }
    last = (reference, tag)
    return tag
  }

  private mutating func matching(
    _ left: Expression, _ pattern: String, isNegated: Bool
  ) throws(QueryFailure) -> Condition {
    let regex: Regex
    do throws(Regex.Failure) { regex = try Regex(pattern) } catch { throw QueryFailure(error.message) }
    if let key = tagKey(left) {
      return .tags(isNegated ? .not(.matches(key: key, regex)) : .matches(key: key, regex))
    }
    return .matches(try value(left), regex, isNegated: isNegated)
  }

  private mutating func comparison(
    _ sign: Operator, _ left: Expression, _ right: Expression
  ) throws(QueryFailure) -> Condition {
    if TimeBounds.isTime(left) { return .compare(sign, .time, .literal(.integer(try times.instant(right)))) }
    if TimeBounds.isTime(right) { return .compare(sign.mirrored, .time, .literal(.integer(try times.instant(left)))) }
    if let key = tagKey(left) { return try tagComparison(sign, key, right) }
    if let key = tagKey(right) { return try tagComparison(sign.mirrored, key, left) }
    return .compare(sign, try value(left), try value(right))
  }

  private mutating func tagComparison(
    _ sign: Operator, _ key: [UInt8], _ other: Expression
  ) throws(QueryFailure) -> Condition {
    guard sign == .equal || sign == .notEqual else { return .constant(false) }
    if case .string(let text) = other.bare {
      let value = Array(text.utf8)
      return .tags(sign == .equal ? .equals(key: key, value: value) : .notEquals(key: key, value: value))
    }
    // A name that is nowhere is compared with a number like a field without values: never true.
    return .constant(false)
  }

  // MARK: Values

  /// An expression over the scan's columns.
  mutating func value(_ expression: Expression) throws(QueryFailure) -> ValueExpression {
    switch expression {
    case .parenthesis(let inner): return try value(inner)
    case .reference(let name, let cast):
      if TimeBounds.isTime(expression) { return .time }
      guard case .field(let column) = Reference(name: name, cast: cast).meaning(in: schema) else {
        // A tag inside arithmetic, or nothing: a column without values.
        return .slot(slot(of: ScanColumn(name: Array(name.utf8), type: .float)))
      }
      return .slot(slot(of: column))
    case .binary(let sign, let left, let right) where !sign.isCondition:
      return .arithmetic(sign, try value(left), try value(right))
    case .call(let name, let arguments):
      guard let function = MathFunction(rawValue: name), arguments.count == function.argumentCount else {
        if let time = try times.time(expression) { return .literal(.integer(time)) }
        throw invalid(expression)
      }
      var values: [ValueExpression] = []
      for argument in arguments { values.append(try value(argument)) }
      return .math(function, values)
    default:
      guard let literal = Literal(expression) else { throw invalid(expression) }
      return .literal(literal)
    }
  }

  private mutating func slot(of column: ScanColumn) -> Int {
    if let index = columns.firstIndex(of: column) { return index }
    columns.append(column)
    return columns.count - 1
  }
}

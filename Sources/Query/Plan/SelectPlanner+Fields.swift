import LineProtocol
import Storage

extension Expression {
  /// Whether it, or an argument of it, stands for several names.
  var hasWildcard: Bool {
    switch self {
    case .wildcard, .regex: true
    default: children.contains(where: \.hasWildcard)
    }
  }
}

extension SelectPlanner {
  /// The selected fields with wildcards and regular expressions replaced by the names they stand for.
  func expandedFields() throws(QueryFailure) -> [SelectedField] {
    var expanded: [SelectedField] = []
    for field in statement.fields {
      switch field.expression.bare {
      case .wildcard(let cast):
        expanded += names { cast == nil || (cast == .field) == $0 }.map(Self.field)
      case .regex(let pattern):
        let regex = try compiled(pattern)
        expanded += names { _ in true }.filter { regex.matches(Array($0.name.utf8)) }.map(Self.field)
      case .call(let name, let arguments) where arguments.first?.hasWildcard == true:
        expanded += try QueryFailure.about(.call(name)) { () throws(QueryFailure) in
          try expandedCall(name, arguments, alias: field.alias)
        }
      case let expression:
        guard !expression.hasWildcard else {
          throw QueryFailure(
            "unable to use wildcard in a binary expression", part: StatementPart(of: expression) ?? .clause(.select))
        }
        expanded.append(field)
      }
    }
    return expanded
  }

  private static func field(_ reference: Reference) -> SelectedField {
    SelectedField(expression: .reference(reference.name, reference.cast))
  }

  private func compiled(_ pattern: String) throws(QueryFailure) -> Regex {
    do throws(Regex.Failure) { return try Regex(pattern) } catch { throw QueryFailure(error.message) }
  }

  /// Fields, and tags that are not grouped by, in the order of their names. A field and a tag of one name are one.
  private func names(_ wanted: (_ isField: Bool) -> Bool) -> [Reference] {
    var found: [[UInt8]] = []
    // Where tags are grouped by all or by a pattern, none stands among the fields.
    let groupsByPattern = statement.dimensions.contains { $0.hasWildcard }
    if wanted(false), !groupsByPattern {
      for key in schema.tagKeys where !plan.grouping.tagKeys.contains(key) && !(wanted(true) && schema.type(ofField: key) != nil) {
        found.append(key)
      }
    }
    if wanted(true) { found += schema.fieldNames }
    return found.sorted { $0.lexicographicallyPrecedes($1) }.map {
      Reference(name: String(decoding: $0, as: UTF8.self), cast: nil)
    }
  }

  /// `mean(*)`: one call for each field of a type that the function takes, named `mean_field`.
  private func expandedCall(
    _ name: String, _ arguments: [Expression], alias: String
  ) throws(QueryFailure) -> [SelectedField] {
    var inner = arguments[0].bare
    var wrap: (Expression) -> Expression = { $0 }
    var takes: (FieldType) -> Bool = { $0 <= .unsigned }
    if let function = AggregateFunction(rawValue: name) { takes = function.takes }
    if case .call(let nested, let nestedArguments) = inner, let first = nestedArguments.first {
      inner = first.bare
      wrap = { .call(nested, [$0] + nestedArguments.dropFirst()) }
      if let function = AggregateFunction(rawValue: nested) { takes = function.takes }
    }
    let matches: ([UInt8]) -> Bool
    switch inner {
    case .wildcard(let cast):
      guard cast != .tag else { throw QueryFailure("unable to use tag as wildcard in call to \(name)()") }
      matches = { _ in true }
    case .regex(let pattern):
      let regex = try compiled(pattern)
      matches = { regex.matches($0) }
    default: throw QueryFailure("unable to use wildcard in a binary expression")
    }
    return schema.fieldNames.filter { name in schema.type(ofField: name).map(takes) == true && matches(name) }
      .map { key in
        let field = String(decoding: key, as: UTF8.self)
        let call = Expression.call(name, [wrap(.reference(field, nil))] + arguments.dropFirst())
        return SelectedField(expression: call, alias: "\(alias.isEmpty ? name : alias)_\(field)")
      }
  }

  // MARK: Names of columns

  /// Aliases as they are; other names made unique by a number: `mean`, `mean_1`.
  static func columnNames(_ fields: [SelectedField]) -> [String] {
    if areDistinct(fields) { return fields.map { $0.alias.isEmpty ? name(of: $0.expression) : $0.alias } }
    var counts: [String: Int] = [:]
    for field in fields where !field.alias.isEmpty { counts[field.alias] = 1 }
    return fields.map { field in
      guard field.alias.isEmpty else { return field.alias }
      let base = name(of: field.expression)
      guard var count = counts[base] else {
        counts[base] = 1
        return base
      }
      while counts["\(base)_\(count)"] != nil { count += 1 }
      counts[base] = count + 1
      counts["\(base)_\(count)"] = 1
      return "\(base)_\(count)"
    }
  }

  /// Whether no two columns have one name, as far as few of them tell it cheaply.
  private static func areDistinct(_ fields: [SelectedField]) -> Bool {
    guard fields.count <= PlaceList<String>.listedCountMax else { return false }
    var names = PlaceList<String>()
    return fields.allSatisfy { names.place(of: $0.alias.isEmpty ? name(of: $0.expression) : $0.alias) == nil }
  }

  /// A column's name: a field's or a function's, those of an operation joined by `_`.
  private static func name(of expression: Expression) -> String {
    switch expression {
    case .reference(let name, _): name
    case .call(let name, _): name
    case .distinct: "distinct"
    case .parenthesis(let inner): name(of: inner)
    case .binary: operands(of: expression).joined(separator: "_")
    default: ""
    }
  }

  private static func operands(of expression: Expression) -> [String] {
    switch expression {
    case .reference(let name, _): [name]
    case .call(let name, _): [name]
    case .distinct: ["distinct"]
    default: expression.children.flatMap(operands)
    }
  }
}

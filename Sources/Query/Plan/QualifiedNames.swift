import LineProtocol
import Storage

/// The names of a statement in which fields of several measurements stand side by side, each behind its measurement's: `cpu.usage`.
struct QualifiedNames {
  /// One a measurement.
  private let measurements: [String]
  private let schemas: [MeasurementSchema]
  /// All names of all measurements, and those behind their measurement's too.
  private(set) var schema: MeasurementSchema

  /// - Returns: `nil` where no name of a selected field is one behind its measurement's. A field that is called so goes first.
  init?(
    of fields: [SelectedField], measurements: [[UInt8]], schemas: [MeasurementSchema], all: MeasurementSchema
  ) throws(QueryFailure) {
    self.measurements = measurements.map { String(decoding: $0, as: UTF8.self) }
    self.schemas = schemas
    schema = all
    // Most statements have no such name: it has a dot.
    guard fields.contains(where: { $0.expression.hasDottedName }) else { return nil }
    let names = Set(fields.flatMap { $0.expression.names }).sorted()
    guard names.contains(where: { split($0) != nil }) else { return nil }
    guard !fields.contains(where: { $0.expression.hasWildcard }) else {
      throw QueryFailure("values of several measurements side by side are named one by one, without wildcards")
    }
    for name in names {
      guard let (place, own) = try owner(of: name) else { continue }
      guard let type = schemas[place].type(ofField: Array(own.utf8)) else {
        throw QueryFailure("\(name) is a tag: beside values of several measurements tags are grouped by")
      }
      schema.add(field: Array(name.utf8), type)
    }
  }

  /// The measurement of a name, and what it is called there; `nil` if it is in none.
  ///
  /// A name without a measurement's before it is that of the only one that has it.
  func owner(of name: String) throws(QueryFailure) -> (place: Int, name: String)? {
    if let found = split(name) { return found }
    let having = schemas.indices.filter { has(name, $0) }
    guard having.count < 2 else {
      let shown = having.map { "\(Expression.quoteName(measurements[$0])).\(Expression.quoteName(name))" }
      throw QueryFailure("several measurements have \(name): say which, as in \(shown.joined(separator: " or "))")
    }
    return having.first.map { ($0, name) }
  }

  private func has(_ name: String, _ place: Int) -> Bool {
    let key = Array(name.utf8)
    return schemas[place].type(ofField: key) != nil || schemas[place].hasTag(key)
  }

  /// A measurement's name and one that it has behind it; `nil` where a measurement has the whole as a name.
  private func split(_ name: String) -> (place: Int, name: String)? {
    guard !measurements.indices.contains(where: { has(name, $0) }) else { return nil }
    for (place, measurement) in measurements.enumerated() where name.hasPrefix(measurement + ".") {
      let own = String(name.dropFirst(measurement.count + 1))
      if has(own, place) { return (place, own) }
    }
    return nil
  }

  /// What a condition asks of the rows of one measurement: the terms that name no other.
  func condition(_ condition: Expression?, of place: Int) throws(QueryFailure) -> Expression? {
    var kept: [Expression] = []
    for term in condition?.conjuncts ?? [] {
      let places = Set(term.names.compactMap { split($0)?.place })
      guard places.count < 2 else {
        throw QueryFailure("\(term) is of several measurements, and a condition is asked of a row of one")
      }
      if places.isEmpty { kept.append(term) }
      if places == [place] { kept.append(term.renamed { split($0)?.name ?? $0 }) }
    }
    return kept.count > 1 ? .chain(.and, kept) : kept.first
  }
}

extension Expression {
  /// The names of fields and tags in it, without `time`.
  fileprivate var names: [String] {
    var found: [String] = []
    visit { part in
      switch part {
      case .reference(let name, _): if !TimeBounds.isTime(part) { found.append(name) }
      case .distinct(let name): found.append(name)
      default: break
      }
    }
    return found
  }

  /// Whether one of them has a dot in it.
  fileprivate var hasDottedName: Bool {
    switch self {
    case .reference(let name, _), .distinct(let name): name.utf8.contains(UInt8(ascii: "."))
    default: children.contains(where: \.hasDottedName)
    }
  }

  /// The terms that must all hold.
  fileprivate var conjuncts: [Expression] {
    switch bare {
    case .chain(.and, let terms): terms.flatMap(\.conjuncts)
    default: [self]
    }
  }

  fileprivate func renamed(_ name: (String) -> String) -> Expression {
    switch self {
    case .reference(let old, let cast): .reference(name(old), cast)
    case .parenthesis(let inner): .parenthesis(inner.renamed(name))
    case .binary(let sign, let left, let right): .binary(sign, left.renamed(name), right.renamed(name))
    case .chain(let sign, let terms): .chain(sign, terms.map { $0.renamed(name) })
    case .call(let function, let arguments): .call(function, arguments.map { $0.renamed(name) })
    default: self
    }
  }
}

import LineProtocol
import Storage

/// Finds operations whose operands do not go together, before anything is read, as InfluxDB does.
struct TypeCheck {
  let schema: MeasurementSchema

  /// What an expression answers; `nil` if its names are not there.
  private enum Kind: Equatable {
    case value(FieldType)
    case tag

    var name: String {
      switch self {
      case .value(let type): type.name
      case .tag: "tag"
      }
    }
  }

  /// Refuses the first operation without an answer: "type error: state::string + 1: incompatible types: string and integer".
  func check(_ expression: Expression) throws(QueryFailure) { _ = try kind(of: expression) }

  private func kind(of expression: Expression) throws(QueryFailure) -> Kind? {
    switch expression {
    case .parenthesis(let inner): return try kind(of: inner)
    case .reference(let name, let cast):
      switch Reference(name: name, cast: cast).meaning(in: schema) {
      case .field(let column): return .value(column.type)
      case .tag: return .tag
      case .missing: return nil
      }
    case .binary(let sign, let left, let right):
      guard let x = try kind(of: left) else { return try kind(of: right) }
      guard let y = try kind(of: right) else { return x }
      guard let type = Self.answer(sign, x, y) else {
        throw QueryFailure("type error: \(typed(expression)): incompatible types: \(x.name) and \(y.name)")
      }
      return .value(type)
    case .call(let name, let arguments): return try kind(ofCall: name, arguments)
    case .distinct(let name): return try kind(of: .reference(name, nil))
    default: return Literal(expression).map { .value($0.type) }
    }
  }

  private func kind(ofCall name: String, _ arguments: [Expression]) throws(QueryFailure) -> Kind? {
    if MathFunction(rawValue: name) != nil {
      for argument in arguments { try check(argument) }
      return .value(.float)
    }
    guard let first = arguments.first, case .value(let type) = try kind(of: first) else { return nil }
    if let function = AggregateFunction(rawValue: name) { return .value(function.answerType(for: type)) }
    guard let transform = try? CallParser.transform(name, arguments, interval: 1) else { return nil }
    return .value(transform.answerType(for: type))
  }

  private static func answer(_ sign: Operator, _ x: Kind, _ y: Kind) -> FieldType? {
    guard case .value(let a) = x, case .value(let b) = y else { return nil }
    let isBitwise = [.bitAnd, .bitOr, .bitXor].contains(sign)
    if a == .boolean, b == .boolean { return isBitwise ? .boolean : nil }
    guard a <= .unsigned, b <= .unsigned else { return nil }
    if a == .float || b == .float { return isBitwise ? nil : .float }
    return sign == .divide ? .float : a == .unsigned && b == .unsigned ? .unsigned : .integer
  }

  /// With the type of each name, as InfluxDB's messages have it.
  private func typed(_ expression: Expression) -> Expression {
    switch expression {
    case .reference(let name, let cast):
      switch Reference(name: name, cast: cast).meaning(in: schema) {
      case .field(let column): .reference(name, Cast(rawValue: column.type.name))
      case .tag: .reference(name, .tag)
      case .missing: expression
      }
    case .parenthesis(let inner): .parenthesis(typed(inner))
    case .binary(let sign, let left, let right): .binary(sign, typed(left), typed(right))
    case .call(let name, let arguments): .call(name, arguments.map(typed))
    case .distinct(let name): .call("distinct", [typed(.reference(name, nil))])
    default: expression
    }
  }
}

extension Expression {
  /// The name of its node in InfluxDB's parser, which some messages show.
  var goType: String {
    let name =
      switch self {
      case .reference: "VarRef"
      case .call: "Call"
      case .distinct: "Distinct"
      case .binary, .chain: "BinaryExpr"
      case .parenthesis: "ParenExpr"
      case .wildcard: "Wildcard"
      case .regex: "RegexLiteral"
      case .string: "StringLiteral"
      case .number: "NumberLiteral"
      case .integer: "IntegerLiteral"
      case .unsigned: "UnsignedLiteral"
      case .boolean: "BooleanLiteral"
      case .duration, .months: "DurationLiteral"
      }
    return "*influxql.\(name)"
  }

  /// As InfluxDB prints it: a number with three places.
  var goText: String {
    guard case .number(let value) = bare, value.magnitude < 1e15 else { return description }
    let thousandths = Int64((value * 1_000).rounded(.toNearestOrEven))
    let places = "\(1_000 + thousandths.magnitude % 1_000)".dropFirst()
    return "\(thousandths < 0 ? "-" : "")\(thousandths.magnitude / 1_000).\(places)"
  }
}

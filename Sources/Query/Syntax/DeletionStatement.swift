/// `DELETE`, `DROP SERIES` or `DROP MEASUREMENT`.
struct DeletionStatement: Sendable, Equatable {
  enum Kind: String, Sendable {
    case delete = "DELETE"
    case dropSeries = "DROP SERIES"
    case dropMeasurement = "DROP MEASUREMENT"
  }

  var kind: Kind
  /// Empty: every measurement.
  var sources: [MeasurementSource] = []
  var condition: Expression?
}

extension DeletionStatement: CustomStringConvertible {
  var description: String {
    let names = sources.map(\.description).joined(separator: ", ")
    if kind == .dropMeasurement { return "\(kind.rawValue) \(names)" }
    return kind.rawValue + (sources.isEmpty ? "" : " FROM \(names)")
      + (condition.map { " WHERE \($0)" } ?? "")
  }
}

extension StatementGrammar {
  // MARK: Changes

  /// A statement that deletes, or that writes what it reads.
  mutating func change() -> String {
    let measurement = one(of: Self.measurements)
    switch number(0...9) {
    case ..<3: return deletion(measurement)
    case 3:
      let tag = one(of: measurement.tags + ["host"])
      let test = chance(50) ? "= '\(one(of: measurement.tagValues))'" : "=~ /\(one(of: ["^a", "est$", "o"]))/"
      return "DROP SERIES FROM \(bare(measurement)) WHERE \(tag) \(test)"
    case 4: return "DROP MEASUREMENT \(chance(30) ? bare(measurement) : one(of: Self.targets))"
    default: return into(measurement)
    }
  }

  /// Where `INTO` writes.
  static let targets = ["copy", "rollup", "sums"]

  /// Without a policy: what deletes is of all of them.
  private func bare(_ measurement: Measurement) -> String { measurement.name.replacing("daily.", with: "") }

  private mutating func deletion(_ measurement: Measurement) -> String {
    let name = bare(measurement)
    var terms: [String] = []
    if !measurement.tags.isEmpty, chance(60) { terms.append("\(one(of: measurement.tags)) = '\(one(of: measurement.tagValues))'") }
    if terms.isEmpty || chance(70) { terms += chance(50) ? times(isWhole: true) : [times(isWhole: true)[1]] }
    return "DELETE FROM \(one(of: [name, name, "/d|m/"])) WHERE \(terms.joined(separator: " AND "))"
  }

  private mutating func into(_ measurement: Measurement) -> String {
    let bounds = times(isWhole: true).joined(separator: " AND ")
    let target = one(of: Self.targets + ["daily.rollup", "other..copy"])
    let (function, field) = (one(of: ["mean", "max", "count", "sum"]), one(of: measurement.numbers))
    // A name for each type: InfluxDB has one type a field.
    let call = "\(function)(\(field)) AS \(function)_\(field)"
    let tags = measurement.tags.isEmpty ? "" : ", \(one(of: measurement.tags))"
    switch number(0...3) {
    case 0: return "SELECT * INTO \(target) FROM \(measurement.name) WHERE \(bounds) GROUP BY *"
    case 1: return "SELECT \(one(of: measurement.fields)) INTO \(target) FROM \(measurement.name) WHERE \(bounds)"
    default:
      return "SELECT \(call) INTO \(target) FROM \(measurement.name) WHERE \(bounds) GROUP BY time(\(one(of: ["1h", "6h", "1d"])))\(tags)"
        + (chance(30) ? " fill(\(one(of: ["0", "none", "previous"])))" : "")
    }
  }

  /// What shows whether both servers hold the same after a change.
  static let checks = [
    "SELECT * FROM /./ GROUP BY *", "SELECT * FROM daily././ GROUP BY *", "SELECT * FROM other.././ GROUP BY *", "SHOW SERIES",
  ]
}

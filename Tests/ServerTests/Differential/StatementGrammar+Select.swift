extension StatementGrammar {
  // MARK: Rows

  /// Rows as they are, or arithmetic of them.
  mutating func raw() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    var statement = GeneratedStatement("SELECT")
    switch number(0...9) {
    case 0: statement.fields = [one(of: ["*", "*::field", "*::tag, \(measurement.numbers[0])", "/s|u/"])]
    case 1...2: statement.fields = [arithmetic(of: some(of: measurement.numbers, 2), 2)]
    default:
      statement.fields = some(of: measurement.fields, 3)
      if chance(30) { statement.fields.append(one(of: measurement.tags + ["nosuch", "time"])) }
      if chance(15) { statement.fields[0] += " AS \(one(of: ["x", "\"a b\"", measurement.numbers[0]]))" }
      if chance(5) {
        statement.fields[0] =
          one(of: measurement.numbers) + "::\(one(of: ["float", "integer", "string", "boolean"]))"
      }
    }
    statement.source = source(measurement)
    statement.terms = conditions(measurement) + (chance(60) ? times(isWhole: false) : [])
    if chance(8) {
      statement.terms.append("(\(one(of: times(isWhole: true))) OR \(comparison(measurement)))")
    }
    statement.dimensions = tags(measurement)
    statement.tail = limits() + zone()
    return statement
  }

  /// Functions of one value, of rows or of aggregates.
  mutating func computed() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    var statement = GeneratedStatement("SELECT")
    let isGrid = chance(40)
    let operand = isGrid
      ? "\(one(of: ["mean", "max", "sum", "last"]))(\(field(measurement)))" : field(measurement)
    statement.fields = (0..<number(1...2)).map { _ in
      chance(30) ? arithmetic(of: [function(of: operand), operand], 1) : function(of: operand)
    }
    statement.source = source(measurement)
    statement.terms = conditions(measurement) + times(isWhole: true)
    statement.dimensions = (isGrid ? [interval()] : []) + tags(measurement)
    statement.tail = (isGrid ? fill() : []) + limits() + zone()
    return statement
  }

  private mutating func function(of operand: String) -> String {
    let name = one(of: [
      "abs", "ceil", "floor", "round", "sqrt", "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan",
      "atan2", "pow", "log", "abs", "round",
    ])
    switch name {
    case "atan2", "pow": return "\(name)(\(operand), \(one(of: [operand, "2", "0.5"])))"
    case "log": return "log(\(operand), \(one(of: ["2", "10", "3"])))"
    case "exp", "sin", "cos", "tan": return "\(name)(\(operand) / 100)"
    default: return "\(name)(\(chance(20) ? "abs(\(operand))" : operand))"
    }
  }

  /// An expression of operands, `depth` operations deep at most.
  mutating func arithmetic(of operands: [String], _ depth: Int) -> String {
    guard depth > 0, chance(80) else {
      return chance(70) ? one(of: operands) : one(of: ["2", "0.5", "10", "3"])
    }
    let sign = one(of: ["+", "-", "*", "/", "%", "+", "*"])
    let first = one(of: operands)
    let text = "\(first) \(sign) \(arithmetic(of: operands, depth - 1))"
    return chance(30) ? "(\(text))" : text
  }

  // MARK: Aggregates

  /// A call that makes one value, or a few, of those of a bucket.
  mutating func call(_ measurement: Measurement) -> String {
    if chance(10), let odd = (measurement.booleans + measurement.strings).randomElement(using: &random) {
      return "\(one(of: ["count", "first", "last", "distinct", "mode"]))(\(odd))"
    }
    let name = one(of: [
      "count", "sum", "mean", "min", "max", "first", "last", "spread", "stddev", "median", "mode",
      "percentile", "integral",
      "mean", "count", "count(distinct",
    ])
    switch name {
    case "percentile":
      return "percentile(\(field(measurement)), \(one(of: ["5", "50", "90", "99.9", "100", "12.5"])))"
    case "integral":
      return "integral(\(field(measurement))\(chance(40) ? ", \(one(of: ["1m", "1h", "10s"]))" : ""))"
    case "count(distinct": return "count(distinct(\(field(measurement))))"
    default: return "\(name)(\(field(measurement)))"
    }
  }

  mutating func aggregate() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    var statement = GeneratedStatement("SELECT")
    statement.fields = aggregateFields(measurement)
    statement.source = source(measurement)
    statement.terms = conditions(measurement)
    let isGrid = chance(60)
    if isGrid {
      let bounds = times(isWhole: !chance(15))
      statement.terms += bounds
      // Moved buckets without a first bound begin in 1677 there, and answer millions of rows.
      statement.dimensions = [bounds.count > 1 ? interval() : "time(1h)"] + tags(measurement)
      statement.tail = fill()
    } else {
      if chance(50) { statement.terms += times(isWhole: false) }
      statement.dimensions = tags(measurement)
    }
    statement.tail += limits() + zone()
    return statement
  }

  private mutating func aggregateFields(_ measurement: Measurement) -> [String] {
    switch number(0...99) {
    // As many as there are: all, in no one's order but that of time.
    case ..<2: return ["sample(\(one(of: measurement.fields)), 100000)"]
    case ..<8:
      return ["\(one(of: ["max", "min", "first", "last", "percentile"]))(\(field(measurement)))"].map {
        $0.hasPrefix("percentile") ? String($0.dropLast()) + ", 50)" : $0
      } + some(of: measurement.fields + measurement.tags, 2)
    case ..<16:
      let tag = measurement.tags.isEmpty || chance(50) ? "" : "\(one(of: measurement.tags)), "
      return ["\(one(of: ["top", "bottom"]))(\(one(of: measurement.numbers)), \(tag)\(number(1...4)))"]
        + (chance(30) ? some(of: measurement.fields + measurement.tags, 2) : [])
    case ..<20: return ["distinct(\(one(of: measurement.fields)))"]
    case ..<26:
      return [
        "\(one(of: ["count", "mean", "max", "first", "sum", "mode"]))(\(one(of: ["*", "/s|u/", "/e/", "*::field"])))"
      ]
    case ..<36:
      let calls = [call(measurement), call(measurement)]
      return [arithmetic(of: calls, 2) + (chance(20) ? " AS x" : "")]
    default:
      var calls = [call(measurement)]
      while calls.count < 4, chance(40) { calls.append(call(measurement)) }
      if chance(15) { calls[0] += " AS \(one(of: ["x", "mean", "\"a b\""]))" }
      return calls
    }
  }

  // MARK: Transformations

  mutating func transformed() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    var statement = GeneratedStatement("SELECT")
    let isGrid = chance(65)
    statement.fields = (0..<(chance(25) ? 2 : 1)).map { _ in
      transformation(of: isGrid ? call(measurement) : field(measurement))
    }
    if isGrid, chance(15) { statement.fields.append(call(measurement)) }
    if isGrid, chance(12) { statement.fields = [forecast(measurement)] }
    if !isGrid, chance(6) {
      statement.fields = ["\(one(of: ["derivative", "difference", "cumulative_sum"]))(*)"]
    }
    statement.source = source(measurement)
    statement.terms = conditions(measurement)
    if isGrid {
      // InfluxDB looks back one bucket, and without a first bound falls over the edge of time.
      statement.terms += times(isWhole: true)
      statement.dimensions = [interval()] + tags(measurement)
      statement.tail = fill()
    } else {
      if chance(50) { statement.terms += times(isWhole: false) }
      statement.dimensions = tags(measurement)
    }
    statement.tail += limits() + zone()
    return statement
  }

  private mutating func forecast(_ measurement: Measurement) -> String {
    let name = one(of: ["holt_winters", "holt_winters_with_fit"])
    let inner = one(of: ["mean", "max", "first", "sum", "count"])
    return "\(name)(\(inner)(\(field(measurement))), \(number(1...8)), \(one(of: ["0", "0", "1", "2", "4", "6"])))"
  }

  private mutating func transformation(of inner: String) -> String {
    switch number(0...6) {
    case 0: "derivative(\(inner)\(chance(50) ? ", \(one(of: ["1s", "1m", "1h"]))" : ""))"
    case 1: "non_negative_derivative(\(inner)\(chance(50) ? ", 1m" : ""))"
    case 2: "difference(\(inner))"
    case 3: "non_negative_difference(\(inner))"
    case 4: "moving_average(\(inner), \(number(2...4)))"
    case 5: "cumulative_sum(\(inner))"
    default: "elapsed(\(inner)\(chance(50) ? ", \(one(of: ["1s", "1m", "1h"]))" : ""))"
    }
  }

  // MARK: Subqueries

  /// A statement over another, or over one over another.
  mutating func nested() -> GeneratedStatement {
    let measurement = one(of: Self.measurements)
    var inner = GeneratedStatement("SELECT")
    var names = ["x"]
    let isRaw = chance(25)
    if isRaw {
      inner.fields = ["\(one(of: measurement.numbers)) AS x"]
      if chance(40), measurement.numbers.count > 1 {
        inner.fields.append("\(one(of: measurement.numbers)) AS y")
        names.append("y")
      }
    } else {
      inner.fields = ["\(call(measurement)) AS x"]
      if chance(30) {
        inner.fields.append("\(call(measurement)) AS y")
        names.append("y")
      }
    }
    inner.source = .names([measurement.name])
    inner.terms = conditions(measurement)
    let isGrid = !isRaw && chance(60)
    inner.dimensions = (isGrid ? [interval()] : []) + tags(measurement)
    if isGrid { inner.tail = fill() }
    let boundsInside = chance(30)
    let bounds = times(isWhole: true)
    if boundsInside { inner.terms += bounds }
    if chance(25) { inner = over(inner, names, measurement, terms: [], isInner: true) }
    return over(inner, names, measurement, terms: boundsInside ? [] : bounds, isInner: false)
  }

  /// A statement over one that answers numbers of these names.
  private mutating func over(
    _ inner: GeneratedStatement, _ names: [String], _ measurement: Measurement, terms: [String], isInner: Bool
  ) -> GeneratedStatement {
    var outer = GeneratedStatement("SELECT")
    let stand = Measurement(
      name: "", tags: measurement.tags, numbers: names, tagValues: measurement.tagValues)
    let isRaw = chance(25)
    outer.fields = isRaw ? [chance(50) ? names[0] : arithmetic(of: names, 1)] : [call(stand)]
    if isInner {
      outer.fields = names.map {
        isRaw ? "\($0) * 2 AS \($0)" : "\(one(of: ["max", "mean", "sum", "last"]))(\($0)) AS \($0)"
      }
    }
    outer.source = .subqueries([inner])
    outer.terms = terms
    if chance(20) { outer.terms.insert("\(names[0]) \(one(of: [">", "<", "!="])) \(number(0...50))", at: 0) }
    if chance(12), let tag = measurement.tags.first {
      outer.terms.insert("\(tag) = '\(measurement.tagValues[0])'", at: 0)
    }
    let isGrid = !isRaw && chance(35) && !terms.isEmpty
    outer.dimensions = (isGrid ? [interval()] : []) + tags(measurement)
    if isGrid { outer.tail = fill() }
    if !isInner { outer.tail += limits() }
    return outer
  }
}

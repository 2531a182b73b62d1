import LineProtocol

/// Makes a plan of a statement: wildcards become names, calls become streams, names of columns are settled.
struct SelectPlanner {
  let statement: SelectStatement
  /// All names of all sources.
  let schema: MeasurementSchema
  var plan = SelectPlan()
  private var callCount = 0
  /// Where names and calls stand in the plan.
  private var referencePlaces = PlaceList<Reference>()
  private var auxiliaryPlaces = PlaceList<Reference>()
  private var streamPlaces = PlaceList<SelectPlan.StreamPlan>()

  init(_ statement: SelectStatement, schema: MeasurementSchema, grouping: Grouping) {
    self.statement = statement
    self.schema = schema
    plan.schema = schema
    plan.grouping = grouping
    plan.fill = statement.fill
    plan.isDescending = statement.isDescending
    (plan.limit, plan.offset) = (statement.limit, statement.offset)
  }

  mutating func makePlan() throws(QueryFailure) -> SelectPlan {
    let fields = try expandedFields().filter { !TimeBounds.isTime($0.expression) }.flatMap(Self.withTopTags)
    guard !fields.isEmpty else {
      // A wildcard over nothing answers nothing; `SELECT time` alone is refused.
      let hasWildcard = statement.fields.contains { $0.expression.hasWildcard }
      guard hasWildcard else { throw QueryFailure("at least 1 non-time field must be queried", part: .name("time")) }
      return plan
    }
    let isAggregate = fields.contains { Self.hasCall($0.expression) }
    try validate(fields, isAggregate: isAggregate)
    let types = TypeCheck(schema: schema)
    for field in fields {
      try QueryFailure.about(StatementPart(of: field.expression)) { () throws(QueryFailure) in
        try types.check(field.expression)
      }
    }
    let names = Self.columnNames(fields)
    for (field, name) in zip(fields, names) {
      plan.outputs.append(
        SelectPlan.OutputColumn(
          name: name,
          expression: try QueryFailure.about(StatementPart(of: field.expression)) { () throws(QueryFailure) in
            try compile(field.expression, isAggregate: isAggregate)
          }))
    }
    // References of an aggregate come after its streams, whose number is known only now.
    if isAggregate {
      let streamCount = plan.streams.count
      for index in plan.outputs.indices {
        plan.outputs[index].expression = plan.outputs[index].expression.movingAuxiliaries(by: streamCount)
      }
    }
    return plan
  }

  /// `top(f, tag, 3)` shows the tags after its own column.
  private static func withTopTags(_ field: SelectedField) -> [SelectedField] {
    guard case .call(let function, let arguments) = field.expression.bare,
      function == "top" || function == "bottom"
    else { return [field] }
    return [field]
      + arguments.dropFirst().dropLast().compactMap { argument in
        guard case .reference(let name, _) = argument.bare else { return nil }
        return SelectedField(expression: .reference(name, nil))
      }
  }

  static let auxiliaryBase = 1 << 32

  // MARK: Checks

  private static func hasCall(_ expression: Expression) -> Bool {
    switch expression {
    case .call(let name, let arguments):
      MathFunction(rawValue: name) == nil || arguments.contains(where: hasCall)
    case .distinct: true
    default: expression.children.contains(where: hasCall)
    }
  }

  private func validate(_ fields: [SelectedField], isAggregate: Bool) throws(QueryFailure) {
    for field in fields {
      var hasVariable = false
      field.expression.visit { part in
        switch part {
        case .reference, .call, .distinct: hasVariable = true
        default: break
        }
      }
      guard hasVariable else { throw QueryFailure("field must contain at least one variable") }
    }
    if !isAggregate, plan.grouping.interval > 0, !plan.grouping.isIntervalInherited {
      throw QueryFailure("GROUP BY requires at least one aggregate function", part: .clause(.group))
    }
    if !isAggregate, statement.fill != .null, statement.fill != .none {
      // InfluxDB takes it and does nothing.
    }
    guard isAggregate else { return }
    let calls = fields.flatMap { Self.outerCalls($0.expression) }
    let loose = fields.lazy.compactMap { Self.looseName($0.expression) }.first.map(StatementPart.looseName)
    if let alone = calls.first(where: { $0 == "distinct" }),
      calls.count > 1 || loose != nil || fields.count > 1
    {
      throw QueryFailure(
        "aggregate function \(alone)() cannot be combined with other functions or fields", part: .call(alone))
    }
    if let alone = calls.first(where: { $0 == "top" || $0 == "bottom" }), calls.count > 1 {
      throw QueryFailure("selector function \(alone)() cannot be combined with other functions", part: .call(alone))
    }
    guard let loose else { return }
    guard calls.allSatisfy({ AggregateFunction(rawValue: $0)?.isSelector == true }) else {
      throw QueryFailure("mixing aggregate and non-aggregate queries is not supported", part: loose)
    }
    if calls.count > 1 {
      throw QueryFailure("mixing multiple selector functions with tags or fields is not supported", part: loose)
    }
  }

  /// The names of the calls of an expression that are not inside one another.
  private static func outerCalls(_ expression: Expression) -> [String] {
    switch expression {
    case .call(let name, let arguments):
      MathFunction(rawValue: name) == nil ? [name] : arguments.flatMap(outerCalls)
    case .distinct: ["distinct"]
    default: expression.children.flatMap(outerCalls)
    }
  }

  /// The first name that stands outside every aggregate.
  private static func looseName(_ expression: Expression) -> String? {
    switch expression {
    case .reference(let name, _): name
    case .call(let name, let arguments):
      MathFunction(rawValue: name) == nil ? nil : arguments.lazy.compactMap(looseName).first
    default: expression.children.lazy.compactMap(looseName).first
    }
  }

  // MARK: Expressions

  private mutating func compile(_ expression: Expression, isAggregate: Bool) throws(QueryFailure)
    -> ValueExpression
  {
    switch expression {
    case .parenthesis(let inner): return try compile(inner, isAggregate: isAggregate)
    case .reference(let name, let cast):
      let reference = Reference(name: name, cast: cast)
      return isAggregate ? .slot(Self.auxiliaryBase + auxiliary(reference)) : .slot(slot(of: reference))
    case .binary(let sign, let left, let right):
      return .arithmetic(
        sign, try compile(left, isAggregate: isAggregate), try compile(right, isAggregate: isAggregate))
    case .distinct(let name):
      return .slot(stream(.call(AggregateCall(.distinct, of: Reference(name: name, cast: nil))), "distinct"))
    case .call(let name, let arguments):
      if let function = MathFunction(rawValue: name) {
        try QueryFailure.about(.call(name)) { () throws(QueryFailure) in
          try checkCount(arguments, name, function.argumentCount...function.argumentCount)
        }
        var values: [ValueExpression] = []
        for argument in arguments { values.append(try compile(argument, isAggregate: isAggregate)) }
        return .math(function, values)
      }
      return .slot(
        try QueryFailure.about(.call(name)) { () throws(QueryFailure) in try callStream(name, arguments) })
    default:
      guard let literal = Literal(expression) else { throw QueryFailure("invalid expression: \(expression)") }
      return .literal(literal)
    }
  }

  private mutating func auxiliary(_ reference: Reference) -> Int {
    if let index = auxiliaryPlaces.place(of: reference) { return index }
    plan.auxiliaries.append(reference)
    return plan.auxiliaries.count - 1
  }

  private mutating func slot(of reference: Reference) -> Int {
    if let index = referencePlaces.place(of: reference) { return index }
    plan.references.append(reference)
    return plan.references.count - 1
  }

  /// Without a cast that changes nothing, so that one call twice is one.
  private func plain(_ reference: Reference) -> Reference {
    let plain = Reference(name: reference.name, cast: nil)
    return plain.meaning(in: schema) == reference.meaning(in: schema) ? plain : reference
  }

  private mutating func stream(
    _ input: SelectPlan.StreamInput, _ name: String, _ transform: Transform? = nil
  ) -> Int {
    let stream = SelectPlan.StreamPlan(input: input, transform: transform, function: name)
    if let index = streamPlaces.place(of: stream) { return index }
    plan.streams.append(stream)
    return plan.streams.count - 1
  }

  // MARK: Calls

  private mutating func callStream(_ name: String, _ arguments: [Expression]) throws(QueryFailure) -> Int {
    if plan.grouping.isCalendar { try checkMonths(name, arguments) }
    guard let transform = try CallParser.transform(name, arguments, interval: plan.grouping.interval) else {
      var call = try CallParser.aggregate(name, arguments)
      try CallParser.checkTop(call, limit: statement.limit)
      call.argument = plain(call.argument)
      return stream(.call(call), name)
    }
    let inner = arguments[0].bare
    if case .call(let innerName, let innerArguments) = inner {
      guard plan.grouping.interval > 0 else {
        throw QueryFailure("\(name) aggregate requires a GROUP BY interval")
      }
      let call = try QueryFailure.about(.call(innerName)) { () throws(QueryFailure) in
        try CallParser.aggregate(innerName, innerArguments)
      }
      guard call.function.isScalar else {
        throw QueryFailure("\(innerName)() cannot be used inside \(name)()", part: .call(innerName))
      }
      return stream(.call(call), name, transform)
    }
    guard case .reference(let field, let cast) = inner else {
      throw QueryFailure("expected field argument in \(name)()")
    }
    guard plan.grouping.interval == 0 || plan.grouping.isIntervalInherited else {
      throw QueryFailure("aggregate function required inside the call to \(name)")
    }
    return stream(.rows(slot(of: Reference(name: field, cast: cast))), name, transform)
  }

  /// What reckons with the length of a bucket must be told another where buckets are months.
  private func checkMonths(_ name: String, _ arguments: [Expression]) throws(QueryFailure) {
    switch name {
    case "derivative", "non_negative_derivative":
      if arguments.count == 1 { throw QueryFailure("\(name) of months needs a unit, such as \(name)(…, 1d)") }
    case "holt_winters", "holt_winters_with_fit":
      throw QueryFailure("\(name) needs time buckets of one length, not months")
    default: break
    }
  }

  private func checkCount(
    _ arguments: [Expression], _ name: String, _ range: ClosedRange<Int>
  ) throws(QueryFailure) {
    try CallParser.check(arguments.count, name, range)
  }
}

extension ValueExpression {
  /// Slots above the base of auxiliaries brought to their place after `count` streams.
  fileprivate func movingAuxiliaries(by count: Int) -> ValueExpression {
    switch self {
    case .slot(let index) where index >= SelectPlanner.auxiliaryBase:
      .slot(index - SelectPlanner.auxiliaryBase + count)
    case .arithmetic(let sign, let left, let right):
      .arithmetic(sign, left.movingAuxiliaries(by: count), right.movingAuxiliaries(by: count))
    case .math(let function, let values): .math(function, values.map { $0.movingAuxiliaries(by: count) })
    default: self
    }
  }
}

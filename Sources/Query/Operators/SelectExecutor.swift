import LineProtocol
import Storage

/// What a `SELECT` answers.
struct SelectAnswer {
  var series: [ResultSeries] = []
  var messages: [ResultMessage] = []
  var counters = ScanCounters()
}

/// Runs a `SELECT`: resolves its sources, plans, and runs the plan on one measurement after another.
struct SelectExecutor {
  let catalog: any Catalog
  let request: QueryRequest
  let limits: QueryLimits

  func run(_ statement: SelectStatement, inherited: Inherited = Inherited()) throws -> SelectAnswer {
    try run(try plan(statement, inherited: inherited))
  }

  /// Resolves the names of a statement, and answers its subqueries.
  func plan(_ statement: SelectStatement, inherited: Inherited = Inherited()) throws -> PlannedSelect {
    let frame = try frame(of: statement, inherited)
    var answer = SelectAnswer()
    let sources = try sources(of: statement, frame.inner, &answer)
    return try plan(statement, frame, sources, answer)
  }

  /// What the clauses of a statement say before its sources are known.
  struct Frame {
    let zone: TimeZoneRules
    let bounds: TimeBounds
    let times: TimeExpression
    let buckets: Grouping
    /// From the statement around.
    let inherited: Inherited

    fileprivate let dimensions: [Expression]
    /// For the statements inside.
    var inner: Inherited { Inherited(bounds: bounds, dimensions: dimensions, buckets: buckets, in: inherited) }
  }

  func frame(of statement: SelectStatement, _ inherited: Inherited) throws -> Frame {
    guard let zone = TimeZoneRules.load(statement.timeZone) else {
      throw QueryFailure("unable to find time zone \(statement.timeZone)", part: .call("tz"))
    }
    var bounds = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in
      try TimeBounds(statement.condition, now: request.now, zone: zone)
    }
    inherited.narrow(&bounds)
    let times = TimeExpression(now: request.now, zone: zone)
    var buckets = try grouping(statement, knownTags: [], times)
    buckets.inherit(inherited)
    return Frame(
      zone: zone, bounds: bounds, times: times, buckets: buckets, inherited: inherited, dimensions: statement.dimensions)
  }

  /// The plan over sources that are known.
  ///
  /// - Parameter inner: what the subqueries among them said and counted.
  func plan(
    _ statement: SelectStatement, _ frame: Frame, _ sources: [ResolvedSource], _ inner: SelectAnswer
  ) throws -> PlannedSelect {
    var (schemas, all) = ([MeasurementSchema](), MeasurementSchema())
    for source in sources {
      let schema = try MeasurementSchema(
        source.snapshot, source.name, times: range(of: statement, frame.bounds, frame.buckets))
      all.formUnion(schema)
      schemas.append(schema)
    }
    var grouping = try grouping(statement, knownTags: all.tagKeys, frame.times)
    grouping.inherit(frame.inherited)
    let qualified = try QueryFailure.about(.clause(.select)) { () throws(QueryFailure) in
      try QualifiedNames(of: statement.fields, measurements: sources.map(\.name), schemas: schemas, all: all)
    }
    var planner = SelectPlanner(statement, schema: qualified?.schema ?? all, grouping: grouping)
    var plan = try planner.makePlan()
    // Empty buckets are nothing to the statement around.
    if frame.inherited.isInner, plan.fill == .null { plan.fill = .none }
    var bounds = frame.bounds
    if grouping.interval > 0, bounds.last == nil { bounds.last = max(request.now, bounds.start ?? .min) }
    return PlannedSelect(
      statement: statement, plan: plan, sources: sources, schemas: schemas, bounds: bounds, times: frame.times,
      zone: frame.zone, qualified: qualified, inner: inner)
  }

  private func grouping(
    _ statement: SelectStatement, knownTags: [[UInt8]], _ times: TimeExpression
  ) throws(QueryFailure) -> Grouping {
    try QueryFailure.about(.clause(.group)) { () throws(QueryFailure) in
      try Grouping(statement.dimensions, knownTags: knownTags, times: times)
    }
  }

  /// Reads what is planned.
  func run(_ planned: PlannedSelect) throws -> SelectAnswer {
    var answer = planned.inner
    guard !planned.plan.outputs.isEmpty else { return answer }
    let statement = planned.statement
    if let names = planned.qualified {
      var joined = try JoinedSelect(planned, names, limits: limits, isCancelled: request.isCancelled)
      answer.series = try joined.run()
      answer.messages += joined.messages.filter { !answer.messages.contains($0) }
      answer.counters += joined.counters
      if planned.plan.isDescending { answer.series.reverse() }
      return answer
    }
    for index in planned.sources.indices {
      var runner = planned.select(index, limits: limits, isCancelled: request.isCancelled)
      let groups = try runner.run(seriesLimit: statement.seriesLimit, seriesOffset: statement.seriesOffset)
      answer.series += groups
      answer.messages += runner.messages.filter { !answer.messages.contains($0) }
      answer.counters += runner.counters
    }
    if planned.plan.isDescending { answer.series.reverse() }
    return answer
  }

  /// The times whose names count: with the bucket that transformations of calls look back to.
  private func range(of statement: SelectStatement, _ bounds: TimeBounds, _ buckets: Grouping) -> Range<Int64>
  {
    var looksBack = false
    for field in statement.fields {
      field.expression.visit { part in
        if case .call(let name, _) = part, CallParser.transformations.contains(name) { looksBack = true }
      }
    }
    let range = bounds.range
    guard looksBack, buckets.interval > 0 else { return range }
    if statement.isDescending {
      let end = range.upperBound.addingReportingOverflow(buckets.interval)
      return range.lowerBound..<(end.overflow ? .max : end.partialValue)
    }
    let start = range.lowerBound.subtractingReportingOverflow(buckets.interval)
    return (start.overflow ? .min : start.partialValue)..<range.upperBound
  }

  private func sources(
    of statement: SelectStatement, _ inherited: Inherited, _ answer: inout SelectAnswer
  ) throws -> [ResolvedSource] {
    var inner: [ResultSeries] = []
    let measurements = try measurements(of: statement) { query in
      let found = try run(query, inherited: inherited)
      inner += found.series
      answer.counters += found.counters
      answer.messages += found.messages
    }
    return try SourceResolver(catalog: catalog, request: request).resolve(measurements) + ResultRun.sources(inner)
  }

  /// The measurements among a statement's sources. Each subquery is given to `body`, whose failures are said to be inside of it.
  func measurements(
    of statement: SelectStatement, eachSubquery body: (SelectStatement) throws -> Void
  ) throws -> [MeasurementSource] {
    var measurements: [MeasurementSource] = []
    var subqueryCount = 0
    for source in statement.sources {
      switch source {
      case .measurement(let measurement): measurements.append(measurement)
      case .subquery(let query):
        try QueryFailure.inside(subquery: subqueryCount) { try body(query) }
        subqueryCount += 1
      }
    }
    return measurements
  }
}

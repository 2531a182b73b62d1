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
    guard let zone = TimeZoneRules.load(statement.timeZone) else {
      throw QueryFailure("unable to find time zone \(statement.timeZone)")
    }
    var bounds = try TimeBounds(statement.condition, now: request.now, zone: zone)
    inherited.narrow(&bounds)
    let times = TimeExpression(now: request.now, zone: zone)
    var answer = SelectAnswer()
    let sources = try sources(of: statement, bounds, &answer)
    var (schemas, all) = ([MeasurementSchema](), MeasurementSchema())
    for source in sources {
      let schema = try MeasurementSchema(source.snapshot, source.name, times: bounds.range)
      all.formUnion(schema)
      schemas.append(schema)
    }
    var grouping = try Grouping(statement.dimensions, knownTags: all.tagKeys, times: times)
    grouping.inherit(inherited.tagKeys)
    var planner = SelectPlanner(statement, schema: all, grouping: grouping)
    let plan = try planner.makePlan()
    if grouping.interval > 0, bounds.last == nil { bounds.last = max(request.now, bounds.start ?? .min) }
    return PlannedSelect(
      statement: statement, plan: plan, sources: sources, schemas: schemas, bounds: bounds, times: times,
      zone: zone, inner: answer)
  }

  /// Reads what is planned.
  func run(_ planned: PlannedSelect) throws -> SelectAnswer {
    var answer = planned.inner
    guard !planned.plan.outputs.isEmpty else { return answer }
    let statement = planned.statement
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

  private func sources(
    of statement: SelectStatement, _ bounds: TimeBounds, _ answer: inout SelectAnswer
  ) throws -> [ResolvedSource] {
    var measurements: [MeasurementSource] = []
    var inner: [ResultSeries] = []
    for source in statement.sources {
      switch source {
      case .measurement(let measurement): measurements.append(measurement)
      case .subquery(let query):
        let inherited = Inherited(bounds: bounds, dimensions: statement.dimensions, inner: query)
        let found = try run(query, inherited: inherited)
        inner += found.series
        answer.counters += found.counters
        answer.messages += found.messages
      }
    }
    let resolver = SourceResolver(catalog: catalog, request: request)
    return try resolver.resolve(measurements) + ResultRun.sources(inner)
  }
}

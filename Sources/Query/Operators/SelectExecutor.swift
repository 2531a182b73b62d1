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
    guard let zone = TimeZoneRules.load(statement.timeZone) else {
      throw QueryFailure("unable to find time zone \(statement.timeZone)")
    }
    if statement.target != nil { throw QueryFailure("SELECT … INTO is not supported: nothing was written") }
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
    guard !plan.outputs.isEmpty else { return answer }
    if grouping.interval > 0, bounds.last == nil { bounds.last = max(request.now, bounds.start ?? .min) }
    for (source, schema) in zip(sources, schemas) {
      var runner = MeasurementSelect(
        plan: plan, source: source, schema: schema, bounds: bounds, times: times, zone: zone, limits: limits,
        isCancelled: request.isCancelled)
      let groups = try runner.run(seriesLimit: statement.seriesLimit, seriesOffset: statement.seriesOffset)
      answer.series += groups
      answer.messages += runner.messages.filter { !answer.messages.contains($0) }
      answer.counters += runner.counters
    }
    if plan.isDescending { answer.series.reverse() }
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

import LineProtocol
import Storage

/// Runs a plan on one measurement.
struct MeasurementSelect {
  let plan: SelectPlan
  var source: ResolvedSource
  let schema: MeasurementSchema
  let bounds: TimeBounds
  let times: TimeExpression
  let zone: TimeZoneRules
  let limits: QueryLimits
  let isCancelled: @Sendable () -> Bool
  /// Of each result series: one array, which the renderer recognises.
  let columnNames: [String]
  private(set) var counters = ScanCounters()
  private(set) var messages: [ResultMessage] = []

  init(
    plan: SelectPlan, source: ResolvedSource, schema: MeasurementSchema, bounds: TimeBounds,
    times: TimeExpression,
    zone: TimeZoneRules, limits: QueryLimits, isCancelled: @escaping @Sendable () -> Bool
  ) {
    self.plan = plan
    self.source = source
    self.schema = schema
    self.bounds = bounds
    self.times = times
    self.zone = zone
    self.limits = limits
    self.isCancelled = isCancelled
    columnNames = ["time"] + plan.outputs.map(\.name)
  }

  /// The result series of the measurement's groups, in order.
  mutating func run(seriesLimit: Int, seriesOffset: Int) throws -> [ResultSeries] {
    try series(of: plan.isRaw ? rawGroups() : aggregateGroups(), seriesLimit: seriesLimit, seriesOffset: seriesOffset)
  }

  /// Those of groups in order that are asked for.
  func series(of groups: [Group], seriesLimit: Int, seriesOffset: Int) throws(QueryFailure) -> [ResultSeries] {
    if seriesLimit == 0, seriesOffset == 0 { return try results(groups) }
    // InfluxDB chooses among them in the order of their values with bars between, and answers in that of the values.
    let keys = groups.map { Array($0.tagValues.joined(separator: [UInt8(ascii: "|")])) }
    let order = try groups.indices.sorted(unless: isCancelled) { keys[$0].lexicographicallyPrecedes(keys[$1]) }
    let chosen = order.dropFirst(seriesOffset).prefix(seriesLimit == 0 ? order.count : seriesLimit)
    return try results(chosen.sorted().map { groups[$0] })
  }

  private func results(_ groups: [Group]) throws(QueryFailure) -> [ResultSeries] {
    var check = InterruptCheck(isCancelled)
    var found: [ResultSeries] = []
    for group in groups {
      try check.pass(Self.resultStepCount + group.times.count)
      if let series = try result(group) { found.append(series) }
    }
    return found
  }

  /// What a result series costs beside its rows.
  private static let resultStepCount = 64

  /// A group before outputs are computed: its rows in the order of the answer.
  struct Group {
    var tagValues: [[UInt8]]
    var times: [Int64]
    var columns: [Column]
  }

  func result(_ group: Group) throws(QueryFailure) -> ResultSeries? {
    let end = plan.limit == 0 ? group.times.count : min(group.times.count, plan.offset + plan.limit)
    guard plan.offset < end else { return nil }
    return try result(group, plan.offset..<end)
  }

  /// All rows of a group, `LIMIT` or not; `nil` where there are none.
  func evaluated(_ group: Group) throws(QueryFailure) -> ResultSeries? {
    group.times.isEmpty ? nil : try result(group, 0..<group.times.count)
  }

  private func result(_ group: Group, _ rows: Range<Int>) throws(QueryFailure) -> ResultSeries? {
    let evaluator = ValueEvaluator(timestamps: group.times, columns: group.columns)
    var check = InterruptCheck(isCancelled)
    var columns: [Column] = []
    for output in plan.outputs {
      columns.append(evaluator.evaluate(output.expression).slice(rows, count: group.times.count))
      try check.pass(group.times.count)
    }
    let tags = plan.grouping.askedOrder.map { place in
      (
        key: String(decoding: plan.grouping.tagKeys[place], as: UTF8.self),
        value: String(decoding: group.tagValues[place], as: UTF8.self)
      )
    }
    return ResultSeries(
      name: String(decoding: source.name, as: UTF8.self), tags: tags,
      columnNames: columnNames,
      timestamps: rows.count == group.times.count ? group.times : Array(group.times[rows]), columns: columns,
      rowCount: rows.count)
  }

  // MARK: Scanning

  /// A scan of `columns` and what the condition reads beside them.
  func makeScan(_ columns: [ScanColumn], _ range: Range<Int64>, isDescending: Bool) throws -> MeasurementScan
  {
    var resolver = ConditionResolver(schema: schema, times: times, columns: columns)
    let condition = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in
      try bounds.rest.map { rest throws(QueryFailure) in try resolver.resolve(rest) }
    }
    return MeasurementScan(
      snapshot: source.snapshot, measurement: source.name, columns: resolver.columns, condition: condition,
      times: range, isDescending: isDescending, isCancelled: isCancelled)
  }

  mutating func note(_ found: ScanCounters, _ columns: [ScanColumn]) {
    counters += found
    if found.windowSeriesMax == 1 {
      source.snapshot.reads?.addQueryOfOneSeries(
        tables: found.selection.tablesAsked, windows: found.selection.windowsAsked)
    }
    messages += schema.messages(for: columns).filter { !messages.contains($0) }
  }

  /// Names as contents of kept rows; fields get places in `columns`.
  func contents(_ references: [Reference], _ columns: inout [ScanColumn]) -> [RowContent] {
    references.map { reference in
      switch reference.meaning(in: schema) {
      case .field(let column):
        if let slot = columns.firstIndex(of: column) { return .field(slot, column.type) }
        columns.append(column)
        return .field(columns.count - 1, column.type)
      case .tag(let key): return .tag(key)
      case .missing: return .none
      }
    }
  }

  // MARK: Raw

  private mutating func rawGroups() throws -> [Group] {
    guard let (scan, pass) = try rawScan() else { return [] }
    note(try scan.run(into: pass), scan.columns)
    return try pass.groups.sorted(unless: isCancelled).compactMap { group in
      let rows = pass.buffers[group]
      guard rows.count > 0 else { return nil }
      return Group(tagValues: pass.groups.values(group), times: rows.timestamps, columns: rows.columns)
    }
  }

  /// The same, without a limit.
  ///
  /// - Parameter only: the values of the one group that is read, whose rows are all wanted; `nil`: as the statement says.
  func rawScan(only values: [[UInt8]]?) throws -> (MeasurementScan, RowPass)? {
    guard let (found, contents) = try scanOfRows() else { return nil }
    var scan = found
    let pass = rawPass(contents, limit: nil)
    if let values {
      let keys = plan.grouping.tagKeys
      let terms = zip(keys, values).map { Condition.tags(.equals(key: $0, value: $1)) }
      scan.condition = .and(terms + (scan.condition.map { [$0] } ?? []))
      pass.choice = GroupChoice(tagKeys: keys, only: values)
    }
    return (scan, pass)
  }

  /// The scan of a raw statement, and what takes its rows; `nil` where no field is asked for.
  func rawScan() throws -> (MeasurementScan, RowPass)? {
    guard let (scan, contents) = try scanOfRows() else { return nil }
    return (scan, rawPass(contents, limit: plan.rowCountNeeded))
  }

  /// The scan, and what its rows are filled with.
  func scanOfRows() throws -> (MeasurementScan, [RowContent])? {
    var columns: [ScanColumn] = []
    let contents = contents(plan.references, &columns)
    guard !columns.isEmpty else { return nil }
    // A subquery's rows were bounded inside: the first bucket's may be dated before the bound.
    let times = source.isDerived ? .min ..< .max : bounds.range
    return (try makeScan(columns, times, isDescending: plan.isDescending), contents)
  }

  private func rawPass(_ contents: [RowContent], limit: Int?) -> RowPass {
    let ties = contents.indices.sorted {
      plan.references[$0].name.utf8.lexicographicallyPrecedes(plan.references[$1].name.utf8)
    }
    let pass = RowPass(
      contents, ties: ties, tagKeys: plan.grouping.tagKeys, isDescending: plan.isDescending,
      limit: limit, limits: limits, isDerived: source.isDerived, keepsEmptyRows: true)
    pass.isInterrupted = isCancelled
    return pass
  }

  /// Gives the rows of a raw statement without a limit on, some of a group at a time, in no order, and never holds more than
  /// `limits.rowCountMax`.
  mutating func streamRows(_ body: @escaping (ResultSeries) throws -> Void) throws {
    guard let (scan, pass) = try rawScan() else { return }
    let select = self
    pass.onFull = { pass in
      for (group, rows) in pass.buffers.enumerated() where rows.count > 0 {
        let part = Group(tagValues: pass.groups.values(group), times: rows.timestamps, columns: rows.columns)
        if let series = try select.result(part) { try body(series) }
      }
    }
    note(try scan.run(into: pass), scan.columns)
    try pass.empty()
  }
}

import LineProtocol
import Storage

/// Runs `SELECT … INTO`: what a `SELECT` answers is written as points. Group tags are their tags, the other columns their fields;
/// nulls, NaN and infinities are left out, and rows without a field.
///
/// Memory: rows as they are, and time buckets that do not depend on one another, are read and written a piece at a time. Other
/// statements hold their answer, as if it was asked for.
struct IntoExecutor {
  /// Rows, or time buckets of all groups together, that a piece has.
  static let pieceRowCountMax = 100_000
  /// Values that become one batch.
  private static let batchValueCount = 20_000

  let select: SelectExecutor
  let sink: (any PointSink)?

  /// One row, as InfluxDB answers: how many points were written.
  func run(_ statement: SelectStatement, _ target: IntoTarget, messages: inout [ResultMessage]) throws
    -> ResultSeries
  {
    guard let sink else {
      throw QueryFailure("SELECT … INTO writes, and what is asked here is read only: ask a server")
    }
    let (database, policy) = try resolve(target)
    var statement = statement
    // As InfluxDB has it: empty buckets are not written, those of a count neither.
    if statement.fill == .null { statement.fill = .none }
    let planned = try select.plan(statement)
    try checkWhole()
    let writer: any PointWriter
    do throws(StorageError) { writer = try sink.open(database: database, policy: policy) } catch {
      throw QueryFailure(error.detail)
    }
    let isCancelled = select.request.isCancelled
    try eachPiece(planned, &messages) { series in
      if isCancelled() { throw QueryFailure.interrupted }
      try checkWhole()
      try Self.write(series, target, writer, isCancelled)
    }
    try writer.finish()
    guard writer.rejectedCount == 0 else {
      throw QueryFailure("partial write: \(writer.firstReason) dropped=\(writer.rejectedCount)")
    }
    var list = ListBuilder(.integer)
    list.append(.integer(Int64(writer.acceptedCount)))
    var answer = list.series("result", ["time", "written"])
    answer.timestamps = [0]
    return answer
  }

  /// What lacks something is not written.
  private func checkWhole() throws(QueryFailure) {
    if let lost = select.request.leftOut.all.first {
      throw QueryFailure("what is written would lack what is damaged: \(lost.text)")
    }
  }

  private func resolve(_ target: IntoTarget) throws(QueryFailure) -> (database: String, policy: String) {
    let request = select.request
    let database = try SourceResolver(catalog: select.catalog, request: request).database(target.database)
    guard let policies = select.catalog.policies(of: database) else {
      throw QueryFailure("database not found: \(database)")
    }
    let policy = target.policy.isEmpty && database == request.database ? request.policy : target.policy
    guard policy.isEmpty || policies.contains(where: { $0.name == policy }) else {
      throw QueryFailure("retention policy not found: \(policy)")
    }
    return (database, policy)
  }

  private static func write(
    _ series: ResultSeries, _ target: IntoTarget, _ writer: any PointWriter, _ isCancelled: () -> Bool
  ) throws(StorageError) {
    var part = series
    if let name = target.name { part.name = name }
    let rowCount = max(1, batchValueCount / max(1, series.columns.count))
    var lines: [UInt8] = []
    for start in stride(from: 0, to: series.rowCount, by: rowCount) {
      let rows = start..<min(series.rowCount, start + rowCount)
      part.timestamps = series.timestamps.map { Array($0[rows]) }
      part.columns = series.columns.map { $0.slice(rows, count: series.rowCount) }
      part.rowCount = rows.count
      var result = StatementResult(statementID: 0)
      result.series = [part]
      var renderer = LineRenderer()
      lines.removeAll(keepingCapacity: true)
      renderer.append(result, into: &lines)
      if !lines.isEmpty { try writer.write(lines, isCancelled: isCancelled) }
    }
  }

  // MARK: Pieces

  /// Calls `body` with the series of the answer, each perhaps several times with some of its rows.
  private func eachPiece(
    _ planned: PlannedSelect, _ messages: inout [ResultMessage],
    _ body: @escaping (ResultSeries) throws -> Void
  ) throws {
    var limits = select.limits
    guard planned.isWhole, !planned.plan.outputs.isEmpty else { return try whole(planned, &messages, body) }
    limits.rowCountMax = min(limits.rowCountMax, Self.pieceRowCountMax)
    limits.cellCountMax = min(limits.cellCountMax, Self.pieceRowCountMax)
    messages += planned.inner.messages
    for index in planned.sources.indices {
      var runner = planned.select(index, limits: limits, isCancelled: select.request.isCancelled)
      if planned.plan.isRaw {
        try runner.streamRows(body)
        messages += runner.messages.filter { !messages.contains($0) }
      } else if planned.hasSeparateBuckets {
        try eachStretch(planned, index, limits, &messages, body)
      } else {
        try read(planned, index, select.limits, &messages).forEach(body)
      }
    }
  }

  private func whole(
    _ planned: PlannedSelect, _ messages: inout [ResultMessage], _ body: (ResultSeries) throws -> Void
  ) throws {
    let answer = try select.run(planned)
    messages += answer.messages
    try answer.series.forEach(body)
  }

  private func read(
    _ planned: PlannedSelect, _ index: Int, _ limits: QueryLimits, _ messages: inout [ResultMessage]
  ) throws -> [ResultSeries] {
    var limits = limits
    limits.account = limits.account.makePart()
    var runner = planned.select(index, limits: limits, isCancelled: select.request.isCancelled)
    let found = try runner.run(seriesLimit: 0, seriesOffset: 0)
    messages += runner.messages.filter { !messages.contains($0) }
    return found
  }

  /// The buckets of a source, as many at once as stay within `limits`; a single one may have more.
  private func eachStretch(
    _ planned: PlannedSelect, _ index: Int, _ limits: QueryLimits, _ messages: inout [ResultMessage],
    _ body: (ResultSeries) throws -> Void
  ) throws {
    guard var rest = planned.bucketRange(of: planned.sources[index].snapshot) else { return }
    let interval = planned.plan.grouping.interval
    var bucketCount = Int64(limits.cellCountMax)
    while !rest.isEmpty {
      if select.request.isCancelled() { throw QueryFailure.interrupted }
      let stretch = planned.stretch(of: rest, bucketCount: bucketCount)
      var part = planned
      (part.bounds.start, part.bounds.last) = (stretch.lowerBound, stretch.upperBound - 1)
      let found: [ResultSeries]
      do {
        found = try read(part, index, bucketCount == 1 ? select.limits : limits, &messages)
      } catch let failure as QueryFailure where failure.isLimit && bucketCount > 1 {
        bucketCount /= 2
        continue
      }
      try found.forEach(body)
      rest = stretch.upperBound..<rest.upperBound
      let rowCount = found.reduce(0) { $0 + $1.rowCount }
      let (doubled, overflow) = (bucketCount * 2).multipliedReportingOverflow(by: interval)
      if rowCount < limits.cellCountMax / 4, !overflow, doubled > 0 { bucketCount *= 2 }
    }
  }
}

extension PlannedSelect {
  /// Whether all rows of all series are answered.
  fileprivate var isWhole: Bool {
    statement.limit == 0 && statement.offset == 0 && statement.seriesLimit == 0 && statement.seriesOffset == 0
      && qualified == nil && !sources.contains(where: \.isDerived)
  }

  /// Whether each time bucket can be answered alone: nothing looks at others, and one without values gives nothing to write.
  fileprivate var hasSeparateBuckets: Bool {
    guard plan.grouping.interval > 0, !plan.grouping.isCalendar, zone == .utc,
      plan.streams.allSatisfy({ $0.transform == nil })
    else {
      return false
    }
    return plan.fill == .none
  }

  /// The times asked for in which a snapshot has anything; `nil` if that is none.
  fileprivate func bucketRange(of snapshot: Snapshot) -> Range<Int64>? {
    let asked = bounds.range
    let windows = snapshot.windows(in: asked)
    guard let first = windows.first, let last = windows.last else { return nil }
    // The end of time is no point's.
    let end = min(last.range.upperBound, asked.upperBound, .max - 1)
    return max(
      first.range.lowerBound, asked.lowerBound)..<max(end, max(first.range.lowerBound, asked.lowerBound))
  }

  /// The first buckets of a range.
  fileprivate func stretch(of range: Range<Int64>, bucketCount: Int64) -> Range<Int64> {
    let grouping = plan.grouping
    let place = TimeLiteral.floorDivide(range.lowerBound &- grouping.offset, grouping.interval)
    let (end, overflow) = (place &+ bucketCount).multipliedReportingOverflow(by: grouping.interval)
    let (moved, passes) = end.addingReportingOverflow(grouping.offset)
    return range.lowerBound..<(overflow || passes ? range.upperBound : min(moved, range.upperBound))
  }
}

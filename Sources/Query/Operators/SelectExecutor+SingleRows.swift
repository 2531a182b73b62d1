import LineProtocol
import Storage

extension SelectExecutor {
  /// Answers a statement that has one row for each group of one measurement, the last one or that of calls, with these beside each other.
  ///
  /// - Returns: whether it did; else the statement is to be answered as any other.
  func takeSingleRows(_ planned: PlannedSelect, into result: inout StatementResult) throws -> Bool {
    let (plan, statement) = (planned.plan, planned.statement)
    guard plan.offset == 0, !plan.grouping.tagKeys.isEmpty, !plan.outputs.isEmpty, planned.qualified == nil, planned.sources.count == 1,
      !planned.sources[0].isDerived, statement.seriesLimit == 0, statement.seriesOffset == 0
    else { return false }
    var select = planned.select(0, limits: limits, isCancelled: request.isCancelled)
    if plan.isRaw {
      guard plan.isDescending, plan.limit == 1 else { return false }
      do {
        result.singles = try select.lastRows()
      } catch is LastRowPass.Unsuited {
        return false
      }
    } else {
      guard select.hasSingleRows else { return false }
      result.singles = try select.aggregateRows()
    }
    result.messages += planned.inner.messages
    result.messages += select.messages.filter { !result.messages.contains($0) }
    return true
  }
}

extension MeasurementSelect {
  /// The last row of each group; `nil` where there are none.
  ///
  /// - Throws: `LastRowPass.Unsuited` where they cannot be gathered so.
  mutating func lastRows() throws -> SingleRowSeries? {
    guard let (scan, contents) = try scanOfRows() else { return nil }
    let pass = LastRowPass(contents, tagKeys: plan.grouping.tagKeys, account: limits.account)
    do {
      note(try scan.run(into: pass), scan.columns)
    } catch let error as LastRowPass.Unsuited {
      try pass.giveBack()
      throw error
    }
    if isCancelled() { throw QueryFailure.interrupted }
    guard !pass.timestamps.isEmpty else { return nil }
    let groups = try pass.groups.sorted(unless: isCancelled).reversed().filter { pass.row(of: $0) != nil }
    return singles(pass.timestamps, pass.columns, at: groups.compactMap { pass.row(of: $0) }, of: groups, in: pass.groups)
  }

  /// Whether each group has one row at most, of calls that accumulate.
  var hasSingleRows: Bool {
    guard plan.grouping.interval == 0, plan.auxiliaries.isEmpty, !plan.keepsPointTime || plan.streams.count == 1
    else { return false }
    if case .value = plan.fill { return false }
    return plan.streams.allSatisfy { $0.transform == nil && accumulates($0) }
  }

  /// The row of each group, where `hasSingleRows`; `nil` where there are none.
  mutating func aggregateRows() throws -> SingleRowSeries? {
    try checkTypes()
    let range = bounds.range
    guard !range.isEmpty, let (pass, streams) = try accumulated(Array(plan.streams.indices), range) else { return nil }
    if isCancelled() { throw QueryFailure.interrupted }
    // What is nowhere has no value in any group.
    var (times, columns) = ([Int64](), plan.streams.map { Column.absent(answerType(of: $0)) })
    for stream in streams {
      let rows = try pass.rows(stream.function, column: stream.column, keepsTime: plan.keepsPointTime)
      (times, columns[stream.stream]) = (rows.times, rows.column)
    }
    var groups = try pass.groups.sorted(unless: isCancelled).filter { group in columns.contains { $0.isPresent(group) } }
    if groups.isEmpty { return nil }
    if plan.isDescending { groups.reverse() }
    return singles(times, columns, at: groups, of: groups, in: pass.groups)
  }

  /// - Parameters:
  ///   - rows: places in `times` and `columns`, in the order of the answer.
  ///   - groups: the group of each row.
  private func singles(
    _ times: [Int64], _ columns: [Column], at rows: [Int], of groups: [Int], in table: GroupTable
  ) -> SingleRowSeries {
    let times = rows.map { times[$0] }
    let evaluator = ValueEvaluator(timestamps: times, columns: columns.map { $0.gathered(rows) })
    let series = ResultSeries(
      name: String(decoding: source.name, as: UTF8.self), columnNames: columnNames, timestamps: times,
      columns: plan.outputs.map { evaluator.evaluate($0.expression) }, rowCount: rows.count)
    var values = plan.grouping.tagKeys.map { _ in Column.absent(.string) }
    for (row, group) in groups.enumerated() {
      table.visitValues(group) { place, value in values[place].append(text: value, rowCount: row) }
    }
    let tags = plan.grouping.askedOrder.map { place in
      (key: String(decoding: plan.grouping.tagKeys[place], as: UTF8.self), values: values[place])
    }
    return SingleRowSeries(rows: series, tags: tags)
  }
}

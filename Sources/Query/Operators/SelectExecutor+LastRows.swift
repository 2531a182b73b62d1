import LineProtocol
import Storage

extension SelectExecutor {
  /// Answers a statement that asks for the last row of each group of one measurement, and has rows beside each other to answer with.
  ///
  /// - Returns: whether it did; else the statement is to be answered as any other.
  func takeLastRows(_ planned: PlannedSelect, into result: inout StatementResult) throws -> Bool {
    let (plan, statement) = (planned.plan, planned.statement)
    guard plan.isRaw, plan.isDescending, plan.limit == 1, plan.offset == 0, !plan.grouping.tagKeys.isEmpty, !plan.outputs.isEmpty,
      planned.qualified == nil, planned.sources.count == 1, !planned.sources[0].isDerived, statement.seriesLimit == 0,
      statement.seriesOffset == 0
    else { return false }
    var select = planned.select(0, limits: limits, isCancelled: request.isCancelled)
    do {
      result.singles = try select.lastRows()
    } catch is LastRowPass.Unsuited {
      return false
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
    let pass = LastRowPass(contents, tagKeys: plan.grouping.tagKeys)
    note(try scan.run(into: pass), scan.columns)
    if isCancelled() { throw QueryFailure.interrupted }
    guard !pass.timestamps.isEmpty else { return nil }
    // They are copied into the order of the answer.
    try limits.account.add(2 * pass.memoryByteCount)
    let groups = try pass.groups.sorted(unless: isCancelled).reversed().filter { pass.row(of: $0) != nil }
    return singles(of: pass, groups)
  }

  private func singles(of pass: LastRowPass, _ groups: [Int]) -> SingleRowSeries {
    let order = groups.compactMap { pass.row(of: $0) }
    let times = order.map { pass.timestamps[$0] }
    let evaluator = ValueEvaluator(timestamps: times, columns: pass.columns.map { $0.gathered(order) })
    let rows = ResultSeries(
      name: String(decoding: source.name, as: UTF8.self), columnNames: columnNames, timestamps: times,
      columns: plan.outputs.map { evaluator.evaluate($0.expression) }, rowCount: order.count)
    var values = plan.grouping.tagKeys.map { _ in Column.absent(.string) }
    for (row, group) in groups.enumerated() {
      pass.groups.visitValues(group) { place, value in values[place].append(text: value, rowCount: row) }
    }
    let tags = plan.grouping.askedOrder.map { place in
      (key: String(decoding: plan.grouping.tagKeys[place], as: UTF8.self), values: values[place])
    }
    return SingleRowSeries(rows: rows, tags: tags)
  }
}

import LineProtocol
import Storage

/// What `EXPLAIN` says.
extension SelectExecutor {
  /// What a statement would look at, a line a figure: found by names, times, filters and tag indexes, without a row.
  ///
  /// Each measurement has its own lines, subqueries first; what reads a subquery's answer reads nothing else.
  func outline(_ statement: SelectStatement, inherited: Inherited = Inherited()) throws -> [String] {
    let frame = try frame(of: statement, inherited)
    var lines: [String] = []
    let measurements = try measurements(of: statement) { query in
      lines.append("SUBQUERY: \(query)")
      lines += try outline(query, inherited: frame.inner)
    }
    let sources = try SourceResolver(catalog: catalog, request: request).resolve(measurements)
    let planned = try plan(statement, frame, sources, SelectAnswer())
    for select in try selects(of: planned) { lines += try select.outlineLines() }
    return lines
  }

  private func selects(of planned: PlannedSelect) throws(QueryFailure) -> [MeasurementSelect] {
    if let names = planned.qualified {
      return try JoinedSelect(planned, names, limits: limits, isCancelled: request.isCancelled).selects()
    }
    return planned.sources.indices.map { planned.select($0, limits: limits, isCancelled: request.isCancelled) }
  }
}

extension MeasurementSelect {
  /// The scan of all that the plan reads, in words.
  fileprivate func outlineLines() throws -> [String] {
    var columns: [ScanColumn] = []
    _ = contents(plan.streams.map(plan.argument(of:)) + plan.references + plan.auxiliaries, &columns)
    let scan = try makeScan(columns, bounds.range, isDescending: plan.isDescending)
    let (counters, rowCount) = try scan.outline()
    let fields = scan.columns.map { "\(String(decoding: $0.name, as: UTF8.self))::\($0.type.name)" }
    return [
      "MEASUREMENT: \(String(decoding: source.name, as: UTF8.self))", "FIELDS: \(fields.joined(separator: ", "))",
    ] + counters.outlineLines + ["ROWS, ABOUT: \(Int(rowCount.rounded()))"]
  }
}

import LineProtocol
import Storage

/// Runs `DELETE`, `DROP SERIES` and `DROP MEASUREMENT`, on every policy of a database; `EXPLAIN` says what would go.
struct DeletionExecutor {
  let catalog: any Catalog
  let request: QueryRequest

  func run(_ statement: DeletionStatement) throws {
    let (deletion, database) = try resolve(statement)
    if let deletion { try catalog.delete(deletion, from: database) }
  }

  /// One row: series, points, and about how many bytes of tables.
  func explain(_ statement: DeletionStatement) throws -> ResultSeries {
    let (deletion, database) = try resolve(statement)
    let preview =
      try deletion.map {
        try catalog.preview($0, from: database, leavingOut: request.leftOut, isCancelled: request.isCancelled)
      } ?? DeletionPreview()
    var list = ListBuilder(.integer, .integer, .integer)
    list.append(
      .integer(Int64(preview.seriesCount)), .integer(Int64(preview.pointCount)),
      .integer(Int64(clamping: preview.byteCount)))
    return list.series("", ["series", "points", "bytes"])
  }

  /// What a statement deletes, `nil` where its condition excludes everything; and of which database.
  private func resolve(_ statement: DeletionStatement) throws -> (Deletion?, database: String) {
    let resolver = SourceResolver(catalog: catalog, request: request)
    let bounds = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in
      try TimeBounds(statement.condition, now: request.now, zone: .utc)
    }
    if statement.kind == .dropSeries, bounds.start != nil || bounds.last != nil {
      throw QueryFailure("DROP SERIES doesn't support time in WHERE clause", part: .clause(.where))
    }
    let database = try resolver.database("")
    let snapshots = try resolver.snapshots(database: "")
    var matches: [MeasurementMatch] = []
    for source in statement.sources { matches.append(try match(source)) }
    let whole = Deletion(measurements: matches, predicate: nil, times: bounds.range)
    guard !bounds.range.isEmpty else { return (nil, database) }
    guard let rest = bounds.rest else { return (whole, database) }
    var schema = MeasurementSchema()
    for snapshot in snapshots {
      for name in try snapshot.measurements() where whole.concerns(name) {
        schema.formUnion(try MeasurementSchema(snapshot, name, times: .min ..< .max))
      }
    }
    var conditions = ConditionResolver(
      schema: schema, times: TimeExpression(now: request.now, zone: .utc), columns: [])
    let condition = try QueryFailure.about(.clause(.where)) { () throws(QueryFailure) in try conditions.resolve(rest) }
    guard let predicate = condition.seriesPredicate else {
      throw QueryFailure("fields not supported in WHERE clause during deletion", part: .clause(.where))
    }
    return (Deletion(measurements: matches, predicate: predicate, times: bounds.range), database)
  }

  private func match(_ source: MeasurementSource) throws(QueryFailure) -> MeasurementMatch {
    guard let pattern = source.regex else { return .name(source.name) }
    do throws(Regex.Failure) { return .matches(try Regex(pattern)) } catch {
      throw QueryFailure(error.message)
    }
  }
}

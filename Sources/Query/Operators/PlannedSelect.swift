import Storage

/// A `SELECT` whose names are resolved and whose subqueries are answered: what is left is to read.
struct PlannedSelect {
  let statement: SelectStatement
  let plan: SelectPlan
  let sources: [ResolvedSource]
  /// One a source.
  let schemas: [MeasurementSchema]
  var bounds: TimeBounds
  let times: TimeExpression
  let zone: TimeZoneRules
  /// Where fields of several measurements stand side by side; `nil`: each is answered by itself.
  let qualified: QualifiedNames?
  /// What the subqueries said and counted; no series.
  let inner: SelectAnswer

  /// The part that reads one source, by the statement's plan or another one.
  func select(
    _ index: Int, limits: QueryLimits, isCancelled: @escaping @Sendable () -> Bool, plan other: SelectPlan? = nil
  ) -> MeasurementSelect {
    MeasurementSelect(
      plan: other ?? plan, source: sources[index], schema: schemas[index], bounds: bounds, times: times, zone: zone,
      limits: limits, isCancelled: isCancelled)
  }
}

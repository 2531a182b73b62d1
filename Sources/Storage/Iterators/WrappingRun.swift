/// A run that shows another one changed: what it does not say itself is the other's.
protocol WrappingRun: SortedRun {
  var base: any SortedRun { get }
}

extension WrappingRun {
  package var sequenceRange: ClosedRange<UInt64> { base.sequenceRange }
  package var timeRange: ClosedRange<Int64> { base.timeRange }
  /// A bound: rows that are not shown count too.
  package var rowCount: Int { base.rowCount }
  package var tableByteCount: UInt64? { base.tableByteCount }
  package var unmasked: any SortedRun { base.unmasked }
  package var damage: StorageError? { base.damage }
  package var seriesCountMax: Int { base.seriesCountMax }

  package func damage(of measurement: [UInt8]) -> RunDamage { base.damage(of: measurement) }
}

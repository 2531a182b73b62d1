package import LineProtocol

/// A run that lies below tombstones, with what they hide left out: the tombstone mask, for queries, flush and merge alike.
///
/// Series that are hidden whole are not there; of others only the times between what is hidden are read, so that no row is looked
/// at to decide. Measurements and keys that only hidden series have are left out too.
package final class MaskedRun: WrappingRun {
  let base: any SortedRun
  /// Those that lie above the run and meet its times, ascending.
  private let tombstones: [Tombstone]
  private let cache: MaskCache

  /// `run`, or `run` under a mask where a deletion may hide something of it.
  ///
  /// - Parameters:
  ///   - tombstones: each above every number that the run holds.
  ///   - cache: of this run and no other, where it does not change.
  package static func masking(
    _ run: any SortedRun, by tombstones: [Tombstone], cache: MaskCache = MaskCache()
  ) -> any SortedRun {
    let held = run.timeRange
    let meeting = tombstones.filter {
      $0.deletion.start <= held.upperBound && $0.deletion.end > held.lowerBound
    }
    return meeting.isEmpty ? run : MaskedRun(run, meeting, cache)
  }

  private init(_ base: any SortedRun, _ tombstones: [Tombstone], _ cache: MaskCache) {
    self.base = base
    self.tombstones = tombstones
    self.cache = cache
  }

  /// Whether anything is hidden at all.
  func hidesAny() throws(StorageError) -> Bool {
    for measurement in try base.measurements() where !(try masks(of: measurement)).isEmpty { return true }
    return false
  }

  package func measurements() throws(StorageError) -> [[UInt8]] {
    var shown: [[UInt8]] = []
    for measurement in try base.measurements() where try shows(measurement) { shown.append(measurement) }
    return shown
  }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    try shows(measurement) ? try base.fields(of: measurement) : []
  }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    guard try !masks(of: measurement).isEmpty else { return try base.tagKeys(of: measurement) }
    let series = try series(of: measurement, where: nil)
    var keys = Set<[UInt8]>()
    for index in 0..<series.count {
      guard let key = SeriesKey(validating: Array(series.keyBytes[series.keyRange(index)])) else { continue }
      for tag in key.parts.tags { keys.insert(Array(tag.key)) }
    }
    return keys.sorted { $0.lexicographicallyPrecedes($1) }
  }

  package func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList? {
    guard try masks(of: measurement).isEmpty else { return nil }
    return try base.tagValues(
      of: measurement, key: key, where: predicate, countMax: countMax, isCancelled: isCancelled)
  }

  package func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError)
    -> SeriesList
  {
    try masks(of: measurement).shown(of: base.series(of: measurement, where: predicate))
  }

  package func seriesCursor(
    of measurement: [UInt8], where predicate: TagPredicate?
  ) throws(StorageError) -> any SeriesCursor {
    MaskedCursor(
      base: try base.seriesCursor(of: measurement, where: predicate), masks: try masks(of: measurement))
  }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    MaskedReader(base.makeReader(of: measurement, fields: fields)) {
      [self] () throws(StorageError) -> MeasurementMasks in
      try masks(of: measurement)
    }
  }

  private func shows(_ measurement: [UInt8]) throws(StorageError) -> Bool {
    // What cannot be read may hold something that shows.
    if base.damage(of: measurement).whole != nil { return true }
    if try masks(of: measurement).isEmpty { return true }
    return try cache.showsAny(of: measurement, by: tombstones) { () throws(StorageError) -> Bool in
      try series(of: measurement, where: nil).count > 0
    }
  }

  private func masks(of measurement: [UInt8]) throws(StorageError) -> MeasurementMasks {
    try cache.masks(of: measurement, in: base, by: tombstones)
  }
}

/// What a mask leaves of a run's series.
private struct MaskedCursor: SeriesCursor {
  var base: any SeriesCursor
  let masks: MeasurementMasks

  mutating func next(_ countMax: Int) throws(StorageError) -> SeriesList? {
    guard let list = try base.next(countMax) else { return nil }
    return masks.shown(of: list)
  }
}

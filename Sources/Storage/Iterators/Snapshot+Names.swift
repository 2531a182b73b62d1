public import LineProtocol

extension Snapshot {
  /// The windows that may hold rows of `times`, ascending; those that lie wholly before the floor are left out.
  package func windows(in times: Range<Int64>) -> [WindowSnapshot] {
    let seen = clipped(times)
    return windows.filter { $0.range.overlaps(seen) }
  }

  /// `times` without what is expired; empty where all of it is.
  package func clipped(_ times: Range<Int64>) -> Range<Int64> {
    let start = max(times.lowerBound, floor)
    return start..<max(start, times.upperBound)
  }

  /// The measurements, sorted by bytes.
  public func measurements() throws(StorageError) -> [[UInt8]] {
    var names = Set<[UInt8]>()
    for window in windows(in: .min ..< .max) { try names.formUnion(window.measurements()) }
    return names.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// Every field of a measurement with each of its types, in the windows that meet `times`; sorted by name, then type.
  public func fields(of measurement: [UInt8], times: Range<Int64> = .min ..< .max) throws(StorageError)
    -> [FieldKey]
  {
    var keys: [FieldKey] = []
    for window in windows(in: times) {
      keys.join(try window.fields(of: measurement, times: clipped(times)))
    }
    return keys
  }

  /// The tag keys of a measurement, sorted.
  ///
  /// - Parameter times: those that are asked for; keys come from all windows, but what is damaged outside of them is no matter.
  public func tagKeys(of measurement: [UInt8], times: Range<Int64> = .min ..< .max) throws(StorageError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    let asked = clipped(times)
    for window in windows(in: .min ..< .max) {
      if !window.range.overlaps(asked), window.isDamaged(measurement) { continue }
      names.join(try window.tagKeys(of: measurement))
    }
    return names
  }
}

extension Snapshot {
  /// The values of a tag key that series of a measurement have which satisfy a predicate (`nil`: all) and have rows in `times`, without
  /// a list of the series; `nil` where only that tells: something is deleted, damaged, or expired or asked for in part. Of more than
  /// `countMax` at least the first ones. Throws `.cancelled` once `isCancelled` says so.
  package func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate? = nil, times: Range<Int64> = .min ..< .max,
    countMax: Int = .max, isCancelled: () -> Bool = { false }
  ) throws(StorageError) -> TagValueList? {
    var lists: [TagValueList] = []
    for window in windows(in: times) {
      guard window.range.lowerBound >= floor, window.isWithin(times),
        let found = try window.tagValues(
          of: measurement, key: key, where: predicate, countMax: countMax, isCancelled: isCancelled)
      else { return nil }
      lists.append(found)
    }
    return TagValueList.union(lists)
  }
}

extension WindowSnapshot {
  /// Whether all that it holds lies in these times.
  fileprivate func isWithin(_ times: Range<Int64>) -> Bool {
    runs.allSatisfy { $0.timeRange.lowerBound >= times.lowerBound && $0.timeRange.upperBound < times.upperBound }
  }

  fileprivate func tagValues(
    of measurement: [UInt8], key: [UInt8], where predicate: TagPredicate?, countMax: Int, isCancelled: () -> Bool
  ) throws(StorageError) -> TagValueList? {
    var lists: [TagValueList] = []
    for run in runs {
      // A run may reach beyond the window where several keyspaces are read as one.
      guard run.damage == nil, run.damage(of: measurement).isNone, run.timeRange.lowerBound >= range.lowerBound,
        run.timeRange.upperBound < range.upperBound,
        let found = try run.tagValues(
          of: measurement, key: key, where: predicate, countMax: countMax, isCancelled: isCancelled)
      else { return nil }
      lists.append(found)
    }
    return TagValueList.union(lists)
  }

  /// The measurements of all its runs, sorted by bytes.
  package func measurements() throws(StorageError) -> [[UInt8]] {
    if leavesOutAll(range) { return [] }
    var names = Set<[UInt8]>()
    for run in runs { try names.formUnion(run.measurements()) }
    let shown = leftOut == nil ? Array(names) : names.filter { !leavesOut($0, range) }
    return shown.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// The tag keys of a measurement in all its runs, sorted.
  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    var names: [[UInt8]] = []
    if leavesOut(measurement, range) { return names }
    for run in runs { names.join(try run.tagKeys(of: measurement)) }
    return names
  }

  /// Every field of a measurement with each of its types, sorted by name, then type.
  ///
  /// - Parameter times: those that are asked for; what is damaged outside of them is no matter.
  package func fields(
    of measurement: [UInt8], times: Range<Int64> = .min ..< .max
  ) throws(StorageError) -> [FieldKey] {
    var keys: [FieldKey] = []
    if leavesOut(measurement, times.clamped(to: range)) { return [] }
    for run in runs where leftOut == nil || run.damage(of: measurement).whole == nil {
      keys.join(try run.fields(of: measurement))
    }
    return keys
  }

  /// The series of a measurement that satisfy a predicate (`nil`: all) and may have rows in `times`, over all runs.
  ///
  /// Runs that lie outside `times` are not asked.
  package func series(
    of measurement: [UInt8], where predicate: TagPredicate?, times: Range<Int64>
  ) throws(StorageError) -> WindowSeries {
    var counts = SelectionCounts()
    return try series(of: measurement, where: predicate, times: times, counts: &counts)
  }

  /// The same, and counts what was looked at and passed over.
  package func series(
    of measurement: [UInt8], where predicate: TagPredicate?, times: Range<Int64>, counts: inout SelectionCounts
  ) throws(StorageError) -> WindowSeries {
    var union = WindowSeriesUnion()
    let times = times.clamped(to: range)
    let tablesAsked = counts.tablesAsked
    if leavesOut(measurement, times) { return WindowSeries() }
    for (index, run) in runs.enumerated() {
      let held = run.timeRange
      guard held.lowerBound < times.upperBound, held.upperBound >= times.lowerBound else {
        counts.note(skippedByTime: run)
        continue
      }
      let list = try run.series(of: measurement, where: predicate)
      counts.note(list, of: run)
      union.add(WindowSeries(list, run: index, times: times))
    }
    if counts.tablesAsked > tablesAsked { counts.windowsAsked += 1 }
    return withoutDamaged(union.finish(), of: measurement)
  }
}

extension Collection where Element == FieldKey {
  /// By name, then type: the order in which runs list fields.
  func sortedByName() -> [FieldKey] {
    sorted { a, b in
      a.name == b.name ? a.type < b.type : a.name.lexicographicallyPrecedes(b.name)
    }
  }
}

extension [FieldKey] {
  /// The fields of a name, of a list that is sorted by name.
  func named(_ name: [UInt8]) -> ArraySlice<FieldKey> {
    let first = partitioningIndex { !$0.name.lexicographicallyPrecedes(name) }
    var end = first
    while end < count, self[end].name == name { end += 1 }
    return self[first..<end]
  }

  /// Adds the fields of another list. Both are by name and type, and mostly the same: then nothing is to be done.
  fileprivate mutating func join(_ other: [FieldKey]) {
    if isEmpty { self = other } else if self != other { self = Set(self).union(other).sortedByName() }
  }
}

extension [[UInt8]] {
  /// The same for names in the order of their bytes.
  fileprivate mutating func join(_ other: [[UInt8]]) {
    if isEmpty {
      self = other
    } else if self != other {
      self = Set(self).union(other).sorted { $0.lexicographicallyPrecedes($1) }
    }
  }
}

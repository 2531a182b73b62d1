/// What is hidden of the series of one measurement of a run.
struct MeasurementMasks: Sendable {
  let measurement: [UInt8]
  /// Of every series that is not in `byOrdinal`.
  private var ofAll = TimeMask()
  private var byOrdinal: [UInt32: TimeMask] = [:]

  init(_ measurement: [UInt8]) { self.measurement = measurement }

  var isEmpty: Bool { ofAll.hidden.isEmpty && byOrdinal.isEmpty }

  subscript(ordinal: UInt32) -> TimeMask { byOrdinal[ordinal] ?? ofAll }

  /// What of a run's series is left to see, with their times cut.
  func shown(of list: SeriesList) -> SeriesList {
    if isEmpty { return list }
    var shown = SeriesList()
    shown.rowGroupCount = list.rowGroupCount
    shown.isSkippedByFilter = list.isSkippedByFilter
    for index in 0..<list.count {
      guard
        let times = self[list.ordinals[index]].cut(
          first: list.firstTimestamps[index], last: list.lastTimestamps[index])
      else { continue }
      shown.append(
        key: list.keyBytes[list.keyRange(index)], ordinal: list.ordinals[index], firstTimestamp: times.first,
        lastTimestamp: times.last)
    }
    return shown
  }

  mutating func insert(_ deletion: Deletion, in run: any SortedRun) throws(StorageError) {
    let list = try run.series(of: measurement, where: deletion.predicate)
    let times = deletion.times
    if deletion.predicate == nil {
      if list.count > 0 { ofAll.insert(times) }
      for ordinal in byOrdinal.keys { byOrdinal[ordinal, default: ofAll].insert(times) }
      return
    }
    for index in 0..<list.count
    where list.firstTimestamps[index] < times.upperBound && list.lastTimestamps[index] >= times.lowerBound {
      byOrdinal[list.ordinals[index], default: ofAll].insert(times)
    }
  }
}

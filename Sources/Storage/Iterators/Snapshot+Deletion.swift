extension Snapshot {
  /// Whether a deletion would hide anything of it.
  package func holdsAny(of deletion: Deletion) throws(StorageError) -> Bool {
    let times = clipped(deletion.times)
    for window in windows(in: deletion.times) {
      for measurement in try window.measurements() where deletion.concerns(measurement) {
        if try window.series(of: measurement, where: deletion.predicate, times: times).count > 0 {
          return true
        }
      }
    }
    return false
  }
}

extension WindowSnapshot {
  /// The points that a deletion would hide, and their series added to `series`.
  func count(
    _ deletion: Deletion, times: Range<Int64>, series: inout Set<[UInt8]>
  ) throws(StorageError) -> Int {
    var count = 0
    for measurement in try measurements() where deletion.concerns(measurement) {
      let found = try self.series(of: measurement, where: deletion.predicate, times: times)
      let scanner = SeriesScanner(
        window: self, series: found, measurement: measurement, columns: [], times: times)
      var batch = scanner.makeBatch()
      for index in 0..<found.count {
        try scanner.begin(index)
        var rowCount = 0
        while try scanner.next() != nil {
          try scanner.read(into: &batch)
          rowCount += batch.count
        }
        if rowCount > 0 { series.insert(Array(found.keyBytes[found.keyRange(index)])) }
        count += rowCount
      }
    }
    return count
  }
}

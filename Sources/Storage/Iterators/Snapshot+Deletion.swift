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
  /// The points that a deletion would hide, and their series added to `series`; fails once `isCancelled`.
  func count(
    _ deletion: Deletion, times: Range<Int64>, series: inout Set<[UInt8]>, isCancelled: () -> Bool
  ) throws(StorageError) -> Int {
    var count = 0
    for measurement in try measurements() where deletion.concerns(measurement) {
      var pieces = try WindowSeriesPieces(self, of: measurement, where: deletion.predicate, times: times)
      while let found = try pieces.next() {
        let scanner = SeriesScanner(
          window: self, series: found, measurement: measurement, columns: [], times: times)
        var batch = scanner.makeBatch()
        for index in 0..<found.count {
          let rowCount = try Self.rowCount(of: index, scanner, &batch, isCancelled)
          if rowCount > 0 { series.insert(Array(found.keyBytes[found.keyRange(index)])) }
          count += rowCount
        }
      }
    }
    return count
  }

  private static func rowCount(
    of index: Int, _ scanner: SeriesScanner, _ batch: inout ColumnBatch, _ isCancelled: () -> Bool
  ) throws(StorageError) -> Int {
    try scanner.begin(index)
    var count = 0
    while try scanner.next() != nil {
      if isCancelled() { throw StorageError(.cancelled, "the statement was ended") }
      try scanner.read(into: &batch)
      count += batch.count
    }
    return count
  }
}

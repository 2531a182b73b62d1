import Coding

extension Table {
  /// Calls `body` with each series of a measurement and its share of the measurement's bytes: of rows, dictionary and index by its
  /// rows, of the Bloom filter alike. Costs the dictionary, 16,384 series at a time; reads no row. Returns the measurement's bytes;
  /// 0 if it is not here.
  func forEachSeries(
    of measurement: [UInt8], _ body: (_ key: ArraySlice<UInt8>, _ byteCount: Double) -> Void
  ) throws(StorageError) -> UInt64 {
    guard let handle = try handle(of: measurement), let top = try top(of: measurement) else { return 0 }
    let reader = makeStreamingReader(of: measurement, fields: [])
    let firstByte = try reader.loadStripe(row: 0).groups[0].offset
    guard firstByte < handle.end else { throw source.corrupt(handle, "rows begin at \(firstByte), past their index") }
    let byteCount = handle.end - firstByte
    let filterByteCount = try filter().byteCounts.reduce(0, +)
    let filterShare = Double(filterByteCount) / Double(max(state.seriesCount, 1))
    var selection = SeriesSelection(table: self, top: top)
    var decoder = BlockDecoder()
    for start in stride(from: 0, to: top.seriesCount, by: TableFormat.stripeCount) {
      let ordinals = start..<min(start + TableFormat.stripeCount, top.seriesCount)
      let list = try selection.list(ordinals: ordinals)
      var rowCounts: [UInt64] = []
      try source.decode(
        top.rowCounts, kind: .unsigned, count: top.seriesCount, rows: ordinals, with: &decoder, into: &rowCounts)
      guard rowCounts.count == list.count else {
        throw source.corrupt(handle, "\(rowCounts.count) row counts for \(list.count) series")
      }
      for index in 0..<list.count {
        let share = Double(rowCounts[index]) / Double(max(top.rowCount, 1))
        body(list.keyBytes[list.keyRange(index)], share * Double(byteCount) + filterShare)
      }
    }
    return byteCount + UInt64(filterShare * Double(top.seriesCount))
  }
}

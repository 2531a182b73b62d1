import LineProtocol

/// Short series side by side: their row group is decoded whole, since all of it is read.
extension TableReader: SharedRowsReader {
  package func sharedRows(of ordinal: UInt32, times: Range<Int64>) throws(StorageError) -> SharedRows? {
    try guarded { () throws(StorageError) in
      let top = try open()
      guard Int(ordinal) < top.seriesCount else {
        throw StorageError(.invalid, file: table.name, "series \(ordinal) of \(top.seriesCount)")
      }
      let found = try series.place(of: Int(ordinal), top: top, source: table.source, isKept: isKept, decoder: &decoder)
      guard found.times.lowerBound >= times.lowerBound, found.times.upperBound < times.upperBound else { return nil }
      guard let group = try group(of: found.rows), group.entry.seriesCount > 1 else { return nil }
      let start = group.rows.lowerBound
      return SharedRows(
        group: group.entry.offset, rows: found.rows.lowerBound - start..<found.rows.upperBound - start, times: found.times)
    }
  }

  /// The row group that has all of some rows of the measurement; `nil` where they lie in several.
  private func group(
    of rows: Range<Int>
  ) throws(StorageError) -> (rows: Range<Int>, number: Int, entry: RowGroupEntry)? {
    if let sharedGroup, sharedGroup.rows.contains(rows.lowerBound) {
      return rows.upperBound <= sharedGroup.rows.upperBound ? sharedGroup : nil
    }
    let stripe = try loadStripe(row: rows.lowerBound)
    let number = stripe.group(of: rows.lowerBound)
    let group = (rows: stripe.rows(number), number: number, entry: stripe.groups[number])
    sharedGroup = group
    return rows.upperBound <= group.rows.upperBound ? group : nil
  }

  package func holds(_ group: UInt64) -> Bool {
    guard shared.offset == group, let sharedGroup, sharedGroup.entry.offset == group else { return false }
    return shared.rows == 0..<sharedGroup.entry.rowCount && shared.isWhole
  }

  package func holdShared() throws(StorageError) {
    try guarded { () throws(StorageError) in
      guard let sharedGroup else { return }
      let entry = sharedGroup.entry
      note(entry)
      beginShared(entry, 0..<entry.rowCount)
      try decodeSharedTimestamps(entry)
      for index in fields.indices {
        shared.columns[index].reset()
        guard fieldNumbers[index] >= 0 else { continue }
        let column = try entries(of: fieldNumbers[index], withStatistics: false)[sharedGroup.number]
        guard column.isPresent else { continue }
        try decodeShared(index, column, of: entry)
      }
      shared.isWhole = true
    }
  }

  package var heldTimestamps: [Int64] { shared.timestamps }
  package func heldColumn(_ index: Int) -> Column { shared.columns[index] }
}

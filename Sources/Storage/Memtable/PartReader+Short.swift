import LineProtocol

/// Many short series at a time: their rows are found first and gathered then, column by column over all of them.
extension PartReader {
  func readShort(
    _ count: Int, ordinal: (Int) -> UInt32, times: Range<Int64>, into batch: inout ShortSeriesBatch
  ) -> Int {
    var pieces: [Piece] = []
    swap(&pieces, &self.pieces)
    pieces.removeAll(keepingCapacity: true)
    var rowCount = 0
    while batch.count < count, batch.hasRoom {
      let (start, series) = (pieces.count, Int(ordinal(batch.count)))
      index.prefetchChunks(after: series)
      guard let found = collectShort(series, times: times, into: &pieces) else {
        pieces.removeLast(pieces.count - start)
        break
      }
      rowCount += found
      batch.ends.append(rowCount)
    }
    gather(pieces[...], into: &batch.rows)
    for column in batch.rows.columns.indices { batch.rows.columns[column].finish() }
    swap(&pieces, &self.pieces)
    return batch.count
  }

  /// Appends the rows of a series by time and answers how many they are; `nil` where they are many, or two of one time are to be joined.
  private func collectShort(_ ordinal: Int, times: Range<Int64>, into pieces: inout [Piece]) -> Int? {
    let start = pieces.count
    let (isInOrder, isDisjoint) = find(ordinal, times: times, into: &pieces)
    var rowCount = 0
    for index in start..<pieces.count { rowCount += pieces[index].count }
    guard rowCount < ShortSeriesBatch.rowCountLimit else { return nil }
    // Only now, since of a long series all that would be for nothing.
    if isInOrder, isDisjoint || order(&pieces, from: start) { return rowCount }
    // A chunk is not in order, or two rows are of one time: each row goes by itself.
    let found = Array(pieces[start...])
    pieces.removeLast(found.count)
    for piece in found {
      for row in 0..<piece.count where times.contains(piece.timestamp(row)) {
        unsafe pieces.append(
          Piece(rows: piece.rows + row * piece.rowWords, rowWords: piece.rowWords, count: 1, listIndex: piece.listIndex))
      }
    }
    return Self.areDisjoint(&pieces, from: start) ? pieces.count - start : nil
  }
}

/// Pieces of several inserters whose times meet, cut into stretches that follow one another in time.
struct PieceInterleaving {
  /// More pieces than that meet at a time where rows come in no order: their index is sorted instead.
  private static let openMax = 16

  /// A piece that has begun, and the row of it that comes next.
  private struct Open {
    let piece: PartReader.Piece
    var row: Int
    var time: Int64
  }

  /// By time of their next rows, the earliest last.
  private var open: [Open] = []
  private var stretches: [PartReader.Piece] = []

  /// Replaces the pieces from `start` on, each of which ascends and which are sorted by their first times; `false`, and they stay as they
  /// are, where two rows are of one time, or very many pieces meet.
  ///
  /// Costs a comparison a row where rows alternate, and few a stretch where they do not.
  mutating func interleave(_ pieces: inout [PartReader.Piece], from start: Int) -> Bool {
    open.removeAll(keepingCapacity: true)
    stretches.removeAll(keepingCapacity: true)
    var next = start
    while next < pieces.count || !open.isEmpty {
      while next < pieces.count, open.isEmpty || pieces[next].timestamp(0) <= open[open.count - 1].time {
        begin(Open(piece: pieces[next], row: 0, time: pieces[next].timestamp(0)))
        next += 1
      }
      let first = open.removeLast()
      // No other row lies before it.
      var limit = open.last?.time ?? .max
      if next < pieces.count { limit = min(limit, pieces[next].timestamp(0)) }
      guard first.time < limit || (next == pieces.count && open.isEmpty), open.count < Self.openMax else { return false }
      let end = first.piece.firstRow(from: limit, after: first.row)
      stretches.append(first.piece.rows(first.row..<end))
      if end < first.piece.count { begin(Open(piece: first.piece, row: end, time: first.piece.timestamp(end))) }
    }
    pieces.replaceSubrange(start..., with: stretches)
    return true
  }

  private mutating func begin(_ piece: Open) {
    var place = open.count
    while place > 0, open[place - 1].time < piece.time { place -= 1 }
    open.insert(piece, at: place)
  }
}

extension PartReader.Piece {
  /// Some of its rows.
  @inline(__always) func rows(_ range: Range<Int>) -> PartReader.Piece {
    unsafe PartReader.Piece(
      rows: rows + range.lowerBound * rowWords, rowWords: rowWords, count: range.count, listIndex: listIndex)
  }

  /// The first row behind `row` of a piece that ascends whose time is not below `time`; its count where there is none. Looks near
  /// `row` first.
  func firstRow(from time: Int64, after row: Int) -> Int {
    var (low, step) = (row + 1, 1)
    while low < count, timestamp(low) < time {
      // Rows through `low` lie before it.
      let far = min(low + step, count)
      if far == count || timestamp(far) >= time { return firstRow(from: time, in: low + 1..<far) }
      (low, step) = (far, step * 2)
    }
    return min(low, count)
  }

  /// The first row of a range of which those before it lie below `time`; the range's end where all do.
  func firstRow(from time: Int64, in range: Range<Int>) -> Int {
    range.partitioningIndex { timestamp($0) >= time }
  }
}

import CShims
import LineProtocol
import Synchronization

/// Reads rows of a part's series, sorted by time, rows of one time joined. One thread.
///
/// Rows that came in order, which is the rule, are neither sorted nor joined: their columns are gathered from
/// the chunks; those of several inserters, in stretches of one after the other. Otherwise an index of the rows
/// is sorted by (timestamp, batch, position in the batch), and
/// those of one timestamp are joined by field *name*: the last row that has the name wins, whatever the type
/// of its value.
@safe final class PartReader: RunReader {
  /// The most rows of a span.
  static let spanRowCountMax = 16_384
  /// Rows gathered column by column at a time: ten words each stay in the first-level cache.
  private static let tileRowCount = 128

  /// Rows of a chunk that ascend in time, or one row of an index.
  @safe struct Piece {
    /// The first row.
    let rows: UnsafeMutablePointer<UInt64>
    let rowWords: Int
    let count: Int
    let listIndex: Int

    @inline(__always) func timestamp(_ row: Int) -> Int64 { unsafe Int64(bitPattern: rows[row * rowWords]) }
  }
  @safe struct Row {
    let timestamp: Int64
    let order: UInt64
    let row: UnsafeMutablePointer<UInt64>
    let listIndex: Int
  }
  private enum Layout { case pieces, rows }

  let run: PartRun
  let fields: [FieldKey]
  let index: PartIndex
  private(set) var maps: FieldMaps

  private var layout = Layout.pieces
  var pieces: [Piece] = []
  private var rows: [Row] = []
  /// Where rows of one timestamp begin in `rows`, and its end.
  private var groups: [Int] = []
  /// Ranges of `pieces` or of `groups`, in the order in which they are handed out.
  private var spans: [(range: Range<Int>, span: RowGroupSpan)] = []
  private var nextSpan = 0
  private var interleaving = PieceInterleaving()
  private let scratch: UnsafeMutablePointer<UInt64>

  init(run: PartRun, fields: [FieldKey]) {
    self.run = run
    self.fields = fields
    index = run.index
    maps = FieldMaps(fields: fields)
    unsafe scratch = .allocate(capacity: Self.tileRowCount)
  }

  deinit { unsafe scratch.deallocate() }

  // MARK: RunReader

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) {
    pieces.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    groups.removeAll(keepingCapacity: true)
    spans.removeAll(keepingCapacity: true)
    nextSpan = 0
    precondition(Int(ordinal) < index.count, "series \(ordinal) of \(index.count)")
    let isInOrder = collect(Int(ordinal), times: times, into: &pieces)
    if isInOrder {
      layout = .pieces
      cutPieces()
    } else {
      layout = .rows
      sortRows(times: times)
      cutGroups()
    }
    if descending { spans.reverse() }
  }

  func next() -> RowGroupSpan? {
    guard nextSpan < spans.count else { return nil }
    nextSpan += 1
    return spans[nextSpan - 1].span
  }

  func statistics(_ column: Int) -> ColumnStatistics? { nil }

  func read(into batch: inout ColumnBatch) {
    precondition(nextSpan > 0 && batch.columns.count == fields.count, "read before next, or another batch")
    batch.reset()
    let (range, span) = spans[nextSpan - 1]
    if span.rowCount > Self.tileRowCount {
      batch.timestamps.reserveCapacity(span.rowCount)
      for column in batch.columns.indices { batch.columns[column].values.reserveCapacity(span.rowCount) }
    }
    switch layout {
    case .pieces: gather(pieces[range], into: &batch)
    case .rows: gatherGroups(range, into: &batch)
    }
    for column in batch.columns.indices { batch.columns[column].finish() }
  }

  // MARK: Finding the rows

  /// Appends the rows of a series shown in `times`, by time; false: two of them are of one time, or a chunk is not in order, and of
  /// such chunks all rows are there.
  private func collect(_ ordinal: Int, times: Range<Int64>, into pieces: inout [Piece]) -> Bool {
    let start = pieces.count
    let (isInOrder, isDisjoint) = find(ordinal, times: times, into: &pieces)
    return isInOrder && (isDisjoint || order(&pieces, from: start))
  }

  /// The same, in the order in which chunks were begun; says whether each chunk is in order, and whether none meets the next.
  func find(_ ordinal: Int, times: Range<Int64>, into pieces: inout [Piece]) -> (isInOrder: Bool, isDisjoint: Bool) {
    let start = pieces.count
    var (isInOrder, isDisjoint, newer) = (true, true, Int64.max)
    var next = unsafe PartSeries.newestChunk(index[ordinal])
    while let chunk = unsafe next {
      unsafe next = chunk.pointee.older
      let count = unsafe visibleCount(chunk)
      guard count > 0 else { continue }
      let written = unsafe Chunk.times(chunk)
      guard written.first < times.upperBound, written.last >= times.lowerBound else { continue }
      let listIndex = unsafe Int(chunk.pointee.listIndex)
      maps.cover(listIndex, of: run.part)
      let piece = unsafe Piece(
        rows: Chunk.rows(chunk), rowWords: Int(chunk.pointee.rowWords), count: count, listIndex: listIndex)
      // What the chunk says of its times mostly decides: its rows are not looked at, which lie elsewhere in memory.
      if written.last >= newer { isDisjoint = false }
      newer = min(newer, written.first)
      if unsafe !Chunk.isAscending(chunk) {
        isInOrder = false
        pieces.append(piece)
      } else if written.first >= times.lowerBound, written.last < times.upperBound {
        pieces.append(piece)
      } else if let cut = Self.cut(piece, to: times) {
        pieces.append(cut)
      }
    }
    if pieces.count - start > 1 { pieces[start...].reverse() }
    return (isInOrder, isDisjoint)
  }

  /// Puts the rows of pieces that ascend in order of time; `false` where two are of one time.
  func order(_ pieces: inout [Piece], from start: Int) -> Bool {
    Self.areDisjoint(&pieces, from: start) || interleaving.interleave(&pieces, from: start)
  }

  /// Rows to show: those counted, without those of batches past the bound, which come last as chunks have one
  /// writer.
  private func visibleCount(_ chunk: UnsafeMutablePointer<Chunk>) -> Int {
    let count = unsafe Int(chunk.pointee.count.load(ordering: .acquiring))
    let rows = unsafe Chunk.rows(chunk)
    let words = unsafe Int(chunk.pointee.rowWords)
    if count == 0 || run.relativeSequenceMax >= UInt64(UInt32.max) { return count }
    if unsafe rows[(count - 1) * words + 1] >> 32 <= run.relativeSequenceMax { return count }
    var (low, high) = (0, count - 1)
    while low < high {
      let middle = (low + high) / 2
      if unsafe rows[middle * words + 1] >> 32 <= run.relativeSequenceMax {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private static func cut(_ piece: Piece, to times: Range<Int64>) -> Piece? {
    var (start, end) = (0, piece.count)
    if piece.timestamp(0) < times.lowerBound { start = piece.firstRow(from: times.lowerBound, in: 0..<end) }
    if piece.timestamp(end - 1) >= times.upperBound { end = piece.firstRow(from: times.upperBound, in: 0..<end) }
    return start < end ? piece.rows(start..<end) : nil
  }

  /// Puts pieces in order of time, which they mostly are; whether none meets the next.
  static func areDisjoint(_ pieces: inout [Piece], from start: Int) -> Bool {
    func isOrdered(_ pieces: [Piece]) -> Bool {
      var index = start + 1
      while index < pieces.count {
        if pieces[index - 1].timestamp(pieces[index - 1].count - 1) >= pieces[index].timestamp(0) { return false }
        index += 1
      }
      return true
    }
    if isOrdered(pieces) { return true }
    pieces[start...].sort { $0.timestamp(0) < $1.timestamp(0) }
    return isOrdered(pieces)
  }

  /// Makes `rows` and `groups` of `pieces`.
  private func sortRows(times: Range<Int64>) {
    for piece in pieces {
      for row in 0..<piece.count {
        let words = unsafe piece.rows + row * piece.rowWords
        let timestamp = unsafe Int64(bitPattern: words[0])
        if !times.contains(timestamp) { continue }
        unsafe rows.append(Row(timestamp: timestamp, order: words[1], row: words, listIndex: piece.listIndex))
      }
    }
    // The library's sort merges stretches that are in order already, as those of chunks mostly are.
    rows.sort { $0.timestamp != $1.timestamp ? $0.timestamp < $1.timestamp : $0.order < $1.order }
    for index in rows.indices where index == 0 || rows[index - 1].timestamp != rows[index].timestamp {
      groups.append(index)
    }
    groups.append(rows.count)
  }

  // MARK: Spans

  private func cutPieces() {
    var start = 0
    while start < pieces.count {
      var end = start
      var count = 0
      while end < pieces.count && (end == start || count + pieces[end].count <= Self.spanRowCountMax) {
        count += pieces[end].count
        end += 1
      }
      let (first, last) = (pieces[start].timestamp(0), pieces[end - 1].timestamp(pieces[end - 1].count - 1))
      spans.append((start..<end, RowGroupSpan(rowCount: count, firstTimestamp: first, lastTimestamp: last)))
      start = end
    }
  }

  private func cutGroups() {
    var start = 0
    while start < groups.count - 1 {
      let end = min(start + Self.spanRowCountMax, groups.count - 1)
      let span = RowGroupSpan(
        rowCount: end - start, firstTimestamp: rows[groups[start]].timestamp,
        lastTimestamp: rows[groups[end - 1]].timestamp)
      spans.append((start..<end, span))
      start = end
    }
  }

  // MARK: Columns

  /// Appends the rows of pieces, a tile at a time: of part of a long one, or of several short ones.
  func gather(_ pieces: ArraySlice<Piece>, into batch: inout ColumnBatch) {
    // Taken once: each use of a property of a class is checked for exclusive access.
    let (maps, scratch) = unsafe (maps, scratch)
    unsafe pieces.withUnsafeBufferPointer { pieces in
      var next = 0
      while next < pieces.count {
        var (end, count) = unsafe (next + 1, pieces[next].count)
        while end < pieces.count, unsafe count + pieces[end].count <= Self.tileRowCount {
          unsafe count += pieces[end].count
          end += 1
        }
        unsafe prefetch(UnsafeBufferPointer(rebasing: pieces[end...]))
        if count <= Self.tileRowCount {
          unsafe Self.gather(UnsafeBufferPointer(rebasing: pieces[next..<end]), maps, scratch, into: &batch)
        } else {
          unsafe Self.gather(long: pieces[next], maps, scratch, into: &batch)
        }
        next = end
      }
    }
  }

  /// Asks for the rows of the next tile: those of short pieces lie all over the memory.
  @inline(__always) private func prefetch(_ pieces: UnsafeBufferPointer<Piece>) {
    var (index, rowCount) = (0, 0)
    while index < pieces.count, rowCount < Self.tileRowCount {
      let (start, byteCount) = unsafe (UnsafeRawPointer(pieces[index].rows), pieces[index].count * pieces[index].rowWords * 8)
      // A long one is found by the machine itself once it is begun.
      for offset in stride(from: 0, to: min(byteCount, 512), by: 64) { unsafe CShims_prefetch(start + offset) }
      unsafe CShims_prefetch(start + byteCount - 8)
      unsafe rowCount += pieces[index].count
      index += 1
    }
  }

  private static func gather(
    long piece: Piece, _ maps: borrowing FieldMaps, _ scratch: UnsafeMutablePointer<UInt64>,
    into batch: inout ColumnBatch
  ) {
    var start = 0
    while start < piece.count {
      let tile = unsafe Piece(
        rows: piece.rows + start * piece.rowWords, rowWords: piece.rowWords,
        count: min(piece.count - start, tileRowCount), listIndex: piece.listIndex)
      unsafe withUnsafePointer(to: tile) { tile in
        unsafe gather(UnsafeBufferPointer(start: tile, count: 1), maps, scratch, into: &batch)
      }
      start += tile.count
    }
  }

  /// Appends pieces that together have no more rows than a tile.
  private static func gather(
    _ pieces: UnsafeBufferPointer<Piece>, _ maps: borrowing FieldMaps,
    _ scratch: UnsafeMutablePointer<UInt64>,
    into batch: inout ColumnBatch
  ) {
    var filled = 0
    for index in pieces.indices { unsafe copy(pieces[index], word: 0, to: scratch, &filled) }
    unsafe batch.timestamps.append(
      contentsOf: UnsafeRawBufferPointer(start: scratch, count: filled * 8).bindMemory(to: Int64.self))
    for column in batch.columns.indices {
      filled = 0
      for index in pieces.indices {
        let slot = unsafe maps[pieces[index].listIndex, column]
        if slot >= 0 {
          unsafe copy(pieces[index], word: Chunk.rowHeaderWords + slot, to: scratch, &filled)
        } else {
          unsafe batch.columns[column].append(UnsafeBufferPointer(start: scratch, count: filled))
          unsafe batch.columns[column].appendAbsent(pieces[index].count)
          filled = 0
        }
      }
      unsafe batch.columns[column].append(UnsafeBufferPointer(start: scratch, count: filled))
    }
  }

  /// Copies one word of each row of a piece behind what is in `scratch`.
  @inline(__always) private static func copy(
    _ piece: Piece, word: Int, to scratch: UnsafeMutablePointer<UInt64>, _ filled: inout Int
  ) {
    let (source, target) = unsafe (piece.rows + word, scratch + filled)
    let words = piece.rowWords
    for row in 0..<piece.count { unsafe target[row] = source[row &* words] }
    filled += piece.count
  }

  private func gatherGroups(_ range: Range<Int>, into batch: inout ColumnBatch) {
    for group in range { batch.timestamps.append(rows[groups[group]].timestamp) }
    var start = range.lowerBound
    while start < range.upperBound {
      let end = min(start + Self.tileRowCount, range.upperBound)
      for column in fields.indices { gatherGroups(start..<end, column: column, into: &batch.columns[column]) }
      start = end
    }
  }

  /// Appends one column of joined rows: of each group the last row that has the field's name decides.
  private func gatherGroups(_ range: Range<Int>, column: Int, into output: inout Column) {
    // Rows in a stretch that all have the value, or all do not, are appended together.
    var filled = 0
    for group in range {
      var slot = FieldMaps.absent
      var index = groups[group + 1]
      while index > groups[group], slot == FieldMaps.absent {
        index -= 1
        slot = maps[rows[index].listIndex, column]
      }
      if slot >= 0 {
        unsafe scratch[filled] = rows[index].row[Chunk.rowHeaderWords + slot]
        filled += 1
      } else {
        unsafe output.append(UnsafeBufferPointer(start: scratch, count: filled))
        output.appendAbsent(1)
        filled = 0
      }
    }
    unsafe output.append(UnsafeBufferPointer(start: scratch, count: filled))
  }
}

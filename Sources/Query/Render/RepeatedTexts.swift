import Storage

/// Keeps what texts that stand side by side make as one cell, for rows that have the same ones: those of a series have its tags.
///
/// Rows are told apart by where their texts lie in memory, which is compared and not read. Serves one answer of one renderer, piece after
/// piece, as long as the pieces share the bytes of their texts.
final class RepeatedTexts {
  /// Cells, and bytes of them, that are kept of one part; rows beyond these are written anew.
  private static let cellCountMax = 4_096
  private static let byteCountMax = 1 << 20
  /// After so many rows of which most were new, the part's texts are taken for ones that do not come again.
  private static let trialRowCount = 4_096
  /// Stands for the word of an absent value: no text is as long.
  static let absent = UInt64.max

  /// The cells of one part.
  private struct Part {
    var columns: Range<Int>
    var leads: [[UInt8]]
    /// The bytes of the columns' texts: held, so that no other text comes to lie where one of them did.
    var bytes: [[UInt8]]
    /// Where the places of texts lie, as many words a cell as there are columns, and the cells themselves.
    var words: [UInt64] = []
    var cells: [RowText.Cell] = []
    /// Numbers of cells plus one, by hash; 0 for none. Twice as many as cells at least.
    var places = [UInt16](repeating: 0, count: 64)
    var rowCount = 0
    var newCount = 0
    var isOff = false
  }
  private var parts: [Part] = []
  private(set) var text = TextBuffer(capacity: 1 << 10)

  /// Goes to some columns of a piece; the number of their part, `nil` where their texts do not come again.
  func begin(_ columns: Span<Column>, _ range: Range<Int>, behind leads: [[UInt8]]) -> Int? {
    let bytes = range.map { columns[$0].bytes }
    guard let number = parts.firstIndex(where: { $0.columns == range && $0.leads == leads }) else {
      parts.append(Part(columns: range, leads: leads, bytes: bytes))
      return parts.count - 1
    }
    if parts[number].isOff { return nil }
    if !zip(parts[number].bytes, bytes).allSatisfy({ Self.isSame($0, $1) }) { restart(with: bytes, in: number) }
    return number
  }

  /// Forgets the cells of a part. Their text stays, up to a bound, until that of all goes.
  private func restart(with bytes: [[UInt8]], in number: Int) {
    let old = parts[number]
    parts[number] = Part(columns: old.columns, leads: old.leads, bytes: bytes, rowCount: old.rowCount, newCount: old.newCount)
    guard text.count > Self.byteCountMax / 2 else { return }
    text.removeAll()
    for index in parts.indices where index != number {
      let other = parts[index]
      parts[index] = Part(columns: other.columns, leads: other.leads, bytes: other.bytes, isOff: other.isOff)
    }
  }

  /// Whether two arrays are one: as long as both are held, the same place is the same content.
  private static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    // Only where they lie is asked.
    return unsafe a.count == b.count
      && a.withUnsafeBufferPointer { a in unsafe b.withUnsafeBufferPointer { b in unsafe a.baseAddress == b.baseAddress } }
  }

  /// Rows of a part were looked up; switches it off where most of many were new.
  func note(_ number: Int, rowCount: Int, newCount: Int) {
    parts[number].rowCount += rowCount
    parts[number].newCount += newCount
    guard parts[number].rowCount >= Self.trialRowCount else { return }
    if parts[number].newCount > parts[number].rowCount / 2 {
      // What it held goes; it is not asked again.
      parts[number] = Part(columns: parts[number].columns, leads: parts[number].leads, bytes: [], isOff: true)
    } else {
      (parts[number].rowCount, parts[number].newCount) = (0, 0)
    }
  }

  /// Finds the cells of rows; a bit for each that has none yet and is to be written: see `cell`.
  ///
  /// - Parameters:
  ///   - words: `RepeatedTexts.absent`, or `Column.values`: row by row, a column each.
  ///   - cells: room for one a row.
  func find(
    _ number: Int, _ words: UnsafePointer<UInt64>, rowCount: Int, into cells: UnsafeMutablePointer<RowText.Cell>
  ) -> UInt64 {
    let part = parts[number]
    let (places, kept, known, width) = (part.places.span, part.words.span, part.cells.span, part.columns.count)
    var missing: UInt64 = 0
    for row in 0..<rowCount {
      let words = unsafe UnsafeBufferPointer(start: words + row * width, count: width)
      if let found = unsafe Self.find(words, places, kept) {
        unsafe cells[row] = known[found]
      } else {
        missing |= 1 << UInt64(row)
      }
    }
    return missing
  }

  /// The number of a cell.
  @inline(__always)
  private static func find(_ words: UnsafeBufferPointer<UInt64>, _ places: Span<UInt16>, _ kept: Span<UInt64>) -> Int? {
    var place = unsafe hash(words) & (places.count - 1)
    while true {
      let found = Int(places[place]) - 1
      if found < 0 { return nil }
      var difference: UInt64 = 0
      for column in 0..<words.count { difference |= unsafe kept[found &* words.count &+ column] ^ words[column] }
      if difference == 0 { return found }
      place = (place + 1) & (places.count - 1)
    }
  }

  @inline(__always)
  private static func hash(_ words: UnsafeBufferPointer<UInt64>) -> Int {
    // Texts lie behind those of earlier series in every column: sums differ where series do.
    var sum: UInt64 = 0
    for index in 0..<words.count { unsafe sum &+= words[index] }
    return Int(truncatingIfNeeded: (sum &* 0x9e37_79b9_7f4a_7c15) >> 40)
  }

  /// The cell of a row that had none, which `write` writes; `nil` where there is no more room: the row is written elsewhere.
  func cell(
    _ number: Int, _ words: UnsafeBufferPointer<UInt64>, _ write: (inout TextBuffer) -> Void
  ) -> RowText.Cell? {
    // A row before it may have been of the same series.
    if let known = unsafe knownCell(number, words) { return known }
    guard !parts[number].isOff, parts[number].cells.count < Self.cellCountMax, text.count < Self.byteCountMax else { return nil }
    let start = text.count
    write(&text)
    text.reserve(TextBuffer.slackByteCount)
    let cell = RowText.Cell(start: ~start, byteCount: text.count - start)
    unsafe parts[number].words.append(contentsOf: words)
    parts[number].cells.append(cell)
    if 2 * parts[number].cells.count > parts[number].places.count {
      rehash(number, width: words.count)
    } else {
      unsafe enter(parts[number].cells.count, words, number)
    }
    return cell
  }

  /// By itself: a hold on the part's arrays where one is appended to them has all copied.
  @inline(never)
  private func knownCell(_ number: Int, _ words: UnsafeBufferPointer<UInt64>) -> RowText.Cell? {
    let part = parts[number]
    return unsafe Self.find(words, part.places.span, part.words.span).map { part.cells[$0] }
  }

  private func enter(_ cell: Int, _ words: UnsafeBufferPointer<UInt64>, _ number: Int) {
    let mask = parts[number].places.count - 1
    var place = unsafe Self.hash(words) & mask
    while parts[number].places[place] != 0 { place = (place + 1) & mask }
    parts[number].places[place] = UInt16(cell)
  }

  private func rehash(_ number: Int, width: Int) {
    parts[number].places = Array(repeating: 0, count: 4 * parts[number].places.count)
    let words = parts[number].words
    unsafe words.withUnsafeBufferPointer { words in
      for cell in 0..<words.count / width {
        unsafe enter(cell + 1, UnsafeBufferPointer(rebasing: words[cell * width..<(cell + 1) * width]), number)
      }
    }
  }
}

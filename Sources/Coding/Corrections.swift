/// What sets the floats of a decimal block right that are no decimals of its exponent: their rows, and for each how many units in the last
/// place it is off the float nearest to its decimal, or, where it is farther off, its word.
///
/// Sums and products of decimals are often a unit or two off (0.1 + 0.2): a correction takes a byte or two, a word eight more.
struct Corrections {
  /// Units in the last place that a correction may be.
  static let unitCountMax: Int64 = 3
  /// Stands for a word; below it are the units: −3, −2, −1, 1, 2, 3.
  private static let wordCode: UInt64 = 6

  /// By ascending row: the row's number and a code.
  private var rows: [(row: Int, code: UInt64)] = []
  private var words: [UInt64] = []
  /// Rows that a block's words may be, and its units.
  private let (wordCountMax, unitRowCountMax): (Int, Int)

  /// - Parameter count: rows of the block.
  init(count: Int) { (wordCountMax, unitRowCountMax) = (count / 32 + 1, count / 2) }

  /// Whether a row is some units off: then the block is near decimals.
  var hasUnits: Bool { rows.count > words.count }

  /// Bits that they take, about.
  var bitCount: Int { rows.count * 10 + words.count * 64 }

  /// Notes that a row is `unitCount` off, at most `unitCountMax` and not 0; `false` where that are too many rows.
  mutating func add(_ row: Int, unitCount: Int64) -> Bool {
    guard rows.count - words.count < unitRowCountMax else { return false }
    rows.append((row, UInt64(unitCount < 0 ? unitCount + Self.unitCountMax : unitCount + Self.unitCountMax - 1)))
    return true
  }

  /// Notes the word of a row; `false` where that are too many.
  mutating func add(_ row: Int, word: UInt64) -> Bool {
    guard words.count < wordCountMax else { return false }
    rows.append((row, Self.wordCode))
    words.append(word)
    return true
  }

  /// Appends them: as what `decimal` needs where no row is some units off, else as what `nearDecimal` does.
  func encode(into output: inout [UInt8]) {
    guard hasUnits else { return Patches.encode(rows: rows.map(\.row), words: words, into: &output) }
    appendVarint(UInt64(rows.count), to: &output)
    var next = 0
    for (row, code) in rows {
      appendVarint(UInt64(row - next) << 3 | code, to: &output)
      next = row + 1
    }
    for word in words { appendLittleEndian(word, to: &output) }
  }

  // MARK: Decoding

  /// Where those of a block lie.
  struct Place {
    fileprivate var offset = 0
    fileprivate var count = 0
    fileprivate var wordsOffset = 0
  }

  /// Reads past those at `offset`, of a block of `count` rows.
  static func skip(_ bytes: UnsafeRawBufferPointer, at offset: inout Int, count: Int) throws(CodingError) -> Place {
    guard let found = unsafe readVarint(bytes, at: &offset), found <= UInt64(count) else {
      throw .malformed(offset: offset, expected: "at most \(count) corrections")
    }
    var place = Place(offset: offset, count: Int(found))
    var wordCount = 0
    for _ in 0..<place.count {
      guard let mark = unsafe readVarint(bytes, at: &offset), mark & 7 <= wordCode else {
        throw .malformed(offset: offset, expected: "a row to correct, and how")
      }
      if mark & 7 == wordCode { wordCount += 1 }
    }
    place.wordsOffset = offset
    guard bytes.count - offset >= wordCount * 8 else {
      throw .malformed(offset: offset, expected: "\(wordCount) words of 8 bytes")
    }
    offset += wordCount * 8
    return place
  }

  /// Sets right the rows of `output`, whose first word is that of the first of `rows`.
  static func apply(
    _ place: Place, _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>,
    to output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var (offset, wordOffset, row) = (place.offset, place.wordsOffset, 0)
    for _ in 0..<place.count {
      guard let mark = unsafe readVarint(bytes, at: &offset), mark >> 3 < UInt64(count - row) else {
        throw .malformed(offset: offset, expected: "a row to correct below \(count)")
      }
      row += Int(mark >> 3)
      let code = mark & 7
      var word: UInt64?
      if code == wordCode {
        word = unsafe readLittleEndian(UInt64.self, bytes, at: &wordOffset)
        guard word != nil else { throw .malformed(offset: wordOffset, expected: "a word of 8 bytes") }
      }
      if rows.contains(row) {
        let index = row - rows.lowerBound
        // Codes below 3 are negative, and there is none for 0.
        let unitCount = Int64(code) - unitCountMax + (code < UInt64(unitCountMax) ? 0 : 1)
        unsafe output[index] = word ?? output[index] &+ UInt64(bitPattern: unitCount)
      }
      row += 1
    }
  }
}

/// What sets the floats of a decimal block right that are no decimals of its exponent: their rows, and for each how many units in the last
/// place it is off the float nearest to its decimal, or, where it is farther off, its word.
///
/// Sums and products of decimals are often a unit or two off (0.1 + 0.2): a correction takes a byte or two, a word eight more.
struct Corrections {
  /// Units in the last place that a correction may be.
  static let unitCountMax: Int64 = 3
  /// Stands for a word; below it are the units: −3, −2, −1, 1, 2, 3.
  fileprivate static let wordCode: UInt64 = 6
  /// Bits of a code beside the rows passed over: none where every correction is a word.
  fileprivate static func codeBitCount(hasUnits: Bool) -> UInt64 { hasUnits ? 3 : 0 }

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
    let codeBitCount = Self.codeBitCount(hasUnits: hasUnits)
    appendVarint(UInt64(rows.count), to: &output)
    var next = 0
    for (row, code) in rows {
      appendVarint(UInt64(row - next) << codeBitCount | (hasUnits ? code : 0), to: &output)
      next = row + 1
    }
    for word in words { appendLittleEndian(word, to: &output) }
  }
}

/// Where the corrections of a block lie in it.
struct StoredCorrections {
  private var offset = 0
  private var correctionCount = 0
  private var wordsOffset = 0
  private let codeBitCount: UInt64

  /// Reads past those at `offset`, of a block of `count` rows.
  ///
  /// - Parameter hasUnits: some may be units in the last place, as in near decimals; else all are words.
  init(
    decoding bytes: UnsafeRawBufferPointer, at offset: inout Int, count: Int, hasUnits: Bool
  ) throws(CodingError) {
    codeBitCount = Corrections.codeBitCount(hasUnits: hasUnits)
    guard let found = unsafe readVarint(bytes, at: &offset), found <= UInt64(count) else {
      throw .malformed(offset: offset, expected: "at most \(count) corrections")
    }
    (correctionCount, self.offset) = (Int(found), offset)
    var wordCount = 0
    for _ in 0..<correctionCount {
      guard let mark = unsafe readVarint(bytes, at: &offset), code(of: mark) <= Corrections.wordCode else {
        throw .malformed(offset: offset, expected: "a row to correct, and how")
      }
      if code(of: mark) == Corrections.wordCode { wordCount += 1 }
    }
    wordsOffset = offset
    guard bytes.count - offset >= wordCount * 8 else {
      throw .malformed(offset: offset, expected: "\(wordCount) words of 8 bytes")
    }
    offset += wordCount * 8
  }

  private func code(of mark: UInt64) -> UInt64 { codeBitCount == 0 ? Corrections.wordCode : mark & 7 }

  /// Sets right the rows of `output`, whose first word is that of the first of `rows`.
  func apply(
    _ bytes: UnsafeRawBufferPointer, count: Int, rows: Range<Int>, to output: UnsafeMutableBufferPointer<UInt64>
  ) throws(CodingError) {
    var (offset, wordOffset, row) = (offset, wordsOffset, 0)
    for _ in 0..<correctionCount {
      guard let mark = unsafe readVarint(bytes, at: &offset), mark >> codeBitCount < UInt64(count - row) else {
        throw .malformed(offset: offset, expected: "a row to correct below \(count)")
      }
      row += Int(mark >> codeBitCount)
      let code = code(of: mark)
      var word: UInt64?
      if code == Corrections.wordCode {
        word = unsafe readLittleEndian(UInt64.self, bytes, at: &wordOffset)
        guard word != nil else { throw .malformed(offset: wordOffset, expected: "a word of 8 bytes") }
      }
      if rows.contains(row) {
        let index = row - rows.lowerBound
        // Codes below 3 are negative, and there is none for 0.
        let unitCount =
          Int64(code) - Corrections.unitCountMax + (code < UInt64(Corrections.unitCountMax) ? 0 : 1)
        unsafe output[index] = word ?? output[index] &+ UInt64(bitPattern: unitCount)
      }
      row += 1
    }
  }
}

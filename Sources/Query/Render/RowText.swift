import LineProtocol
import Storage

/// Rows as text, up to 64 at a time: cells are written a column at a time, then laid together row by row.
///
/// A column's loop knows its type and holds its memory once, where a row's loop would ask and hold for each value; laying rows together
/// copies some bytes a cell.
@safe struct RowText: ~Copyable {
  /// Rows that are written together: those of one word of a column's validity.
  static let rowCountMax = 64

  /// Where the text of a cell lies; among those of `RepeatedTexts` where `start` is below zero, at its complement.
  struct Cell {
    var start = 0
    var byteCount = 0
  }

  var text = TextBuffer(capacity: 1 << 10)
  /// Column by column, `stride` each.
  let cells: UnsafeMutablePointer<Cell>
  let stride: Int
  let columnCountMax: Int
  var columnCount = 0
  /// Bits of the rows under way.
  private(set) var rows: UInt64 = 0
  /// Of all cells.
  var byteCount = 0
  private var moment: [UInt8] = []
  private var day = DayText()
  let texts: RepeatedTexts?
  /// Values of a part, row by row.
  let words: UnsafeMutablePointer<UInt64>
  let wordCount: Int

  /// - Parameters:
  ///   - columnCountMax: cells of a row, constant ones too.
  ///   - rowCount: all rows that will come, if they are few.
  ///   - texts: keeps what parts of texts make; `nil`: each is written anew.
  init(columnCountMax: Int, rowCount: Int = rowCountMax, texts: RepeatedTexts? = nil) {
    stride = min(max(rowCount, 1), Self.rowCountMax)
    self.texts = texts
    wordCount = stride * columnCountMax
    unsafe words = .allocate(capacity: wordCount)
    self.columnCountMax = columnCountMax
    unsafe cells = .allocate(capacity: stride * columnCountMax)
    // Of no class: what is never written is never read.
  }

  deinit {
    unsafe cells.deallocate()
    unsafe words.deallocate()
  }

  /// Calls `body` with each word of validity that has rows of a range, and with the bits of these.
  static func visitWords(of range: Range<Int>, _ body: (Int, UInt64) throws -> Void) rethrows {
    var first = range.lowerBound
    while first < range.upperBound {
      let (word, bit) = (first / rowCountMax, first % rowCountMax)
      let count = min(range.upperBound - first, rowCountMax - bit)
      try body(word, (UInt64.max >> UInt64(rowCountMax - count)) << UInt64(bit))
      first += count
    }
  }

  // MARK: Cells

  /// Begins with other rows: a bit for each, and all of one word of validity.
  mutating func begin(_ rows: UInt64) {
    precondition(rows.nonzeroBitCount <= stride, "\(rows.nonzeroBitCount) rows, \(stride) expected")
    self.rows = rows
    text.removeAll()
    (columnCount, byteCount) = (0, 0)
  }

  /// A text that stands in every row.
  mutating func append(_ constant: [UInt8]) {
    let cell = Cell(start: text.count, byteCount: constant.count)
    text.reserve(constant.count)
    text.append(constant)
    for row in 0..<rows.nonzeroBitCount { put(cell, row) }
    columnCount += 1
  }

  /// The values of a column behind a text; `word` is the rows' word of validity, `count` all rows of the column.
  @inline(__always)
  mutating func append<Form: CellForm>(
    _ column: borrowing Column, word: Int, count: Int, behind lead: [UInt8], _ form: Form
  ) {
    let present = column.presence(word, count: count)
    let first = word * Self.rowCountMax
    let words = column.values.span
    switch column.key.type {
    case .float:
      append(present, lead, form) { form.append(Double(bitPattern: words[first + $0]), to: &$1) }
    case .integer:
      append(present, lead, form) { form.append(Int64(bitPattern: words[first + $0]), to: &$1) }
    case .unsigned: append(present, lead, form) { form.append(words[first + $0], to: &$1) }
    case .boolean: append(present, lead, form) { $1.append(words[first + $0] == 0 ? Self.no : Self.yes) }
    case .string:
      let bytes = column.bytes.span
      append(present, lead, form) { row, text in
        let (start, length) = (Int(words[first + row] >> 32), Int(words[first + row] & 0xffff_ffff))
        form.append(bytes.extracting(start..<start + length), to: &text)
      }
    }
  }

  private static let yes = Array("true".utf8)
  private static let no = Array("false".utf8)

  /// One column's loop.
  @inline(__always)
  private mutating func append(
    _ present: UInt64, _ lead: [UInt8], _ form: some CellForm, _ body: (Int, inout TextBuffer) -> Void
  ) {
    let absent = form.absent
    var (rest, place) = (rows, 0)
    while rest != 0 {
      let row = rest.trailingZeroBitCount
      rest &= rest &- 1
      let start = text.count
      text.reserve(lead.count + TextBuffer.numberByteCountMax)
      if present &>> UInt64(row) & 1 != 0 {
        text.append(lead)
        body(row, &text)
      } else if let absent {
        text.append(lead)
        text.append(absent)
      }
      put(Cell(start: start, byteCount: text.count - start), place)
      place += 1
    }
    columnCount += 1
  }

  /// Times behind a text; RFC 3339 in quotes or not.
  mutating func append(
    _ times: [Int64], word: Int, behind lead: [UInt8], _ style: TimeStyle, isQuoted: Bool = false
  ) {
    let unit = style.precision?.nanoseconds
    let times = times.span
    var last: (time: Int64, cell: Cell)?
    // A cell with a time of the day, and where in it that is.
    var pattern: (cell: Cell, clock: Int)?
    var (rest, place) = (rows, 0)
    while rest != 0 {
      let time = times[word * Self.rowCountMax + rest.trailingZeroBitCount]
      rest &= rest &- 1
      // Rows of many series have the same time.
      if last?.time != time {
        let start = text.count
        text.reserve(lead.count + 2 * TextBuffer.numberByteCountMax)
        if let pattern, let second = day.secondOfSameDay(time) {
          text.reserve(pattern.cell.byteCount + TextBuffer.slackByteCount)
          text.repeat(pattern.cell.start, pattern.cell.byteCount)
          text.put(clock: second, at: start + pattern.clock)
        } else {
          text.append(lead)
          if let unit {
            text.append(unit == 1 ? time : time / unit)
          } else if let clock = appendMoment(time, style, isQuoted) {
            pattern = (Cell(start: start, byteCount: text.count - start), clock - start)
          }
        }
        last = (time, Cell(start: start, byteCount: text.count - start))
      }
      if let last { put(last.cell, place) }
      place += 1
    }
    columnCount += 1
  }

  /// Appends a moment; where its time of day is, if it is of UTC and of whole seconds.
  private mutating func appendMoment(_ time: Int64, _ style: TimeStyle, _ isQuoted: Bool) -> Int? {
    if style.isUTC, let second = day.second(of: time) {
      if isQuoted { text.append(UInt8(ascii: "\"")) }
      text.append(day.date)
      let clock = text.count
      text.append(clock: second)
      text.append(UInt8(ascii: "Z"))
      if isQuoted { text.append(UInt8(ascii: "\"")) }
      return clock
    }
    moment.removeAll(keepingCapacity: true)
    moment.appendTime(time, style)
    if isQuoted { text.append(UInt8(ascii: "\"")) }
    text.append(moment)
    if isQuoted { text.append(UInt8(ascii: "\"")) }
    return nil
  }

  @inline(__always) mutating func put(_ cell: Cell, _ row: Int) {
    assert(columnCount < columnCountMax && row < stride)
    // As asserted: callers count their columns, and `begin` the rows.
    unsafe cells[columnCount * stride + row] = cell
    byteCount += cell.byteCount
  }

  // MARK: Rows

  /// Appends the rows.
  mutating func lay(into out: inout [UInt8]) {
    text.reserve(TextBuffer.slackByteCount)
    out.append(addingCapacity: byteCount + TextBuffer.slackByteCount) { span in
      unsafe span.withUnsafeMutableBufferPointer { buffer, initializedCount in
        guard let start = buffer.baseAddress else { return }
        unsafe lay(start + initializedCount, nil)
        initializedCount += byteCount
      }
    }
  }

  /// Appends the rows.
  ///
  /// - Parameter opening: the byte that the first cell with text begins with, of those from a column on, in place of its own: what stands
  ///   between cells does not stand before the first.
  mutating func lay(into out: inout TextBuffer, opening: (column: Int, byte: UInt8)? = nil) {
    text.reserve(TextBuffer.slackByteCount)
    unsafe out.append(byteCount: byteCount) { unsafe lay($0, opening) }
  }

  /// `target` has room for all cells and `slackByteCount` bytes.
  private func lay(_ target: UnsafeMutablePointer<UInt8>, _ opening: (column: Int, byte: UInt8)?) {
    var target = unsafe target
    let split = opening?.column ?? columnCount
    for row in 0..<rows.nonzeroBitCount {
      unsafe copy(row, 0..<split, to: &target)
      let start = unsafe target
      unsafe copy(row, split..<columnCount, to: &target)
      // Cells follow that the byte belongs to.
      if let opening, unsafe target > start { unsafe start.pointee = opening.byte }
    }
  }

  @inline(__always)
  private func copy(_ row: Int, _ columns: Range<Int>, to target: inout UnsafeMutablePointer<UInt8>) {
    for column in columns {
      let cell = unsafe cells[column * stride + row]
      if cell.start < 0 {
        unsafe texts?.text.copy(~cell.start, cell.byteCount, to: target)
      } else {
        unsafe text.copy(cell.start, cell.byteCount, to: target)
      }
      unsafe target += cell.byteCount
    }
  }
}

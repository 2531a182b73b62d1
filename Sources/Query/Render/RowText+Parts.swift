import LineProtocol
import Storage

/// Parts of several columns: their words are laid beside each other row by row, and each row of a part is one cell.
extension RowText {
  /// The values of a part of columns, each behind its text.
  @inline(__always)
  mutating func append<Form: CellForm>(
    _ part: ColumnPart, of columns: Span<Column>, word: Int, count: Int, behind leads: [[UInt8]], _ form: Form
  ) {
    switch part.kind {
    case .single:
      let index = part.columns.lowerBound
      append(columns[index], word: word, count: count, behind: leads[index], form)
    case .integers(let lead): appendIntegers(columns, part.columns, word: word, behind: lead, form)
    case .texts(let number): appendTexts(number, columns, part.columns, word: word, count: count, behind: leads, form)
    }
  }

  /// Numbers that are there in every row, behind one byte each: a row at a time, for they are short.
  @inline(__always)
  private mutating func appendIntegers(
    _ columns: Span<Column>, _ range: Range<Int>, word: Int, behind lead: UInt8, _ form: some CellForm
  ) {
    transpose(columns, range, word: word)
    let width = range.count
    let areSigned = columns[range.lowerBound].key.type == .integer
    for row in 0..<rows.nonzeroBitCount {
      text.reserve(width * (TextBuffer.numberByteCountMax + 1))
      let start = text.count
      for place in row * width..<(row + 1) * width {
        text.append(lead)
        // Within the words that were transposed.
        let value = unsafe words[place]
        if areSigned { form.append(Int64(bitPattern: value), to: &text) } else { form.append(value, to: &text) }
      }
      put(Cell(start: start, byteCount: text.count - start), row)
    }
    columnCount += 1
  }

  /// Lays the words of columns, all of whose rows have one, beside each other: row by row.
  private func transpose(_ columns: Span<Column>, _ range: Range<Int>, word: Int) {
    let width = range.count
    precondition(rows.nonzeroBitCount * width <= wordCount)
    for column in range {
      let values = columns[column].values.span
      // As checked.
      var target = unsafe words + (column - range.lowerBound)
      var rest = rows
      while rest != 0 {
        unsafe target.pointee = values[word * Self.rowCountMax + rest.trailingZeroBitCount]
        unsafe target += width
        rest &= rest &- 1
      }
    }
  }

  /// Texts that come again in other rows.
  @inline(__always)
  private mutating func appendTexts(
    _ number: Int, _ columns: Span<Column>, _ range: Range<Int>, word: Int, count: Int, behind leads: [[UInt8]], _ form: some CellForm
  ) {
    guard let texts else { preconditionFailure("parts of texts without what keeps them") }
    transposeTexts(columns, range, word: word, count: count)
    let rowCount = rows.nonzeroBitCount
    assert(columnCount < columnCountMax && rowCount <= stride)
    let found = unsafe cells + columnCount * stride
    var missing = unsafe texts.find(number, words, rowCount: rowCount, into: found)
    texts.note(number, rowCount: rowCount, newCount: missing.nonzeroBitCount)
    while missing != 0 {
      let row = missing.trailingZeroBitCount
      missing &= missing &- 1
      // As transposed.
      let words = unsafe UnsafeBufferPointer(start: words + row * range.count, count: range.count)
      let known = unsafe texts.cell(number, words) { text in
        unsafe Self.write(words, columns, range, leads, form, to: &text)
      }
      if let known {
        unsafe found[row] = known
      } else {
        let start = text.count
        unsafe Self.write(words, columns, range, leads, form, to: &text)
        unsafe found[row] = Cell(start: start, byteCount: text.count - start)
      }
    }
    for row in 0..<rowCount { unsafe byteCount += found[row].byteCount }
    columnCount += 1
  }

  /// Writes the texts of one row, each behind its lead.
  private static func write(
    _ words: UnsafeBufferPointer<UInt64>, _ columns: Span<Column>, _ range: Range<Int>, _ leads: [[UInt8]], _ form: some CellForm,
    to text: inout TextBuffer
  ) {
    for (place, column) in range.enumerated() {
      let word = unsafe words[place]
      let lead = leads[column]
      text.reserve(lead.count + TextBuffer.numberByteCountMax)
      if word != RepeatedTexts.absent {
        text.append(lead)
        let (start, length) = (Int(word >> 32), Int(word & 0xffff_ffff))
        form.append(columns[column].bytes.span.extracting(start..<start + length), to: &text)
      } else if let absent = form.absent {
        text.append(lead)
        text.append(absent)
      }
    }
  }

  /// Lays the words of texts beside each other, row by row.
  private func transposeTexts(_ columns: Span<Column>, _ range: Range<Int>, word: Int, count: Int) {
    let width = range.count
    precondition(rows.nonzeroBitCount * width <= wordCount)
    for column in range {
      let present = columns[column].presence(word, count: count)
      let values = columns[column].values.span
      // As checked.
      var target = unsafe words + (column - range.lowerBound)
      var rest = rows
      while rest != 0 {
        let row = rest.trailingZeroBitCount
        unsafe target.pointee = present &>> UInt64(row) & 1 != 0 ? values[word * Self.rowCountMax + row] : RepeatedTexts.absent
        unsafe target += width
        rest &= rest &- 1
      }
    }
  }
}

import LineProtocol
import Storage

extension Column {
  /// The key of columns that stand for no field.
  static func unnamed(_ type: FieldType) -> FieldKey { FieldKey(name: [], type: type) }

  /// A column without values.
  static func absent(_ type: FieldType) -> Column { Column(key: unnamed(type)) }

  /// A column of the same value in each row.
  static func constant(_ literal: Literal, count: Int) -> Column {
    var column = absent(literal.type)
    var word = literal.word
    if case .string(let bytes) = literal {
      column.bytes = bytes
      word = UInt64(bytes.count)
    }
    column.values = Array(repeating: word, count: count)
    column.presentCount = count
    return column
  }

  /// Bits of rows `64 * index …` that have a value, without those past `count` rows.
  @inline(__always)
  func presence(_ index: Int, count: Int) -> UInt64 {
    guard presentCount > 0 else { return 0 }
    let rest = count - index * 64
    let mask: UInt64 = rest >= 64 ? .max : (1 << UInt64(max(rest, 0))) - 1
    return validity.isEmpty ? mask : validity[index] & mask
  }

  /// Sets the count of values from the validity, and forgets a validity that says nothing.
  mutating func settle(count: Int) {
    guard !validity.isEmpty else { return }
    var present = 0
    for index in validity.indices { present += presence(index, count: count, validity[index]) }
    presentCount = present
    if present == count { validity = [] }
  }

  private func presence(_ index: Int, count: Int, _ word: UInt64) -> Int {
    let rest = count - index * 64
    return (rest >= 64 ? word : word & ((1 << UInt64(max(rest, 0))) - 1)).nonzeroBitCount
  }

  /// Appends a value; rows before it that were never appended must have been `appendNull`s.
  mutating func append(word: UInt64, rowCount: Int) {
    if !validity.isEmpty || presentCount < rowCount { markPresent(rowCount) }
    values.append(word)
    presentCount += 1
  }

  mutating func append(text: some Collection<UInt8>, rowCount: Int) {
    let offset = UInt64(bytes.count)
    bytes.append(contentsOf: text)
    append(word: offset << 32 | UInt64(text.count), rowCount: rowCount)
  }

  /// Appends a row without value.
  mutating func appendNull(rowCount: Int) {
    if validity.isEmpty, presentCount > 0 { fillValidity(rowCount) }
    if presentCount > 0 || !validity.isEmpty { extendValidity(to: rowCount + 1) }
    values.append(0)
  }

  private mutating func fillValidity(_ rowCount: Int) {
    validity = Array(repeating: 0, count: (rowCount + 63) / 64)
    for row in 0..<rowCount { validity[row >> 6] |= 1 << UInt64(row & 63) }
  }

  private mutating func markPresent(_ row: Int) {
    extendValidity(to: row + 1)
    validity[row >> 6] |= 1 << UInt64(row & 63)
  }

  private mutating func extendValidity(to count: Int) {
    while validity.count < (count + 63) / 64 { validity.append(0) }
  }

  /// The rows at `indices`, in that order.
  func gathered(_ indices: [Int]) -> Column {
    var out = Column(key: key)
    guard presentCount > 0 else { return out }
    out.bytes = bytes
    let words = values.span
    // As many are written as there is room for; without a count a value this takes half the time.
    out.values = unsafe Array(unsafeUninitializedCapacity: indices.count) { buffer, count in
      for place in indices.indices { unsafe buffer[place] = words[indices[place]] }
      count = indices.count
    }
    guard !validity.isEmpty else {
      out.presentCount = indices.count
      return out
    }
    out.validity = Array(repeating: 0, count: (indices.count + 63) / 64)
    for (row, index) in indices.enumerated() where isPresent(index) {
      out.validity[row >> 6] |= 1 << UInt64(row & 63)
    }
    out.settle(count: indices.count)
    return out
  }

  /// Rows in a range.
  func slice(_ rows: Range<Int>, count: Int) -> Column {
    if rows == 0..<count { return self }
    guard validity.isEmpty, presentCount > 0 else { return gathered(Array(rows)) }
    var out = Column(key: key)
    (out.values, out.bytes, out.presentCount) = (Array(values[rows]), bytes, rows.count)
    return out
  }
}

extension ColumnBatch {
  /// A bit a row that is selected and has a value in one of some columns; `nil`: all rows are.
  ///
  /// - Parameters:
  ///   - keepsAll: rows without a value too.
  ///   - selection: as `RowFilter` makes it, `nil`: all.
  func chosen(_ required: some Sequence<Int>, keepsAll: Bool = false, _ selection: [UInt64]?) -> [UInt64]? {
    let isDense =
      keepsAll || required.contains { columns[$0].presentCount > 0 && columns[$0].validity.isEmpty }
    if isDense { return selection }
    return (0..<(count + 63) / 64).map { index in
      let present = required.reduce(UInt64(0)) { $0 | columns[$1].presence(index, count: count) }
      return present & (selection?[index] ?? .max)
    }
  }
}

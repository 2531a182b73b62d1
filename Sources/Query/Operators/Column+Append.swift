import LineProtocol
import Storage

extension Column {
  /// Appends rows of another column of the same type; `rows` are those taken, `nil`: all `added`.
  mutating func append(_ other: Column, rows: [Int]?, rowCount: Int, added: Int) {
    guard other.presentCount > 0 else { return appendNulls(rowCount: rowCount, added: added) }
    materialize(rowCount)
    let isDense = other.validity.isEmpty
    if !isDense || !validity.isEmpty || presentCount < rowCount { ensureValidity(rowCount, added: added) }
    let shift = key.type == .string ? UInt64(bytes.count) << 32 : 0
    if key.type == .string { bytes.append(contentsOf: other.bytes) }
    if let rows {
      let words = other.values.span
      values.append(addingCapacity: added) { span in
        for row in rows { span.append(words[row] &+ shift) }
      }
    } else if shift == 0 {
      values.append(contentsOf: other.values)
    } else {
      for word in other.values { values.append(word &+ shift) }
    }
    guard !validity.isEmpty else {
      presentCount += added
      return
    }
    if isDense {
      for row in rowCount..<rowCount + added { validity[row >> 6] |= 1 << UInt64(row & 63) }
      presentCount += added
      return
    }
    for index in 0..<added where other.isPresent(rows?[index] ?? index) {
      let row = rowCount + index
      validity[row >> 6] |= 1 << UInt64(row & 63)
      presentCount += 1
    }
  }

  /// Appends the same text `added` times; its bytes are kept once.
  mutating func append(repeating text: ArraySlice<UInt8>, rowCount: Int, added: Int) {
    materialize(rowCount)
    if !validity.isEmpty || presentCount < rowCount { ensureValidity(rowCount, added: added) }
    let word = UInt64(bytes.count) << 32 | UInt64(text.count)
    bytes.append(contentsOf: text)
    values.append(addingCapacity: added) { span in
      for _ in 0..<added { span.append(word) }
    }
    presentCount += added
    guard !validity.isEmpty else { return }
    for row in rowCount..<rowCount + added { validity[row >> 6] |= 1 << UInt64(row & 63) }
  }

  /// Appends rows without values.
  mutating func appendNulls(rowCount: Int, added: Int) {
    guard presentCount > 0 else { return }
    ensureValidity(rowCount, added: added)
    values.append(contentsOf: repeatElement(0, count: added))
  }

  /// Gives a column that had no value so far a word for each row.
  private mutating func materialize(_ rowCount: Int) {
    if values.count < rowCount { values.append(contentsOf: repeatElement(0, count: rowCount - values.count)) }
  }

  private mutating func ensureValidity(_ rowCount: Int, added: Int) {
    if validity.isEmpty, presentCount > 0 {
      validity = Array(repeating: .max, count: rowCount >> 6)
      if rowCount & 63 != 0 { validity.append((1 << UInt64(rowCount & 63)) - 1) }
    }
    while validity.count < (rowCount + added + 63) / 64 { validity.append(0) }
  }
}

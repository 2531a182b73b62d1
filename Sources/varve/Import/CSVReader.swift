/// Cuts text into records of cells, as RFC 4180 has them: cells in double quotes may hold commas, line ends and doubled quotes. Lines may end in `\r\n`.
///
/// Holds one record. A quote that is not closed takes the rest of the text; where that is more than a record may be it is refused.
package struct CSVReader {
  package struct Record: Equatable {
    /// The physical line that it begins on, from 1.
    package var line: Int
    package var cells: [Cell]
    /// Bytes of the text up to its end.
    package var endOffset: Int
  }
  package struct Cell: Equatable {
    package var text: [UInt8]
    package var isQuoted: Bool
    /// The byte of its line that it begins at, from 1.
    package var column: Int
  }
  /// Why there is no next record: the text is none of CSV from this line on.
  package struct Failure: Error, Equatable {
    package var line: Int
    package var column: Int
    package var reason: String
  }

  package static let recordByteCountMax = 1 << 20
  private var text: [UInt8] = []
  private var at = 0
  private var line = 1
  /// Bytes of the text before `text`.
  private var offset = 0
  private var isLast = false

  package init() {}

  /// Adds more of the text.
  package mutating func add(_ bytes: UnsafeRawBufferPointer, isLast: Bool) {
    text.removeFirst(at)
    offset += at
    at = 0
    unsafe text.append(contentsOf: bytes)
    self.isLast = isLast
  }

  /// The next record, empty lines passed over; `nil` where more text is needed, or at the end.
  package mutating func next() throws(Failure) -> Record? {
    while at < text.count, text[at] == 0x0a || text[at] == 0x0d {
      if text[at] == 0x0a { line += 1 }
      at += 1
    }
    guard at < text.count else { return nil }
    var scan = Scan(at: at, line: line, lineStart: at)
    var record = Record(line: line, cells: [], endOffset: 0)
    while true {
      guard let (cell, isEnd) = try cell(&scan, of: record) else { return nil }
      record.cells.append(cell)
      if isEnd { break }
    }
    (at, line) = (scan.at, scan.line)
    record.endOffset = offset + at
    return record
  }

  private struct Scan {
    var at: Int
    var line: Int
    var lineStart: Int
  }

  /// The next cell, and whether the record ends with it; `nil` where the text does not say yet.
  private func cell(_ scan: inout Scan, of record: Record) throws(Failure) -> (Cell, isEnd: Bool)? {
    let start = scan.at
    var cell = Cell(text: [], isQuoted: false, column: start - scan.lineStart + 1)
    let startLine = scan.line
    if start < text.count, text[start] == UInt8(ascii: "\"") {
      cell.isQuoted = true
      scan.at += 1
      while true {
        guard scan.at < text.count else {
          if isLast || scan.at - start > Self.recordByteCountMax {
            throw Failure(line: startLine, column: cell.column, reason: "a quote that is never closed")
          }
          return nil
        }
        let byte = text[scan.at]
        scan.at += 1
        if byte == 0x0a { (scan.line, scan.lineStart) = (scan.line + 1, scan.at) }
        guard byte == UInt8(ascii: "\"") else {
          cell.text.append(byte)
          continue
        }
        if scan.at == text.count, !isLast { return nil }
        guard scan.at < text.count, text[scan.at] == byte else { break }
        cell.text.append(byte)
        scan.at += 1
      }
    }
    // Behind a closing quote nothing else belongs to the cell; what stands there all the same is kept, as other readers do.
    while scan.at < text.count, text[scan.at] != UInt8(ascii: ","), text[scan.at] != 0x0a {
      cell.text.append(text[scan.at])
      scan.at += 1
      if scan.at - start > Self.recordByteCountMax {
        throw Failure(
          line: startLine, column: cell.column,
          reason: "a record of more than \(Self.recordByteCountMax) bytes")
      }
    }
    guard scan.at < text.count else {
      if !isLast { return nil }
      return (Self.withoutReturn(cell), true)
    }
    let isEnd = text[scan.at] == 0x0a
    scan.at += 1
    if isEnd { (scan.line, scan.lineStart) = (scan.line + 1, scan.at) }
    return (isEnd ? Self.withoutReturn(cell) : cell, isEnd)
  }

  private static func withoutReturn(_ cell: Cell) -> Cell {
    var cell = cell
    if cell.text.last == 0x0d { cell.text.removeLast() }
    return cell
  }
}

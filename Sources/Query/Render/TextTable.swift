import LineProtocol
import Storage

/// All cells of a statement as text, with the widths of the columns; what the formats for people are made of.
struct TextTable {
  private(set) var titles: [[UInt8]]
  /// In places of a terminal.
  private(set) var widths: [Int]
  /// Columns of numbers alone.
  private(set) var isRightAligned: [Bool]
  private let grid: ResultGrid
  private let style: TimeStyle
  private let isBarEscaped: Bool
  /// Rows of the pieces before.
  private(set) var earlierRowCount = 0
  private(set) var rowCount = 0
  /// Cells row by row, one after another; cell `i` ends at `ends[i]`.
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  private var cellWidths: [UInt32] = []

  init(_ result: StatementResult, _ options: RenderOptions, isBarEscaped: Bool = false, widthMin: Int = 1) {
    grid = ResultGrid(result)
    (style, self.isBarEscaped) = (TimeStyle(options, result), isBarEscaped)
    titles = grid.titles.map { title in
      var out: [UInt8] = []
      out.appendVisible(title.utf8, isBarEscaped: isBarEscaped)
      return out
    }
    widths = titles.map { max(displayWidth($0), widthMin) }
    isRightAligned = Self.alignment(grid, result)
    for series in result.series { append(series, isFixed: false) }
  }

  /// The cells of the next piece of the same statement in place of those it has; columns stay as wide as they are.
  mutating func replace(by result: StatementResult) {
    earlierRowCount += rowCount
    rowCount = 0
    bytes.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    cellWidths.removeAll(keepingCapacity: true)
    for series in result.series { append(series, isFixed: true) }
  }

  /// A column goes to the right if every series that has it has numbers in it.
  private static func alignment(_ grid: ResultGrid, _ result: StatementResult) -> [Bool] {
    var isRight = grid.sources.map { if case .column = $0 { true } else { false } }
    for series in result.series {
      for (index, cell) in grid.cells(of: series).enumerated() {
        if case .column(let column) = cell, series.columns[column].key.type > .unsigned {
          isRight[index] = false
        }
      }
    }
    return isRight
  }

  private mutating func append(_ series: ResultSeries, isFixed: Bool) {
    let cells = grid.cells(of: series)
    for row in 0..<series.rowCount {
      for index in cells.indices {
        let start = bytes.count
        switch cells[index] {
        case .empty: break
        case .text(let text): bytes.appendVisible(text, isBarEscaped: isBarEscaped)
        case .time: if let times = series.timestamps { bytes.appendTime(times[row], style) }
        case .column(let column):
          if series.columns[column].key.type == .string {
            if series.columns[column].isPresent(row) {
              bytes.appendVisible(series.columns[column].string(row), isBarEscaped: isBarEscaped)
            }
          } else {
            bytes.appendText(series.columns[column], row)
          }
        }
        ends.append(bytes.count)
        let width = displayWidth(bytes[start...])
        cellWidths.append(UInt32(width))
        if !isFixed, width > widths[index] { widths[index] = width }
      }
    }
    rowCount += series.rowCount
  }

  /// One cell.
  func text(_ row: Int, _ column: Int) -> ArraySlice<UInt8> {
    let index = row * titles.count + column
    return bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  func appendTitle(_ column: Int, separator: String = "  ", into out: inout [UInt8]) {
    if column > 0 || separator.utf8.count == 1 { out.append(contentsOf: separator.utf8) }
    append(titles[column][...], displayWidth(titles[column]), column, into: &out)
  }

  func appendCell(
    _ row: Int, _ column: Int, separator: String, first: String = "", into out: inout [UInt8]
  ) {
    out.append(contentsOf: (column == 0 ? first : separator).utf8)
    append(text(row, column), Int(cellWidths[row * titles.count + column]), column, into: &out)
  }

  private func append(_ text: ArraySlice<UInt8>, _ width: Int, _ column: Int, into out: inout [UInt8]) {
    let padding = repeatElement(UInt8(ascii: " "), count: max(0, widths[column] - width))
    if isRightAligned[column] { out.append(contentsOf: padding) }
    out.append(contentsOf: text)
    if !isRightAligned[column] { out.append(contentsOf: padding) }
  }
}

extension [UInt8] {
  /// Appends text for a terminal: control bytes as `\n`, `\xNN`, so that data cannot steer it; bytes that are not UTF-8 as
  /// U+FFFD; a bar with a backslash where Markdown asks for it.
  package mutating func appendVisible(_ text: some Collection<UInt8>, isBarEscaped: Bool = false) {
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\n": append(contentsOf: "\\n".utf8)
      case "\r": append(contentsOf: "\\r".utf8)
      case "\t": append(contentsOf: "\\t".utf8)
      case "|" where isBarEscaped: append(contentsOf: "\\|".utf8)
      case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}":
        append(contentsOf: "\\x".utf8)
        let digits = String(scalar.value, radix: 16)
        append(contentsOf: (digits.utf8.count == 1 ? "0" + digits : digits).utf8)
      default: append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }
}

/// Places that text takes in a terminal: none for marks that combine, two for East Asian wide characters and pictures.
func displayWidth(_ text: some Collection<UInt8>) -> Int {
  if text.allSatisfy({ $0 < 0x80 }) { return text.count }
  return String(decoding: text, as: UTF8.self).unicodeScalars.reduce(0) { sum, scalar in
    switch scalar.value {
    case 0x300...0x36f, 0x200b...0x200f, 0x20d0...0x20ff, 0xfe00...0xfe0f: sum
    case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
      0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd:
      sum + 2
    default: sum + 1
    }
  }
}

import LineProtocol
import Storage

/// Columns that stand side by side in a row and are written together, as one cell.
struct ColumnPart {
  enum Kind {
    /// One column, of any type.
    case single
    /// Whole numbers of one type in every row, all behind the same byte.
    case integers(behind: UInt8)
    /// Texts that come again in other rows, all together: those of a series' tags. What `RepeatedTexts` numbered them.
    case texts(Int)
  }

  var columns: Range<Int>
  var kind: Kind

  /// The columns of `range` in parts.
  ///
  /// - Parameters:
  ///   - leads: what stands before each column's values.
  ///   - rowCount: of each column.
  static func parts(
    of columns: Span<Column>, in range: Range<Int>, behind leads: [[UInt8]], rowCount: Int, _ texts: RepeatedTexts?
  ) -> [ColumnPart] {
    var parts: [ColumnPart] = []
    var start = range.lowerBound
    while start < range.upperBound {
      var end = start + 1
      if isInteger(columns[start], rowCount), leads[start].count == 1 {
        let type = columns[start].key.type
        while end < range.upperBound, columns[end].key.type == type, isInteger(columns[end], rowCount), leads[end] == leads[start] {
          end += 1
        }
        parts.append(ColumnPart(columns: start..<end, kind: .integers(behind: leads[start][0])))
      } else if let texts, columns[start].key.type == .string {
        while end < range.upperBound, columns[end].key.type == .string { end += 1 }
        let number = texts.begin(columns, start..<end, behind: Array(leads[start..<end]))
        if let number { parts.append(ColumnPart(columns: start..<end, kind: .texts(number))) } else {
          parts += (start..<end).map { ColumnPart(columns: $0..<$0 + 1, kind: .single) }
        }
      } else {
        parts.append(ColumnPart(columns: start..<end, kind: .single))
      }
      start = end
    }
    return parts
  }

  private static func isInteger(_ column: Column, _ rowCount: Int) -> Bool {
    (column.key.type == .integer || column.key.type == .unsigned) && column.presentCount == rowCount && column.validity.isEmpty
  }
}

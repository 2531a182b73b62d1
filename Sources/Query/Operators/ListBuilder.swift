import LineProtocol
import Storage

/// Builds the rows of statements that list names.
struct ListBuilder {
  private(set) var columns: [Column]
  private(set) var rowCount = 0

  init(_ types: FieldType...) { columns = types.map(Column.absent) }

  /// Appends a row; values must be of the columns' types.
  mutating func append(_ values: Literal...) {
    for (index, value) in values.enumerated() {
      if case .string(let bytes) = value {
        columns[index].append(text: bytes, rowCount: rowCount)
      } else {
        columns[index].append(word: value.word, rowCount: rowCount)
      }
    }
    rowCount += 1
  }

  /// Appends a row for each of some values: a text, and the value.
  mutating func append(_ text: [UInt8], _ values: TagValueList, _ rows: Range<Int>) {
    guard !rows.isEmpty else { return }
    columns[0].append(repeating: text[...], rowCount: rowCount, added: rows.count)
    columns[1].values.reserveCapacity(rowCount + rows.count)
    for row in rows { columns[1].append(text: values.bytes[values.range(row)], rowCount: rowCount + row - rows.lowerBound) }
    rowCount += rows.count
  }

  func series(_ name: String, _ columnNames: [String]) -> ResultSeries {
    ResultSeries(name: name, columnNames: columnNames, timestamps: nil, columns: columns, rowCount: rowCount)
  }

  /// A series of one column of names.
  static func names(_ name: String, _ columnName: String, _ names: some Sequence<[UInt8]>) -> ResultSeries {
    var list = ListBuilder(.string)
    for one in names { list.append(.string(one)) }
    return list.series(name, [columnName])
  }
}

extension Literal {
  static func text(_ text: String) -> Literal { .string(Array(text.utf8)) }
}

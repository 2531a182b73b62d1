import LineProtocol
import Storage

/// The order of the values of one column.
struct ValueOrder {
  let column: Column

  func precedes(_ a: Int, _ b: Int) -> Bool {
    switch column.key.type {
    case .float: Double(bitPattern: column.values[a]) < Double(bitPattern: column.values[b])
    case .integer: Int64(bitPattern: column.values[a]) < Int64(bitPattern: column.values[b])
    case .unsigned, .boolean: column.values[a] < column.values[b]
    case .string: column.string(a).lexicographicallyPrecedes(column.string(b))
    }
  }

  /// The rows in ascending order of their values, equal ones as they were.
  func sorted(_ rows: [Int]) -> [Int] {
    switch column.key.type {
    case .float: Self.sorted(rows) { Double(bitPattern: column.values[$0]) }
    case .integer: Self.sorted(rows) { Int64(bitPattern: column.values[$0]) }
    case .unsigned, .boolean: Self.sorted(rows) { column.values[$0] }
    case .string: rows.sorted { precedes($0, $1) }
    }
  }

  private static func sorted<Key: Comparable>(_ rows: [Int], _ key: (Int) -> Key) -> [Int] {
    rows.map { (key: key($0), row: $0) }.sorted { a, b in a.key != b.key ? a.key < b.key : a.row < b.row }
      .map(\.row)
  }

  /// Bytes or word that are the same for equal values.
  func identity(_ row: Int) -> [UInt8] {
    if column.key.type == .string { return Array(column.string(row)) }
    var word = column.values[row]
    // Both zeros are one value.
    if column.key.type == .float, word == 1 << 63 { word = 0 }
    return (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
  }
}

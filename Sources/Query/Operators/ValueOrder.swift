import LineProtocol
import Storage

/// The order of the values of one column.
struct ValueOrder {
  let column: Column
  /// Asked while much is sorted: the order is then not to be used.
  var isInterrupted: () -> Bool = { false }

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
    case .float: sorted(rows) { Double(bitPattern: column.values[$0]) }
    case .integer: sorted(rows) { Int64(bitPattern: column.values[$0]) }
    case .unsigned, .boolean: sorted(rows) { column.values[$0] }
    case .string: rows.sorted(unless: isInterrupted) { precedes($0, $1) }
    }
  }

  private func sorted<Key: Comparable>(_ rows: [Int], _ key: (Int) -> Key) -> [Int] {
    rows.map { (key: key($0), row: $0) }
      .sorted(unless: isInterrupted) { a, b in a.key != b.key ? a.key < b.key : a.row < b.row }
      .map(\.row)
  }

  /// The first row of each value, in the order of the rows.
  func distinct(_ rows: [Int]) -> [Int] {
    switch column.key.type {
    case .string: return Self.firsts(rows) { Array(column.string($0)) }
    // Both zeros are one value.
    case .float: return Self.firsts(rows) { column.values[$0] == 1 << 63 ? 0 : column.values[$0] }
    default: return Self.firsts(rows) { column.values[$0] }
    }
  }

  private static func firsts<Key: Hashable>(_ rows: [Int], _ key: (Int) -> Key) -> [Int] {
    var seen = Set<Key>()
    return rows.filter { seen.insert(key($0)).inserted }
  }
}

import LineProtocol
import Storage

/// The order of the values of one column.
struct ValueOrder {
  let column: Column
  /// Asked while much is sorted or told apart, which then fails.
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
  func sorted(_ rows: [Int]) throws(QueryFailure) -> [Int] {
    switch column.key.type {
    case .float: try sorted(rows) { Double(bitPattern: column.values[$0]) }
    case .integer: try sorted(rows) { Int64(bitPattern: column.values[$0]) }
    case .unsigned, .boolean: try sorted(rows) { column.values[$0] }
    case .string: try rows.sorted(unless: isInterrupted) { precedes($0, $1) }
    }
  }

  private func sorted<Key: Comparable>(_ rows: [Int], _ key: (Int) -> Key) throws(QueryFailure) -> [Int] {
    try rows.map { (key: key($0), row: $0) }
      .sorted(unless: isInterrupted) { a, b in a.key != b.key ? a.key < b.key : a.row < b.row }
      .map(\.row)
  }

  /// The first row of each value, in the order of the rows.
  func distinct(_ rows: [Int]) throws(QueryFailure) -> [Int] {
    switch column.key.type {
    case .string: return try firsts(rows) { Array(column.string($0)) }
    // Both zeros are one value.
    case .float: return try firsts(rows) { column.values[$0] == 1 << 63 ? 0 : column.values[$0] }
    default: return try firsts(rows) { column.values[$0] }
    }
  }

  private func firsts<Key: Hashable>(_ rows: [Int], _ key: (Int) -> Key) throws(QueryFailure) -> [Int] {
    var check = InterruptCheck(isInterrupted)
    var (seen, found) = (Set<Key>(), [Int]())
    for row in rows {
      try check.pass()
      if seen.insert(key(row)).inserted { found.append(row) }
    }
    return found
  }
}

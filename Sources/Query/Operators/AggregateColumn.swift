import LineProtocol
import Storage

/// One column that accumulators read, with all that is kept of it.
struct AggregateColumn {
  var column: ScanColumn
  /// Its place in the scan.
  var slot: Int
  var aggregates: Aggregates

  /// Whether statistics of row groups can stand for their rows.
  var takesStatistics: Bool {
    if column.type == .string { return aggregates.isEmpty }
    return !aggregates.contains(.extremeTimes) || aggregates.isDisjoint(with: [.minimum, .maximum])
  }

  /// What accumulators keep for a function; `nil` if it needs the rows.
  static func aggregates(for function: AggregateFunction, keepsTime: Bool) -> Aggregates? {
    switch function {
    case .count: []
    case .sum, .mean: .sum
    case .min: keepsTime ? [.minimum, .extremeTimes] : .minimum
    case .max: keepsTime ? [.maximum, .extremeTimes] : .maximum
    case .spread: [.minimum, .maximum]
    case .first: .first
    case .last: .last
    default: nil
    }
  }
}

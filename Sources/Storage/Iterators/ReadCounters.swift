import Synchronization

/// What queries of one series cost in a keyspace since start; added to once a query.
package final class ReadCounters: Sendable {
  private let tableTotal = Atomic<UInt64>(0)
  private let windowTotal = Atomic<UInt64>(0)

  package init() {}

  /// Takes note of a query that found at most one series in each window: the tables that it asked for more than their filters,
  /// and the windows with such a table.
  package func addQueryOfOneSeries(tables: Int, windows: Int) {
    tableTotal.wrappingAdd(UInt64(tables), ordering: .relaxed)
    windowTotal.wrappingAdd(UInt64(windows), ordering: .relaxed)
  }

  package var tables: UInt64 { tableTotal.load(ordering: .relaxed) }
  package var windows: UInt64 { windowTotal.load(ordering: .relaxed) }
}

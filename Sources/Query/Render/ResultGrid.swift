import LineProtocol
package import Storage

/// One header for all series of a statement: name, time, group tags, columns.
///
/// Series with other tags or columns than the first widen it; what a series lacks is empty in its rows.
package struct ResultGrid {
  /// What one place of the header holds.
  package enum Source: Hashable {
    case name
    case time
    case tag(String)
    /// The n-th column of a name: names may repeat (`SHOW` with several lists).
    case column(String, occurrence: Int)
  }

  package private(set) var sources: [Source] = []

  /// - Parameter isNameAlwaysShown: else the name has a place only where it differs between series.
  package init(_ result: StatementResult, isNameAlwaysShown: Bool = false) {
    let series = result.series
    if isNameAlwaysShown || result.hasSeveralNames || series.contains(where: { $0.name != series[0].name }) { sources.append(.name) }
    if series.contains(where: { $0.timestamps != nil }) { sources.append(.time) }
    var seen: Set<Source> = []
    for one in series {
      for tag in one.tags where seen.insert(.tag(tag.key)).inserted { sources.append(.tag(tag.key)) }
    }
    for one in series {
      for source in Self.columnSources(one) where seen.insert(source).inserted { sources.append(source) }
    }
  }

  /// The header's words.
  package var titles: [String] {
    sources.map { source in
      switch source {
      case .name: "name"
      case .time: "time"
      case .tag(let key): key
      case .column(let name, _): name
      }
    }
  }

  /// What stands in the header's places in the rows of one series.
  package func cells(of series: ResultSeries) -> [Cell] {
    let columns = Self.columnSources(series)
    return sources.map { source in
      switch source {
      case .name: .text(Array(series.name.utf8))
      case .time: series.timestamps == nil ? .empty : .time
      case .tag(let key):
        series.tags.first { $0.key == key }.map { $0.value.isEmpty ? .empty : .text(Array($0.value.utf8)) }
          ?? .empty
      case .column: columns.firstIndex(of: source).map { .column($0) } ?? .empty
      }
    }
  }

  /// A place of a series' rows.
  package enum Cell {
    case empty
    /// The same in every row.
    case text([UInt8])
    case time
    /// An index of `ResultSeries.columns`.
    case column(Int)
  }

  private static func columnSources(_ series: ResultSeries) -> [Source] {
    var counts: [String: Int] = [:]
    return series.columnNames.suffix(series.columns.count).map { name in
      counts[name, default: 0] += 1
      return .column(name, occurrence: counts[name, default: 1])
    }
  }
}

extension [UInt8] {
  /// Appends row `index` of a column as plain text; nothing where there is no value.
  @inline(__always)
  package mutating func appendText(_ column: Column, _ index: Int, hasPlainFloats: Bool = false) {
    guard column.isPresent(index) else { return }
    let word = column.values[index]
    switch column.key.type {
    case .float: appendFloatOrName(Double(bitPattern: word), isPlain: hasPlainFloats)
    case .integer: appendDecimal(Int64(bitPattern: word))
    case .unsigned: appendDecimal(word)
    case .boolean: append(contentsOf: (word != 0 ? "true" : "false").utf8)
    case .string: append(contentsOf: column.string(index))
    }
  }
}

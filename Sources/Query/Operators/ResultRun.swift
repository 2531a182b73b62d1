import LineProtocol
import Storage

/// The answer of a subquery as a sorted run, so that the statement around it reads it like any other.
final class ResultRun: SortedRun {
  private struct Series: Sendable {
    var key: SeriesKey
    var timestamps: [Int64]
    /// In the order of `fields`.
    var columns: [Column]
  }

  let sequenceRange: ClosedRange<UInt64> = 1...1
  let timeRange: ClosedRange<Int64>
  let rowCount: Int
  private let name: [UInt8]
  private let keys: [[UInt8]]
  private let fields: [FieldKey]
  private let series: [Series]

  /// The measurements that a subquery's series are.
  static func sources(_ answer: [ResultSeries]) -> [ResolvedSource] {
    var names: [String] = []
    for series in answer where !names.contains(series.name) { names.append(series.name) }
    return names.map { name in
      let run = ResultRun(name, answer.filter { $0.name == name })
      let window = WindowSnapshot(range: .min ..< .max, runs: [run])
      return ResolvedSource(
        name: Array(name.utf8), snapshot: Snapshot(windows: [window], floor: .min, pin: nil), isDerived: true)
    }
  }

  private init(_ name: String, _ answer: [ResultSeries]) {
    self.name = Array(name.utf8)
    var fields: [FieldKey] = []
    var found: [Series] = []
    for series in answer {
      var one = Series(key: SeriesKey(measurement: [], tags: []), timestamps: [], columns: [])
      one.key = SeriesKey(
        measurement: Array(name.utf8),
        tags: series.tags.filter { !$0.value.isEmpty }.map {
          (key: Array($0.key.utf8), value: Array($0.value.utf8))
        })
      for (columnName, column) in zip(series.columnNames.dropFirst(), series.columns)
      where column.presentCount > 0 {
        let key = FieldKey(name: Array(columnName.utf8), type: column.key.type)
        if !fields.contains(key) { fields.append(key) }
        var named = column
        named.key = key
        one.columns.append(named)
      }
      one.timestamps = series.timestamps ?? []
      Self.makeAscending(&one)
      if !one.timestamps.isEmpty { found.append(one) }
    }
    self.fields = fields.sorted { a, b in
      a.name == b.name ? a.type < b.type : a.name.lexicographicallyPrecedes(b.name)
    }
    series = found.sorted { $0.key < $1.key }
    // A tag that is empty in all series is one to group by too.
    keys = Set(answer.flatMap { $0.tags.map { Array($0.key.utf8) } }).sorted {
      $0.lexicographicallyPrecedes($1)
    }
    let first = series.compactMap(\.timestamps.first).min() ?? 0
    timeRange = first...max(first, series.compactMap(\.timestamps.last).max() ?? 0)
    rowCount = series.reduce(0) { $0 + $1.timestamps.count }
  }

  private static func makeAscending(_ series: inout Series) {
    guard let first = series.timestamps.first, let last = series.timestamps.last, first > last else { return }
    let order = Array(series.timestamps.indices.reversed())
    series.timestamps.reverse()
    series.columns = series.columns.map { $0.gathered(order) }
  }

  func measurements() throws(StorageError) -> [[UInt8]] { [name] }

  func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    measurement == name ? fields : []
  }

  func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] { measurement == name ? keys : [] }

  func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError) -> SeriesList {
    var list = SeriesList()
    guard measurement == name else { return list }
    for (ordinal, one) in series.enumerated() {
      guard predicate?.isSatisfied({ one.key.value(of: $0) ?? [] }) ?? true, let first = one.timestamps.first,
        let last = one.timestamps.last
      else { continue }
      list.append(key: one.key.bytes, ordinal: UInt32(ordinal), firstTimestamp: first, lastTimestamp: last)
    }
    return list
  }

  func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader { Reader(self, fields) }

  /// Gives each series in stretches; points of one time are in one.
  private final class Reader: RunReader {
    private let run: ResultRun
    private let fields: [FieldKey]
    private var ordinal = 0
    /// Rows that are asked for and not given yet, and the present stretch.
    private var rest: Range<Int> = 0..<0
    private var rows: Range<Int> = 0..<0
    private var isDescending = false
    /// Rows of a stretch, unless more are of one time: as of a row group, so that no step takes long.
    private static let rowCountMax = 16_384

    init(_ run: ResultRun, _ fields: [FieldKey]) {
      self.run = run
      self.fields = fields
    }

    func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
      self.ordinal = Int(ordinal)
      let all = run.series[self.ordinal].timestamps
      let start = Self.end(in: all) { $0 < times.lowerBound }
      rest = start..<max(start, Self.end(in: all) { $0 < times.upperBound })
      isDescending = descending
    }

    /// The first row before which all satisfy a condition.
    private static func end(in times: [Int64], of isBefore: (Int64) -> Bool) -> Int {
      var (low, high) = (0, times.count)
      while low < high {
        let middle = (low + high) / 2
        if isBefore(times[middle]) { low = middle + 1 } else { high = middle }
      }
      return low
    }

    func next() throws(StorageError) -> RowGroupSpan? {
      guard !rest.isEmpty else { return nil }
      let all = run.series[ordinal].timestamps
      if isDescending {
        let start = max(rest.lowerBound, rest.upperBound - Self.rowCountMax)
        rows = max(rest.lowerBound, Self.end(in: all) { $0 < all[start] })..<rest.upperBound
        rest = rest.lowerBound..<rows.lowerBound
      } else {
        let last = min(rest.upperBound, rest.lowerBound + Self.rowCountMax) - 1
        rows = rest.lowerBound..<min(rest.upperBound, Self.end(in: all) { $0 <= all[last] })
        rest = rows.upperBound..<rest.upperBound
      }
      return RowGroupSpan(
        rowCount: rows.count, firstTimestamp: all[rows.lowerBound], lastTimestamp: all[rows.upperBound - 1])
    }

    func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? { nil }

    func read(into batch: inout ColumnBatch) throws(StorageError) {
      let one = run.series[ordinal]
      batch.timestamps = Array(one.timestamps[rows])
      for (index, key) in fields.enumerated() {
        let found = one.columns.first { $0.key == key }
        batch.columns[index] = found.map { $0.slice(rows, count: one.timestamps.count) } ?? Column(key: key)
      }
    }
  }
}

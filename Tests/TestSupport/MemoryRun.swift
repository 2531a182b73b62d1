package import LineProtocol
package import Storage

/// A sorted run of points held in dictionaries: the dull reference of what parts and tables do. Later points of the list win.
package final class MemoryRun: SortedRun {
  package struct Series: Sendable {
    package var key: SeriesKey
    /// Ascending by time, joined.
    package var points: [ModelPoint]
  }

  package let sequenceRange: ClosedRange<UInt64>
  package let series: [Series]
  /// Rows a row group has at most.
  package let groupRowCount: Int
  private let fieldKeys: [[UInt8]: Set<FieldKey>]

  package init(_ points: [ModelPoint], sequence: ClosedRange<UInt64>, groupRowCount: Int = 4) {
    sequenceRange = sequence
    self.groupRowCount = groupRowCount
    var rows: [SeriesKey: [Int64: ModelPoint]] = [:]
    for point in points {
      rows[point.key, default: [:]][point.timestamp, default: point].fields.merge(point.fields) { $1 }
    }
    series = rows.map { key, points in
      Series(key: key, points: points.values.sorted { $0.timestamp < $1.timestamp })
    }.sorted { $0.key < $1.key }
    var keys: [[UInt8]: Set<FieldKey>] = [:]
    for one in series {
      for point in one.points {
        for (name, value) in point.fields {
          keys[Array(one.key.measurement), default: []].insert(
            FieldKey(name: Array(name.utf8), type: value.type))
        }
      }
    }
    fieldKeys = keys
  }

  /// Points as text, see `modelPoints`.
  package convenience init(_ lines: String, sequence: UInt64 = 1, groupRowCount: Int = 4) {
    self.init(modelPoints(lines), sequence: sequence...sequence, groupRowCount: groupRowCount)
  }

  private var timestamps: [Int64] { series.flatMap { $0.points.map(\.timestamp) } }
  package var timeRange: ClosedRange<Int64> { (timestamps.min() ?? 0)...(timestamps.max() ?? 0) }
  package var rowCount: Int { timestamps.count }

  package func measurements() throws(StorageError) -> [[UInt8]] {
    Set(series.map { Array($0.key.measurement) }).sorted { $0.lexicographicallyPrecedes($1) }
  }

  package func fields(of measurement: [UInt8]) throws(StorageError) -> [FieldKey] {
    (fieldKeys[measurement] ?? []).sorted { a, b in
      a.name == b.name ? a.type < b.type : a.name.lexicographicallyPrecedes(b.name)
    }
  }

  package func tagKeys(of measurement: [UInt8]) throws(StorageError) -> [[UInt8]] {
    let held = series.filter { $0.key.measurement.elementsEqual(measurement) }
    return Set(held.flatMap { $0.key.parts.tags.map { Array($0.key) } }).sorted {
      $0.lexicographicallyPrecedes($1)
    }
  }

  package func series(of measurement: [UInt8], where predicate: TagPredicate?) throws(StorageError)
    -> SeriesList
  {
    var list = SeriesList()
    for (ordinal, one) in series.enumerated() where one.key.measurement.elementsEqual(measurement) {
      guard predicate?.isSatisfied({ one.key.value(of: $0) ?? [] }) ?? true, let first = one.points.first,
        let last = one.points.last
      else { continue }
      list.append(
        key: one.key.bytes, ordinal: UInt32(ordinal), firstTimestamp: first.timestamp,
        lastTimestamp: last.timestamp)
    }
    return list
  }

  package func makeReader(of measurement: [UInt8], fields: [FieldKey]) -> any RunReader {
    MemoryRunReader(self, fields: fields)
  }
}

/// Gives a series' points in groups of the run's `groupRowCount`.
private final class MemoryRunReader: RunReader {
  private let run: MemoryRun
  private let fields: [FieldKey]
  private var groups: ArraySlice<(points: [ModelPoint], isWhole: Bool)> = []
  private var present: (points: [ModelPoint], isWhole: Bool)?

  init(_ run: MemoryRun, fields: [FieldKey]) {
    self.run = run
    self.fields = fields
  }

  func begin(_ ordinal: UInt32, times: Range<Int64>, descending: Bool) throws(StorageError) {
    let points = run.series[Int(ordinal)].points
    let all = stride(from: 0, to: points.count, by: run.groupRowCount).map { start in
      let group = Array(points[start..<min(points.count, start + run.groupRowCount)])
      let kept = group.filter { times.contains($0.timestamp) }
      return (points: kept, isWhole: kept.count == group.count)
    }.filter { !$0.points.isEmpty }
    groups = ArraySlice(descending ? all.reversed() : all)
    present = nil
  }

  func next() throws(StorageError) -> RowGroupSpan? {
    present = groups.popFirst()
    guard let points = present?.points, let first = points.first, let last = points.last else { return nil }
    return RowGroupSpan(
      rowCount: points.count, firstTimestamp: first.timestamp, lastTimestamp: last.timestamp)
  }

  func statistics(_ column: Int) throws(StorageError) -> ColumnStatistics? {
    guard let present, present.isWhole else { return nil }
    let rows = present.points.compactMap { point in
      value(column, of: point).map { (timestamp: point.timestamp, value: $0) }
    }
    return modelStatistics(rows)
  }

  func read(into batch: inout ColumnBatch) throws(StorageError) {
    batch.reset()
    let points = present?.points ?? []
    batch.timestamps = points.map(\.timestamp)
    for column in fields.indices {
      batch.columns[column] = modelColumn(fields[column], points.map { value(column, of: $0) })
    }
  }

  private func value(_ column: Int, of point: ModelPoint) -> ModelValue? {
    point.fields[String(decoding: fields[column].name, as: UTF8.self)].flatMap {
      $0.type == fields[column].type ? $0 : nil
    }
  }
}

/// A batch's column of values, `nil` where absent.
package func modelColumn(_ key: FieldKey, _ values: [ModelValue?]) -> Column {
  var column = Column(key: key)
  column.presentCount = values.count { $0 != nil }
  guard column.presentCount > 0 else { return column }
  for value in values {
    if case .string(let text) = value {
      column.values.append(UInt64(column.bytes.count) << 32 | UInt64(text.utf8.count))
      column.bytes.append(contentsOf: text.utf8)
    } else {
      column.values.append(value?.word ?? 0)
    }
  }
  guard column.presentCount < values.count else { return column }
  column.validity = Array(repeating: 0, count: (values.count + 63) / 64)
  for (row, value) in values.enumerated() where value != nil {
    column.validity[row >> 6] |= 1 << UInt64(row & 63)
  }
  return column
}

/// What a batch's column says in row `row`.
package func modelValue(_ column: Column, _ row: Int) -> ModelValue? {
  guard column.isPresent(row) else { return nil }
  return switch column.key.type {
  case .float: .float(Double(bitPattern: column.values[row]))
  case .integer: .integer(Int64(bitPattern: column.values[row]))
  case .unsigned: .unsigned(column.values[row])
  case .boolean: .boolean(column.values[row] != 0)
  case .string: .string(String(decoding: column.string(row), as: UTF8.self))
  }
}

/// Statistics of one column, by plain loops.
package func modelStatistics(_ rows: [(timestamp: Int64, value: ModelValue)]) -> ColumnStatistics {
  var answer = ColumnStatistics()
  guard let first = rows.first, let last = rows.last else { return answer }
  answer.count = rows.count
  (answer.first, answer.firstTimestamp) = (first.value.word, first.timestamp)
  (answer.last, answer.lastTimestamp) = (last.value.word, last.timestamp)
  switch first.value.type {
  case .float:
    let values = rows.map { Double(bitPattern: $0.value.word) }
    let numbers = values.filter { !$0.isNaN }
    answer.hasNaN = numbers.count < values.count
    answer.minimum = (numbers.min() ?? 0).bitPattern
    answer.maximum = (numbers.max() ?? 0).bitPattern
    for value in values {
      let sum = answer.floatSum + value
      let part = sum - answer.floatSum
      answer.floatError += (answer.floatSum - (sum - part)) + (value - part)
      answer.floatSum = sum
    }
  case .integer:
    let values = rows.map { Int64(bitPattern: $0.value.word) }
    answer.minimum = UInt64(bitPattern: values.min() ?? 0)
    answer.maximum = UInt64(bitPattern: values.max() ?? 0)
    answer.integerSum = values.reduce(0) { $0 + Int128($1) }
  case .unsigned, .boolean:
    let values = rows.map(\.value.word)
    answer.minimum = values.min() ?? 0
    answer.maximum = values.max() ?? 0
    answer.integerSum = values.reduce(0) { $0 + Int128($1) }
  case .string: break
  }
  return answer
}

extension Snapshot {
  /// A snapshot of runs in windows of `windowLength`, made from batches of points: each batch is one run in each window that it
  /// meets, later batches win.
  package static func ofPoints(
    _ batches: [[ModelPoint]], windowLength: Int64, floor: Int64 = .min, groupRowCount: Int = 4
  ) -> Snapshot {
    var runs: [Int64: [any SortedRun]] = [:]
    for (index, batch) in batches.enumerated() {
      let windows = Dictionary(grouping: batch) { point in
        let cell = point.timestamp / windowLength - (point.timestamp % windowLength < 0 ? 1 : 0)
        return cell * windowLength
      }
      for (start, points) in windows {
        let sequence = UInt64(index + 1)
        runs[start, default: []].append(
          MemoryRun(points, sequence: sequence...sequence, groupRowCount: groupRowCount))
      }
    }
    let windows = runs.sorted { $0.key < $1.key }.map { start, runs in
      WindowSnapshot(range: start..<start + windowLength, runs: runs)
    }
    return Snapshot(windows: windows, floor: floor, pin: nil)
  }

  /// A snapshot from batches of lines, see `modelPoints`.
  package static func ofLines(_ batches: [String], windowLength: Int64, floor: Int64 = .min) -> Snapshot {
    ofPoints(batches.map(modelPoints), windowLength: windowLength, floor: floor)
  }
}

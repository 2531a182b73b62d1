import LineProtocol
import Storage
import TestSupport

/// What tests of tables write, from the dull model.
enum TableSamples {
  static let window: Range<Int64> = -1_000_000_000_000..<1_000_000_000_000

  static func identity(number: UInt64 = 42, sequence: ClosedRange<UInt64> = 7...9) -> TableIdentity {
    TableIdentity(
      number: number, keyspace: KeyspaceID(3), database: "metrics", policy: "autogen", window: window,
      sequenceRange: sequence, horizon: -5)
  }

  /// Writes all that a model holds, `batchRowCount` rows a call, and opens the table.
  static func table(
    _ run: MemoryRun, batchRowCount: Int = 1_000, cache: BlockCache = BlockCache(byteCountMax: 64 << 20)
  ) throws -> Table {
    let files = MemoryFileSystem()
    let file = try files.create("table.sst")
    let state = try write(run, to: file, batchRowCount: batchRowCount)
    return try Table.open(file: try files.open("table.sst"), state: state, cache: cache)
  }

  static func write(_ run: MemoryRun, to file: any StoredFile, batchRowCount: Int = 1_000) throws
    -> TableState
  {
    let writer = try TableWriter(file: file, identity: identity(sequence: run.sequenceRange))
    for series in run.series {
      try writer.beginSeries(series.key)
      let fields = try run.fields(of: Array(series.key.measurement))
      for start in stride(from: 0, to: series.points.count, by: batchRowCount) {
        let points = series.points[start..<min(start + batchRowCount, series.points.count)]
        try writer.append(batch(Array(points), fields: fields))
      }
    }
    return try writer.finish()
  }

  static func batch(_ points: [ModelPoint], fields: [FieldKey]) -> ColumnBatch {
    var batch = ColumnBatch(fields: fields)
    batch.timestamps = points.map(\.timestamp)
    for (index, field) in fields.enumerated() {
      let name = String(decoding: field.name, as: UTF8.self)
      batch.columns[index] = modelColumn(
        field, points.map { $0.fields[name].flatMap { $0.type == field.type ? $0 : nil } })
    }
    return batch
  }

  /// Random points: some measurements, sparse tags, short and long series, all types, absent fields, fields of two types.
  static func points(seed: UInt64, longRowCount: Int = 2_600) -> [ModelPoint] {
    var random = SplitMix64(seed: seed)
    var points: [ModelPoint] = []
    for measurement in 0..<Int.random(in: 1...3, using: &random) {
      for series in 0..<Int.random(in: 1...60, using: &random) {
        let key = key(measurement: measurement, series: series, using: &random)
        let rowCount =
          series % 17 == 3
          ? Int.random(in: 900...longRowCount, using: &random) : Int.random(in: 1...9, using: &random)
        points += rows(of: key, count: rowCount, using: &random)
      }
    }
    return points
  }

  private static func key(measurement: Int, series: Int, using random: inout SplitMix64) -> SeriesKey {
    var tags: [(key: [UInt8], value: [UInt8])] = [(Array("id".utf8), Array("s\(series)".utf8))]
    for tag in ["a", "host", "zone", "zz"] where Bool.random(using: &random) {
      tags.append((Array(tag.utf8), Array("v\(Int.random(in: 0...5, using: &random))".utf8)))
    }
    if Int.random(in: 0..<20, using: &random) == 0 { tags.removeFirst() }
    return SeriesKey(measurement: Array("m\(measurement)".utf8), tags: tags)
  }

  private static func rows(
    of key: SeriesKey, count: Int, using random: inout SplitMix64
  ) -> [ModelPoint] {
    var time = Int64.random(in: -100_000...100_000, using: &random)
    let isRegular = Bool.random(using: &random)
    let density = Int.random(in: 1...10, using: &random)
    return (0..<count).map { row in
      time += isRegular ? 1_000 : Int64.random(in: 1...2_000, using: &random)
      var fields: [String: ModelValue] = ["n": .integer(Int64(row) * 3 - 7)]
      if random.next() % 10 < density { fields["f"] = .float((Double(row) / 8 - 3) * 1.1) }
      if random.next() % 10 < density { fields["u"] = .unsigned(random.next() >> (random.next() % 64)) }
      if random.next() % 10 < density { fields["b"] = .boolean(random.next() % 3 == 0) }
      if random.next() % 10 < density { fields["s"] = .string("text \(random.next() % 12)") }
      // One field, two types: in a point at most one of them.
      if random.next() % 10 < density {
        fields["x"] = row % 3 == 0 ? .integer(Int64(row)) : .float(Double(row) / 3)
      }
      return ModelPoint(key: key, timestamp: time, fields: fields)
    }
  }
}

/// All rows that a run gives for a series, in the order of its stretches.
func readPoints(
  _ reader: any RunReader, _ ordinal: UInt32, key: SeriesKey, fields: [FieldKey], times: Range<Int64>,
  descending: Bool = false
) throws -> [ModelPoint] {
  var stretches: [[ModelPoint]] = []
  var batch = ColumnBatch(fields: fields)
  try reader.begin(ordinal, times: times, descending: descending)
  while let span = try reader.next() {
    try reader.read(into: &batch)
    if batch.count > span.rowCount {
      throw StorageError(.invalid, "\(batch.count) rows in a span of \(span.rowCount)")
    }
    let points = (0..<batch.count).map { row in
      var fields: [String: ModelValue] = [:]
      for column in batch.columns {
        if let value = modelValue(column, row) {
          fields[String(decoding: column.key.name, as: UTF8.self)] = value
        }
      }
      return ModelPoint(key: key, timestamp: batch.timestamps[row], fields: fields)
    }
    if points.contains(where: { $0.timestamp < span.firstTimestamp || $0.timestamp > span.lastTimestamp }) {
      throw StorageError(.invalid, "rows outside of the span's times")
    }
    stretches.append(points)
  }
  return (descending ? stretches.reversed() : stretches).flatMap { $0 }
}

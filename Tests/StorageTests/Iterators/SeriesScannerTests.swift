import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Series scanner")
struct SeriesScannerTests {
  @Test("fields of one point that were written apart are joined")
  func joins() throws {
    let rows = try scan(["m,t=a x=1 10", "m,t=a y=2 10"], [("x", .float), ("y", .float)])
    #expect(rows == ["10 1.0 2.0"])
  }

  @Test("the later run wins, field by field")
  func overwrites() throws {
    let rows = try scan(["m,t=a x=1,y=1 10\nm,t=a x=1 20", "m,t=a x=2 10"], [("x", .float), ("y", .float)])
    #expect(rows == ["10 2.0 1.0", "20 1.0 -"])
  }

  @Test("a later value of another type hides the earlier one, asked for or not")
  func hides() throws {
    let batches = ["m x=1 10\nm x=1 20", "m x=\"text\" 10"]
    #expect(try scan(batches, [("x", .float)]) == ["10 -", "20 1.0"])
    #expect(try scan(batches, [("x", .string)]) == ["10 text", "20 -"])
    #expect(try scan(batches, [("x", .string), ("x", .float)]) == ["10 text -", "20 - 1.0"])
  }

  @Test("numeric types become the one asked for; what it cannot hold is left out")
  func converts() throws {
    let batches = ["m x=1.75 10\nm x=2i 20\nm x=18446744073709551615u 30\nm x=-3i 40"]
    #expect(
      try scan(batches, [("x", .float)]) == ["10 1.75", "20 2.0", "30 1.8446744073709552e+19", "40 -3.0"])
    #expect(try scan(batches, [("x", .integer)]) == ["10 1", "20 2", "30 -", "40 -3"])
    #expect(try scan(batches, [("x", .unsigned)]) == ["10 1", "20 2", "30 18446744073709551615", "40 -"])
  }

  @Test("a stretch that no other run meets is handed on undecoded, with statistics")
  func passesThrough() throws {
    let snapshot = Snapshot.ofLines(
      ["m x=1 1\nm x=2 2\nm x=3 3\nm x=4 4\nm x=5 5\nm x=6 6", "m x=9 6\nm x=9 7"], windowLength: 100)
    let window = snapshot.windows[0]
    let series = try window.series(of: Array("m".utf8), where: nil, times: 0..<100)
    let scanner = SeriesScanner(
      window: window, series: series, measurement: Array("m".utf8),
      columns: [ScanColumn(name: Array("x".utf8), type: .float)], times: 0..<100)
    try scanner.begin(0)
    #expect(try scanner.next() == RowGroupSpan(rowCount: 4, firstTimestamp: 1, lastTimestamp: 4))
    let known = try #require(try scanner.statistics(0))
    #expect(known.count == 4 && known.floatSum == 10)
    #expect(try scanner.next() == RowGroupSpan(rowCount: 2, firstTimestamp: 5, lastTimestamp: 6))
    #expect(try scanner.statistics(0) == nil)
    #expect(try scanner.next() == RowGroupSpan(rowCount: 1, firstTimestamp: 7, lastTimestamp: 7))
    #expect(try scanner.next() == nil)
    #expect(try scanner.next() == nil)
  }

  @Test("several overlapping runs read like one dictionary", arguments: 0..<150 as Range<UInt64>)
  func model(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let batches = (0..<Int.random(in: 1...6, using: &random)).map { _ in randomBatch(&random) }
    let floor: Int64 = Bool.random(using: &random) ? .min : Int64.random(in: -50...50, using: &random)
    let snapshot = Snapshot.ofPoints(
      batches, windowLength: Int64.random(in: 40...200, using: &random), floor: floor,
      groupRowCount: Int.random(in: 1...9, using: &random))
    let low = Int64.random(in: -120...100, using: &random)
    let times = Bool.random(using: &random) ? Int64.min..<Int64.max : low..<low + 80
    let converts = Bool.random(using: &random)
    let columns = randomColumns(&random)
    let wanted = modelRows(batches, columns, times: snapshot.clipped(times), converts: converts)
    let up = try ScanDump(snapshot, columns, times, descending: false, converts: converts)
    let down = try ScanDump(snapshot, columns, times, descending: true, converts: converts)
    #expect(up.rows == wanted, "seed \(seed)")
    #expect(down.rows == wanted, "descending, seed \(seed)")
    #expect(up.isOrdered && down.isOrdered, "seed \(seed)")
    #expect(up.statisticsAgree && down.statisticsAgree, "seed \(seed)")
  }

  /// Rows of series after series as "time value value".
  private func scan(_ batches: [String], _ columns: [(String, FieldType)]) throws -> [String] {
    let columns = columns.map { ScanColumn(name: Array($0.0.utf8), type: $0.1) }
    let snapshot = Snapshot.ofLines(batches, windowLength: 1_000)
    let dump = try ScanDump(snapshot, columns, .min ..< .max, descending: false, converts: true)
    return dump.rows.values.flatMap { rows in
      rows.sorted { $0.key < $1.key }.map { time, values in
        ([String(time)] + values.map { $0.map(text) ?? "-" }).joined(separator: " ")
      }
    }
  }

  private func text(_ value: ModelValue) -> String {
    switch value {
    case .float(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let value): value
    }
  }
}

/// Rows by series and time: a value or `nil` for each column.
typealias ModelRows = [SeriesKey: [Int64: [ModelValue?]]]

/// All that a scanner gives, window after window.
struct ScanDump {
  var rows: ModelRows = [:]
  /// Whether stretches came in order and without a time twice.
  var isOrdered = true
  /// Whether statistics said what the rows of their stretch say.
  var statisticsAgree = true

  init(
    _ snapshot: Snapshot, _ columns: [ScanColumn], _ times: Range<Int64>, descending: Bool, converts: Bool
  ) throws {
    for window in snapshot.windows(in: times) {
      let clipped = snapshot.clipped(times)
      for measurement in try window.measurements() {
        let series = try window.series(of: measurement, where: nil, times: clipped)
        let scanner = SeriesScanner(
          window: window, series: series, measurement: measurement, columns: columns, times: clipped,
          descending: descending, convertsNumbers: converts)
        var batch = scanner.makeBatch()
        for index in 0..<series.count {
          if index > 0, try !(series.key(index - 1) < series.key(index)) { isOrdered = false }
          try scanner.begin(index)
          try read(scanner, series.key(index), &batch, descending)
        }
      }
    }
  }

  private mutating func read(
    _ scanner: SeriesScanner, _ key: SeriesKey, _ batch: inout ColumnBatch, _ descending: Bool
  ) throws {
    var previous: Int64?
    while try scanner.next() != nil {
      let known = try batch.columns.indices.map { try scanner.statistics($0) }
      try scanner.read(into: &batch)
      let times = descending ? batch.timestamps.reversed() : batch.timestamps
      for time in times {
        if let last = previous, descending ? time >= last : time <= last { isOrdered = false }
        previous = time
      }
      for row in 0..<batch.count {
        let values = batch.columns.map { modelValue($0, row) }
        rows[key, default: [:]][batch.timestamps[row]] = values
      }
      for (column, known) in zip(batch.columns, known) where known != nil {
        let present = (0..<batch.count).compactMap { row in
          modelValue(column, row).map { (timestamp: batch.timestamps[row], value: $0) }
        }
        if modelStatistics(present) != known || column.presentCount != present.count {
          statisticsAgree = false
        }
      }
    }
  }
}

/// The same, by a dictionary.
func modelRows(
  _ batches: [[ModelPoint]], _ columns: [ScanColumn], times: Range<Int64>, converts: Bool
) -> ModelRows {
  var joined: [SeriesKey: [Int64: [String: ModelValue]]] = [:]
  for point in batches.joined() where times.contains(point.timestamp) {
    joined[point.key, default: [:]][point.timestamp, default: [:]].merge(point.fields) { $1 }
  }
  return joined.mapValues { rows in
    rows.mapValues { fields in
      columns.map { column in
        fields[String(decoding: column.name, as: UTF8.self)].flatMap {
          modelConvert($0, column.type, converts)
        }
      }
    }
  }
}

/// A value as another type, `nil` where that cannot be.
func modelConvert(_ value: ModelValue, _ type: FieldType, _ converts: Bool) -> ModelValue? {
  if value.type == type { return value }
  guard converts else { return nil }
  switch (value, type) {
  case (.integer(let value), .float): return .float(Double(value))
  case (.unsigned(let value), .float): return .float(Double(value))
  case (.float(let value), .integer): return Int64(exactly: value.rounded(.towardZero)).map { .integer($0) }
  case (.float(let value), .unsigned):
    return UInt64(exactly: value.rounded(.towardZero)).map { .unsigned($0) }
  case (.unsigned(let value), .integer): return Int64(exactly: value).map { .integer($0) }
  case (.integer(let value), .unsigned): return UInt64(exactly: value).map { .unsigned($0) }
  default: return nil
  }
}

/// A batch of points: some dense stretches, some scattered, some fields missing, types that change.
func randomBatch(_ random: inout SplitMix64) -> [ModelPoint] {
  let names = ["x", "y", "z"]
  var points: [ModelPoint] = []
  for _ in 0..<Int.random(in: 1...4, using: &random) {
    let measurement = Array((Bool.random(using: &random) ? "m" : "n").utf8)
    let tags = ["a", "b"].filter { _ in Bool.random(using: &random) }.map { tag in
      (key: Array(tag.utf8), value: Array("v\(Int.random(in: 0...1, using: &random))".utf8))
    }
    let key = SeriesKey(measurement: measurement, tags: tags)
    let isMixed = Int.random(in: 0..<3, using: &random) == 0
    let step = Int64.random(in: 1...4, using: &random)
    var time = Int64.random(in: -100...100, using: &random)
    for _ in 0..<Int.random(in: 1...90, using: &random) {
      var fields: [String: ModelValue] = [:]
      for (place, name) in names.enumerated() where Int.random(in: 0..<4, using: &random) > 0 {
        fields[name] = randomValue(&random, isMixed ? Int.random(in: 0..<5, using: &random) : place)
      }
      if fields.isEmpty { fields["x"] = .float(0.5) }
      points.append(ModelPoint(key: key, timestamp: time, fields: fields))
      time += step
    }
  }
  return points.shuffled(using: &random)
}

private func randomValue(_ random: inout SplitMix64, _ kind: Int) -> ModelValue {
  switch kind {
  case 0: .float(Double(Int.random(in: -1_000...1_000, using: &random)) / 8)
  case 1: .integer(Int64.random(in: -100...100, using: &random))
  case 2: .string(String(repeating: "s", count: Int.random(in: 0...5, using: &random)))
  case 3: .unsigned(UInt64.random(in: 0...UInt64.max, using: &random))
  default: .boolean(Bool.random(using: &random))
  }
}

private func randomColumns(_ random: inout SplitMix64) -> [ScanColumn] {
  (0..<Int.random(in: 1...4, using: &random)).map { _ in
    let name = ["x", "y", "z", "absent"].randomElement(using: &random) ?? "x"
    return ScanColumn(
      name: Array(name.utf8), type: FieldType.allCases.randomElement(using: &random) ?? .float)
  }
}

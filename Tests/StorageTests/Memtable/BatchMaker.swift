import LineProtocol
import Storage
import TestSupport

/// A line as sent: fields in order.
struct SentLine {
  var key: SeriesKey
  var timestamp: Int64
  var fields: [(name: String, value: ModelValue)]

  var point: ModelPoint {
    ModelPoint(key: key, timestamp: timestamp, fields: Dictionary(fields.map { ($0.name, $0.value) }) { $1 })
  }
}

/// A vocabulary for tests: gives numbers to series and field lists, and fills batches.
final class BatchMaker: RowNames {
  private(set) var generation: UInt64 = 0
  private var keys: [SeriesKey] = []
  private var lists: [[FieldKey]] = []
  private var keyNumbers: [SeriesKey: UInt32] = [:]
  private var listNumbers: [[FieldKey]: UInt32] = [:]

  func seriesKey(_ number: UInt32) -> SeriesKey { keys[Int(number)] }
  func fieldList(_ number: UInt32) -> [FieldKey] { lists[Int(number)] }

  func forget() {
    generation += 1
    keys = []
    lists = []
    keyNumbers = [:]
    listNumbers = [:]
  }

  func number(of key: SeriesKey) -> UInt32 {
    if let known = keyNumbers[key] { return known }
    keys.append(key)
    keyNumbers[key] = UInt32(keys.count - 1)
    return UInt32(keys.count - 1)
  }

  func number(of list: [FieldKey]) -> UInt32 {
    if let known = listNumbers[list] { return known }
    lists.append(list)
    listNumbers[list] = UInt32(lists.count - 1)
    return UInt32(lists.count - 1)
  }

  func fill(_ batch: LineBatch, with lines: [SentLine]) {
    batch.reset()
    for (index, line) in lines.enumerated() {
      batch.series.append(number(of: line.key))
      batch.fieldLists.append(
        number(of: line.fields.map { FieldKey(name: Array($0.name.utf8), type: $0.value.type) }))
      batch.timestamps.append(line.timestamp)
      batch.lines.append(UInt64(index + 1))
      for field in line.fields {
        if case .string(let text) = field.value {
          batch.values.append(UInt64(batch.strings.count) << 32 | UInt64(text.utf8.count))
          for byte in text.utf8 { batch.strings.append(byte) }
        } else {
          batch.values.append(field.value.word)
        }
      }
    }
  }
}

/// Random lines that overwrite each other, come out of order, send parts of their fields, and change types.
struct LineSource {
  var random: SplitMix64
  var seriesCount = 6
  var times: Range<Int64> = 0..<200
  var isInOrder = false
  private var clock: Int64 = 0

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  mutating func lines(_ count: Int) -> [SentLine] { (0..<count).map { _ in line() } }

  mutating func line() -> SentLine {
    let number = Int.random(in: 0..<seriesCount, using: &random)
    let tags: [(key: [UInt8], value: [UInt8])] =
      (0..<number % 4).map { (key: Array("t\($0)".utf8), value: Array("v\(number / 2)".utf8)) }
    let key = SeriesKey(measurement: Array((number % 3 == 0 ? "cpu" : "disk").utf8), tags: tags)
    var names = ["a", "b", "c", "d"].shuffled(using: &random)
    names = Array(names.prefix(Int.random(in: 1...4, using: &random)))
    if Bool.random(using: &random) { names.sort() }
    let fields = names.map { name in (name: name, value: value(for: name)) }
    clock += Int64.random(in: 1...3, using: &random)
    let time = isInOrder ? clock : Int64.random(in: times, using: &random)
    return SentLine(key: key, timestamp: time, fields: fields)
  }

  private mutating func value(for name: String) -> ModelValue {
    // Mostly one type a name.
    let kind =
      Int.random(in: 0..<8, using: &random) == 0
      ? Int.random(in: 0..<5, using: &random) : Int(name.utf8.first ?? 0) % 5
    switch kind {
    case 0: return .float(Double(Int.random(in: -1_000...1_000, using: &random)) / 4)
    case 1:
      return .integer(
        Int64.random(in: .min ... .max, using: &random) >> Int64.random(in: 0..<64, using: &random))
    case 2:
      return .unsigned(
        UInt64.random(in: 0 ... .max, using: &random) >> UInt64.random(in: 0..<64, using: &random))
    case 3: return .boolean(Bool.random(using: &random))
    default: return .string(String(repeating: "é", count: Int.random(in: 0..<9, using: &random)))
    }
  }
}

/// A memtable with one receiver, as the store drives it: place, hold, insert, release.
final class Writer {
  let memtable: Memtable
  let inserter: RowInserter
  let names: BatchMaker
  let keyspace: KeyspaceID
  /// 0: one window for all of time.
  let windowLength: Int64
  let batch = LineBatch()
  private(set) var placement = RowPlacement()
  private var parts: [Part] = []

  init(
    _ memtable: Memtable = Memtable(clock: { 0 }), names: BatchMaker = BatchMaker(),
    windowLength: Int64 = 1_000
  ) {
    self.memtable = memtable
    self.names = names
    self.windowLength = windowLength
    keyspace = KeyspaceID(1)
    inserter = memtable.makeInserter(for: keyspace)
  }

  func place(_ batch: LineBatch, valid: Range<Int64> = .min ..< .max) throws {
    try placement.place(batch, valid: valid) { [windowLength] time throws(StorageError) in
      if windowLength == 0 { return .min ..< .max }
      let cell = (time >= 0 ? time : time - windowLength + 1) / windowLength
      return cell * windowLength..<(cell + 1) * windowLength
    }
  }

  func write(_ lines: [SentLine], sequence: UInt64) throws {
    names.fill(batch, with: lines)
    try place(batch)
    insert(batch, names: names, sequence: sequence)
  }

  /// Inserts a batch that is placed.
  func insert(_ batch: LineBatch, names: some RowNames, sequence: UInt64) {
    memtable.hold(keyspace, windows: placement.windows, sequence: sequence, parts: &parts)
    inserter.insert(batch, names: names, sequence: sequence, placement: placement, parts: parts)
    for part in parts { part.release() }
  }
}

/// What a run says, in a form that compares.
struct RunContents: Equatable {
  struct Series: Equatable {
    var key: SeriesKey
    var points: [ModelPoint]
  }
  var series: [Series] = []

  /// Reads everything of a run; `nil` for `fields`: all that the measurement has.
  init(
    _ run: any SortedRun, fields wanted: [FieldKey]? = nil, times: Range<Int64> = .min ..< .max,
    descending: Bool = false
  ) throws {
    for measurement in try run.measurements() {
      let fields = try wanted ?? run.fields(of: measurement)
      let reader = run.makeReader(of: measurement, fields: fields)
      let list = try run.series(of: measurement, where: nil)
      for index in 0..<list.count {
        guard let key = SeriesKey(validating: Array(list.keyBytes[list.keyRange(index)])) else { continue }
        let points = try Self.points(
          reader, key: key, ordinal: list.ordinals[index], fields: fields, times: times,
          descending: descending)
        if !points.isEmpty { series.append(Series(key: key, points: points)) }
      }
    }
  }

  private static func points(
    _ reader: any RunReader, key: SeriesKey, ordinal: UInt32, fields: [FieldKey], times: Range<Int64>,
    descending: Bool
  ) throws -> [ModelPoint] {
    var points: [ModelPoint] = []
    var batch = ColumnBatch(fields: fields)
    try reader.begin(ordinal, times: times, descending: descending)
    while let span = try reader.next() {
      try reader.read(into: &batch)
      precondition(span.rowCount == batch.count, "span of \(span.rowCount), batch of \(batch.count)")
      precondition(
        span.firstTimestamp == batch.timestamps.first && span.lastTimestamp == batch.timestamps.last)
      let rows = batch.timestamps.indices.map { row in
        var point = ModelPoint(key: key, timestamp: batch.timestamps[row], fields: [:])
        for column in batch.columns {
          if let value = modelValue(column, row) {
            precondition(
              point.fields.updateValue(value, forKey: String(decoding: column.key.name, as: UTF8.self))
                == nil,
              "two types in one point")
          }
        }
        return point
      }
      for column in batch.columns {
        precondition(column.presentCount == batch.timestamps.indices.count { column.isPresent($0) })
      }
      points = descending ? rows + points : points + rows
    }
    return points
  }
}

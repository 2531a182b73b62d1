import LineProtocol
import Query
import Storage
import TestSupport
import Testing

/// A dull reading of a few statements over points in a list, to compare with.
private struct Model {
  let points: [ModelPoint]
  let times: Range<Int64>

  /// Points in the range, the later of two at one place and time joined over the earlier, by group and bucket.
  func cells(by tag: String?, interval: Int64, where keep: (ModelPoint) -> Bool) -> [String: [Int64:
    [ModelPoint]]]
  {
    var joined: [String: ModelPoint] = [:]
    for point in points {
      let place = "\(point.key.bytes) \(point.timestamp)"
      if joined[place] == nil {
        joined[place] = point
      } else {
        joined[place]?.fields.merge(point.fields) { $1 }
      }
    }
    var cells: [String: [Int64: [ModelPoint]]] = [:]
    for point in joined.values where times.contains(point.timestamp) && keep(point) {
      let group = tag.map { String(decoding: point.key.value(of: Array($0.utf8)) ?? [], as: UTF8.self) } ?? ""
      cells[group, default: [:]][point.timestamp / interval * interval, default: []].append(point)
    }
    return cells
  }
}

/// InfluxDB's merge of series, step by step as Go's `container/heap` writes it.
private struct GoHeap {
  var items: [ArraySlice<ModelPoint>]
  let isDescending: Bool
  /// Whether points of one time are ordered by their host.
  let isByHost: Bool

  init(_ series: [[ModelPoint]], isDescending: Bool, isByHost: Bool) {
    self.isDescending = isDescending
    self.isByHost = isByHost
    items = series.map { $0[...] }
    for index in (0..<items.count / 2).reversed() { down(index, items.count) }
  }

  func less(_ a: Int, _ b: Int) -> Bool {
    guard let x = items[a].first, let y = items[b].first else { return false }
    if x.timestamp == y.timestamp, isByHost {
      let (first, second) = isDescending ? (y.host, x.host) : (x.host, y.host)
      return first < second
    }
    return isDescending ? x.timestamp > y.timestamp : x.timestamp < y.timestamp
  }

  mutating func down(_ start: Int, _ n: Int) {
    var (i, j) = (start, 2 * start + 1)
    while j < n {
      if j + 1 < n, less(j + 1, j) { j += 1 }
      if !less(j, i) { break }
      items.swapAt(i, j)
      (i, j) = (j, 2 * j + 1)
    }
  }

  mutating func pop() -> ModelPoint? {
    guard !items.isEmpty else { return nil }
    items.swapAt(0, items.count - 1)
    down(0, items.count - 1)
    var item = items.removeLast()
    let point = item.popFirst()
    guard !item.isEmpty else { return point }
    items.append(item)
    var j = items.count - 1
    while j > 0, less(j, (j - 1) / 2) {
      items.swapAt(j, (j - 1) / 2)
      j = (j - 1) / 2
    }
    return point
  }
}

extension ModelPoint {
  /// The tags as text, by which InfluxDB orders series.
  fileprivate var text: String {
    key.parts.tags.map { ",\(String(decoding: $0.key, as: UTF8.self))=\(String(decoding: $0.value, as: UTF8.self))" }
      .joined()
  }

  fileprivate var host: String { String(decoding: key.value(of: Array("host".utf8)) ?? [], as: UTF8.self) }
}

@Suite("Selects against a model", .tags(.property))
struct SelectModelTests {
  private static let hosts = ["a", "b", "c", "d"]

  private static func points(_ generator: inout SplitMix64) -> [ModelPoint] {
    (0..<Int.random(in: 1...300, using: &generator)).map { _ in
      var tags = [
        (key: Array("host".utf8), value: Array((hosts.randomElement(using: &generator) ?? "a").utf8))
      ]
      if Bool.random(using: &generator) {
        tags.append(
          (key: Array("cage".utf8), value: Array("r\(Int.random(in: 0...2, using: &generator))".utf8)))
      }
      var fields: [String: ModelValue] = [:]
      if Int.random(in: 0...3, using: &generator) > 0 {
        fields["i"] = .integer(Int64.random(in: -50...50, using: &generator))
      }
      if Int.random(in: 0...3, using: &generator) > 0 {
        fields["f"] = .float(Double(Int.random(in: -400...400, using: &generator)) / 8)
      }
      if fields.isEmpty { fields["b"] = .boolean(true) }
      return ModelPoint(
        key: SeriesKey(measurement: Array("m".utf8), tags: tags),
        timestamp: Int64.random(in: 0..<1000, using: &generator),
        fields: fields)
    }
  }

  /// The same points as runs of several shapes.
  private static func snapshot(
    _ points: [ModelPoint], windowLength: Int64, _ generator: inout SplitMix64
  ) -> Snapshot {
    var batches: [[ModelPoint]] = [[]]
    for point in points {
      if Int.random(in: 0...40, using: &generator) == 0 { batches.append([]) }
      batches[batches.count - 1].append(point)
    }
    return Snapshot.ofPoints(
      batches, windowLength: windowLength, groupRowCount: Int.random(in: 1...16, using: &generator))
  }

  private static func windowLength(_ generator: inout SplitMix64) -> Int64 {
    [100, 250, 2000].randomElement(using: &generator) ?? 100
  }

  /// Points in the order of an answer: window after window, in each the series merged as InfluxDB does.
  private static func merged(
    _ points: [ModelPoint], windowLength: Int64, isDescending: Bool, isByHost: Bool
  ) -> [ModelPoint] {
    let windows = Dictionary(grouping: points) { $0.timestamp / windowLength }.sorted { $0.key < $1.key }.map(\.value)
    return (isDescending ? windows.reversed() : windows).flatMap { points in
      var series = Dictionary(grouping: points, by: \.text).sorted { $0.key < $1.key }.map { _, points in
        points.sorted { isDescending ? $0.timestamp > $1.timestamp : $0.timestamp < $1.timestamp }
      }
      if isDescending { series.reverse() }
      var heap = GoHeap(series, isDescending: isDescending, isByHost: isByHost)
      return points.compactMap { _ in heap.pop() }
    }
  }

  private static func rows(_ text: String, _ snapshot: Snapshot) throws -> [ResultSeries] {
    var answer: [ResultSeries] = []
    var failure: String?
    try QueryEngine(catalog: FakeCatalog("d", snapshot)).run(
      QueryRequest(text: text, database: "d", now: 5000)
    ) {
      answer += $0.series
      failure = $0.error
    }
    #expect(failure == nil, "\(text)")
    return answer
  }

  private static func number(_ value: ModelValue) -> Double {
    switch value {
    case .float(let value): value
    case .integer(let value): Double(value)
    default: .nan
    }
  }

  @Test("aggregates by bucket and tag are those of the points", arguments: 0..<60)
  func aggregates(seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let points = Self.points(&generator)
    let snapshot = Self.snapshot(points, windowLength: Self.windowLength(&generator), &generator)
    let start = Int64.random(in: 0..<500, using: &generator)
    let times = start..<start + Int64.random(in: 1..<600, using: &generator)
    let interval = [7, 50, 300].randomElement(using: &generator) ?? 50
    let field = Bool.random(using: &generator) ? "i" : "f"
    let bound = Int64.random(in: -60...40, using: &generator)
    let tag: String? = Bool.random(using: &generator) ? "host" : nil
    let text =
      "SELECT count(\(field)), sum(\(field)), min(\(field)), max(\(field)), mean(\(field)), median(\(field)) FROM m "
      + "WHERE time >= \(times.lowerBound) AND time < \(times.upperBound) AND i > \(bound) AND host != 'b' "
      + "GROUP BY time(\(interval)ns)\(tag.map { ", \($0)" } ?? "") fill(none)"
    let model = Model(points: points, times: times).cells(by: tag, interval: Int64(interval)) { point in
      guard case .integer(let value) = point.fields["i"], value > bound, point.fields[field] != nil else {
        return false
      }
      return point.key.value(of: Array("host".utf8))?.elementsEqual("b".utf8) != true
    }
    let answer = try Self.rows(text, snapshot)
    #expect(answer.map { $0.tags.first?.value ?? "" } == model.keys.sorted(), "seed \(seed): \(text)")
    for series in answer {
      let buckets = model[series.tags.first?.value ?? ""] ?? [:]
      #expect(series.timestamps == buckets.keys.sorted(), "seed \(seed): \(text)")
      for (row, time) in (series.timestamps ?? []).enumerated() {
        let values = (buckets[time] ?? []).compactMap { $0.fields[field].map(Self.number) }.sorted()
        guard let first = values.first, let last = values.last else { continue }
        let middle = values.count / 2
        let median = values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
        let sum = values.reduce(0, +)
        let wanted = [Double(values.count), sum, first, last, sum / Double(values.count), median]
        let found = series.columns.map { modelValue($0, row).map(Self.number) ?? .nan }
        let isSame = zip(wanted, found).allSatisfy { abs($0 - $1) <= 1e-9 * max(1, abs($0)) }
        if !isSame { Issue.record("seed \(seed), bucket \(time): \(found), not \(wanted): \(text)") }
      }
    }
  }

  @Test("raw rows come in order of time, joined and filtered, as many as asked", arguments: 0..<60)
  func rawRows(seed: UInt64) throws {
    var generator = SplitMix64(seed: 1000 + seed)
    let points = Self.points(&generator)
    let windowLength = Self.windowLength(&generator)
    let snapshot = Self.snapshot(points, windowLength: windowLength, &generator)
    let isDescending = Bool.random(using: &generator)
    let limit = [0, 1, 5, 50].randomElement(using: &generator) ?? 0
    let offset = limit == 0 ? 0 : Int.random(in: 0...4, using: &generator)
    let tag: String? = Bool.random(using: &generator) ? "host" : nil
    // Names in order are `host, i`, and `f, i`: InfluxDB orders equal times by strings that come first.
    let isByHost = Bool.random(using: &generator)
    let text =
      "SELECT i, \(isByHost ? "host" : "f") FROM m WHERE f < 20 OR host = 'a'\(tag.map { " GROUP BY \($0)" } ?? "")"
      + (isDescending ? " ORDER BY time DESC" : "") + (limit > 0 ? " LIMIT \(limit) OFFSET \(offset)" : "")
    let cells = Model(points: points, times: .min ..< .max).cells(by: tag, interval: 1) { point in
      guard point.fields["i"] != nil || !isByHost && point.fields["f"] != nil else { return false }
      if point.key.value(of: Array("host".utf8))?.elementsEqual("a".utf8) == true { return true }
      if case .float(let value) = point.fields["f"] { return value < 20 }
      return false
    }
    let answer = try Self.rows(text, snapshot)
    for (group, buckets) in cells {
      let rows = Self.merged(
        buckets.values.flatMap { $0 }, windowLength: windowLength, isDescending: isDescending, isByHost: isByHost)
      let wanted = rows.dropFirst(offset).prefix(limit == 0 ? rows.count : limit)
      let series = answer.first { ($0.tags.first?.value ?? "") == group }
      #expect(series?.rowCount ?? 0 == wanted.count, "seed \(seed): \(text)")
      guard let series, series.rowCount == wanted.count else { continue }
      for (row, point) in wanted.enumerated() {
        let found = [
          series.timestamps?[row] == point.timestamp, modelValue(series.columns[0], row) == point.fields["i"],
          modelValue(series.columns[1], row) == (isByHost ? .string(point.host) : point.fields["f"]),
        ]
        if found.contains(false) { Issue.record("seed \(seed), row \(row), not \(point): \(text)") }
      }
    }
  }
}

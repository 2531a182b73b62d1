import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Bucket accumulators")
struct BucketAccumulatorsTests {
  static let all: Aggregates = [.sum, .minimum, .maximum, .first, .last, .extremeTimes]

  @Test("batches cut anywhere give what plain loops give", arguments: 0..<120 as Range<UInt64>)
  func model(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let type = FieldType.allCases[Int(seed % 5)]
    let count = Int.random(in: 1...400, using: &random)
    let bucketing =
      Bool.random(using: &random)
      ? .single
      : Bucketing(
        start: Int64.random(in: -60...20, using: &random), width: Int64.random(in: 1...90, using: &random),
        count: Int.random(in: 1...20, using: &random))
    var rows: [Row] = []
    var parts = [BucketAccumulators(Self.all, type: type, bucketing: bucketing)]
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let series = randomRows(&random, type, count)
      rows += series.filter { $0.isSelected && $0.value != nil }
      var start = 0
      while start < series.count {
        let end = min(series.count, start + Int.random(in: 1...150, using: &random))
        let (batch, selection) = makeBatch(series[start..<end], type, &random)
        if Bool.random(using: &random) {
          parts.append(BucketAccumulators(Self.all, type: type, bucketing: bucketing))
        }
        parts[parts.count - 1].add(batch, column: 0, selection: selection)
        start = end
      }
    }
    var joined = parts[0]
    for part in parts.dropFirst() { joined.merge(part) }
    let faults = (0..<bucketing.count).filter { bucket in
      let held = rows.filter { bucketing.width == 0 || bucketing.index(of: $0.time) == bucket }
      return !agrees(joined, bucket, held)
    }
    #expect(faults.isEmpty, "seed \(seed), \(type)")
  }

  @Test("statistics add what their rows add", arguments: [FieldType.float, .integer, .unsigned, .boolean])
  func statistics(type: FieldType) {
    var random = SplitMix64(seed: UInt64(type.rawValue))
    let rows = randomRows(&random, type, 100).filter { $0.value != nil }
    let wanted: Aggregates = [.sum, .minimum, .maximum, .first, .last]
    var known = BucketAccumulators(wanted, type: type, bucketing: .single)
    let values = rows.compactMap { row in row.value.map { (timestamp: row.time, value: $0) } }
    let isTaken = known.add(modelStatistics(values), bucket: 0)
    #expect(isTaken)
    var read = BucketAccumulators(wanted, type: type, bucketing: .single)
    var batch = ColumnBatch(fields: [FieldKey(name: Array("x".utf8), type: type)])
    batch.timestamps = rows.map(\.time)
    batch.columns[0] = modelColumn(batch.columns[0].key, rows.map(\.value))
    read.add(batch, column: 0)
    #expect(known.counts == read.counts && known.sum(0) == read.sum(0))
    #expect(known.first(0) == read.first(0) && known.last(0) == read.last(0))
    #expect(known.minimum(0).word == read.minimum(0).word && known.maximum(0).word == read.maximum(0).word)
  }

  @Test("statistics do not answer for times of extremes")
  func statisticsRefuse() {
    var accumulators = BucketAccumulators([.minimum, .extremeTimes], type: .float, bucketing: .single)
    let isTaken = accumulators.add(modelStatistics([(timestamp: 1, value: .float(2))]), bucket: 0)
    #expect(!isTaken)
    #expect(accumulators.counts == [0])
  }

  @Test("a float's sum is rounded once, however it is cut", arguments: 0..<20 as Range<UInt64>)
  func roundsOnce(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    // Numbers of 53 bits over 2⁴⁰: their exact sum fits in 128 bits.
    let parts = (0..<5_000).map { _ in
      Int64.random(in: -(1 << 52)...(1 << 52), using: &random) >> Int64.random(in: 0...40, using: &random)
    }
    let exact = Double(parts.reduce(Int128(0)) { $0 + Int128($1) }) / 0x1p40
    var batch = ColumnBatch(fields: [FieldKey(name: [120], type: .float)])
    batch.timestamps = parts.indices.map { Int64($0) }
    batch.columns[0] = modelColumn(batch.columns[0].key, parts.map { .float(Double($0) / 0x1p40) })
    for width in [1, 7, 1_000, 5_000] {
      let bucketing = Bucketing(start: 0, width: Int64(width), count: (5_000 + width - 1) / width)
      var accumulators = BucketAccumulators([.sum], type: .float, bucketing: bucketing)
      accumulators.add(batch, column: 0)
      var total = CompensatedSum()
      for bucket in 0..<bucketing.count { total.add(accumulators.floatSum(bucket)) }
      #expect(abs(total.value - exact) <= exact.ulp, "seed \(seed), width \(width)")
    }
  }

  @Test("integers at the ends of their range are summed exactly; zeros and NaN have their order")
  func edges() {
    var integers = BucketAccumulators([.sum, .minimum, .maximum], type: .integer, bucketing: .single)
    integers.add(batch(.integer, Array(repeating: .integer(.min), count: 40) + [.integer(.max)]), column: 0)
    #expect(integers.integerSum(0) == 40 * Int128(Int64.min) + Int128(Int64.max))
    var unsigned = BucketAccumulators([.sum], type: .unsigned, bucketing: .single)
    unsigned.add(batch(.unsigned, Array(repeating: .unsigned(.max), count: 33)), column: 0)
    #expect(unsigned.integerSum(0) == 33 * Int128(UInt64.max))
    var floats = BucketAccumulators([.minimum, .maximum], type: .float, bucketing: .single)
    floats.add(batch(.float, (0..<40).map { .float($0 == 20 ? -0.0 : $0 == 3 ? .nan : 0) }), column: 0)
    #expect(floats.minimum(0).word == (-0.0).bitPattern && floats.maximum(0).word == (0.0).bitPattern)
    var none = BucketAccumulators([.minimum, .maximum], type: .float, bucketing: .single)
    none.add(batch(.float, Array(repeating: .float(.nan), count: 20)), column: 0)
    #expect(Double(bitPattern: none.minimum(0).word).isNaN)
    none.add(batch(.float, [.float(.infinity)]), column: 0)
    #expect(none.minimum(0).word == Double.infinity.bitPattern)
    var sum = BucketAccumulators([.sum], type: .float, bucketing: .single)
    sum.add(batch(.float, Array(repeating: .float(.infinity), count: 20)), column: 0)
    #expect(sum.sum(0) == .infinity)
  }

  @Test("buckets at the ends of time do not overflow")
  func timeEdges() {
    let hour: Int64 = 3_600_000_000_000
    let bucketing = Bucketing(start: .max - hour + 1, width: hour, count: 2)
    #expect(bucketing.end(of: 0) == .max && bucketing.end(of: 1) == .max)
    #expect(bucketing.index(of: .max - 1) == 0 && bucketing.index(of: .min) == -1)
    #expect(Bucketing(start: .min, width: 1, count: 1).index(of: .max) == .max)
    #expect(Bucketing(start: 0, width: 10, count: 3).index(ofAll: 10...19) == 1)
    #expect(Bucketing(start: 0, width: 10, count: 3).index(ofAll: 10...20) == nil)
    #expect(Bucketing(start: 0, width: 10, count: 3).index(ofAll: 30...31) == nil)
  }

  // MARK: The model

  struct Row {
    var time: Int64
    var value: ModelValue?
    var isSelected: Bool
  }

  private func batch(_ type: FieldType, _ values: [ModelValue]) -> ColumnBatch {
    var batch = ColumnBatch(fields: [FieldKey(name: [120], type: type)])
    batch.timestamps = values.indices.map { Int64($0) }
    batch.columns[0] = modelColumn(batch.columns[0].key, values)
    return batch
  }

  private func randomRows(_ random: inout SplitMix64, _ type: FieldType, _ count: Int) -> [Row] {
    let (absent, unselected) = ([0, 0, 3].randomElement(using: &random) ?? 0, Bool.random(using: &random))
    var time = Int64.random(in: -100...0, using: &random)
    return (0..<count).map { _ in
      time += Int64.random(in: 1...5, using: &random)
      let isAbsent = absent > 0 && Int.random(in: 0..<absent, using: &random) == 0
      let number = Int.random(in: -20...20, using: &random)
      let value: ModelValue =
        switch type {
        case .float: .float(Double(number) / 8)
        case .integer: .integer(Int64(number))
        case .unsigned: .unsigned(UInt64(number + 20))
        case .boolean: .boolean(number > 0)
        case .string: .string("s\(number)")
        }
      return Row(
        time: time, value: isAbsent ? nil : value,
        isSelected: !unselected || Int.random(in: 0..<4, using: &random) > 0)
    }
  }

  private func makeBatch(
    _ rows: ArraySlice<Row>, _ type: FieldType, _ random: inout SplitMix64
  ) -> (ColumnBatch, [UInt64]?) {
    var batch = ColumnBatch(fields: [FieldKey(name: [120], type: type)])
    batch.timestamps = rows.map(\.time)
    batch.columns[0] = modelColumn(batch.columns[0].key, rows.map(\.value))
    guard rows.contains(where: { !$0.isSelected }) else { return (batch, nil) }
    var selection = [UInt64](repeating: 0, count: (rows.count + 63) / 64)
    for (index, row) in rows.enumerated() where row.isSelected {
      selection[index >> 6] |= 1 << UInt64(index & 63)
    }
    return (batch, selection)
  }

  private func agrees(_ found: BucketAccumulators, _ bucket: Int, _ rows: [Row]) -> Bool {
    guard found.counts[bucket] == rows.count else { return false }
    let held = rows.compactMap { row in row.value.map { (time: row.time, value: $0) } }
    guard let firstTime = held.map(\.time).min(), let lastTime = held.map(\.time).max() else { return true }
    if found.type == .string {
      let first = held.filter { $0.time == firstTime }.map { text($0.value) }.max()
      let last = held.filter { $0.time == lastTime }.map { text($0.value) }.max()
      return String(decoding: found.firstString(bucket), as: UTF8.self) == first
        && String(decoding: found.lastString(bucket), as: UTF8.self) == last
    }
    // All test values are exact in a double, so numbers stand for all types.
    let numbers = held.map { (time: $0.time, number: number($0.value)) }
    let sum = numbers.reduce(0) { $0 + $1.number }
    guard let low = numbers.map(\.number).min(), let high = numbers.map(\.number).max() else { return false }
    let first = numbers.filter { $0.time == firstTime }.map(\.number).max()
    let last = numbers.filter { $0.time == lastTime }.map(\.number).max()
    return found.sum(bucket) == sum && found.mean(bucket) == sum / Double(held.count)
      && read(found.type, found.minimum(bucket)) == low && read(found.type, found.maximum(bucket)) == high
      && found.minimum(bucket).timestamp == numbers.filter { $0.number == low }.map(\.time).min()
      && found.maximum(bucket).timestamp == numbers.filter { $0.number == high }.map(\.time).min()
      && read(found.type, found.first(bucket)) == first && found.first(bucket).timestamp == firstTime
      && read(found.type, found.last(bucket)) == last && found.last(bucket).timestamp == lastTime
  }

  private func number(_ value: ModelValue) -> Double {
    read(value.type, TimedWord(timestamp: 0, word: value.word))
  }

  private func read(_ type: FieldType, _ value: TimedWord) -> Double {
    switch type {
    case .float: Double(bitPattern: value.word)
    case .integer: Double(Int64(bitPattern: value.word))
    default: Double(value.word)
    }
  }

  private func text(_ value: ModelValue) -> String {
    if case .string(let text) = value { text } else { "" }
  }
}

import LineProtocol
import Storage
import TestSupport
import Testing

/// The devops workload's columns: 10 tags, 10 integers that walk between 0 and 100, a row every 10 s.
private struct Devops {
  let hostCount: Int
  let rowCount: Int
  let fields = (0..<10).map { FieldKey(name: Array("usage_\($0)".utf8), type: .integer) }
  let times: [Int64]

  init(hostCount: Int, rowCount: Int) {
    self.hostCount = hostCount
    self.rowCount = rowCount
    times = (0..<rowCount).map { Int64($0) * 10_000_000_000 }
  }

  func key(_ host: Int) -> SeriesKey {
    let tags = (0..<9).map { (key: Array("tag_\($0)".utf8), value: Array("value-\(host % ($0 + 2))".utf8)) }
    return SeriesKey(
      measurement: Array("cpu".utf8),
      tags: tags + [(key: Array("hostname".utf8), value: Array("host_\(host)".utf8))])
  }

  func batch(_ host: Int) -> ColumnBatch {
    var random = SplitMix64(seed: UInt64(host))
    var batch = ColumnBatch(fields: fields)
    batch.timestamps = times
    for column in batch.columns.indices {
      var value = Double(random.next() % 101)
      batch.columns[column].values = times.map { _ in
        // Twelve uniforms make a step that is nearly normal, of deviation 1.
        let step = (0..<4).reduce(-6.0) { sum, _ in
          let bits = random.next()
          return sum + Double(bits & 0x1f_ffff) / 2_097_152 + Double(bits >> 21 & 0x1f_ffff) / 2_097_152
            + Double(bits >> 42 & 0x1f_ffff) / 2_097_152
        }
        value = min(100, max(0, value + step))
        return UInt64(value)
      }
      batch.columns[column].presentCount = rowCount
    }
    return batch
  }

  var series: [(key: SeriesKey, batch: ColumnBatch)] {
    (0..<hostCount).map { (key($0), batch($0)) }.sorted { $0.key < $1.key }
  }

  static var identity: TableIdentity {
    TableIdentity(
      number: 1, keyspace: KeyspaceID(1), database: "d", policy: "p", window: Int64(0)..<86_400_000_000_000,
      sequenceRange: 1...1, horizon: .min)
  }
}

@Suite("Table: size and speed")
struct TableSizeTests {
  @Test("ten walking integers a row take at most 0.45 bytes a value, all told")
  func size() throws { try measure(hostCount: 4) }

  @Test("the same for a day of 100 hosts", .tags(.slow), .enabled(if: runsSlowTests))
  func sizeOfDay() throws { try measure(hostCount: 100) }

  @Test("the same for an hour of 4,000 hosts", .tags(.slow), .enabled(if: runsSlowTests))
  func sizeOfHour() throws { try measure(hostCount: 4_000, rowCount: 360) }

  private func measure(hostCount: Int, rowCount: Int = 8_640) throws {
    let devops = Devops(hostCount: hostCount, rowCount: rowCount)
    let series = devops.series
    let clock = ContinuousClock()
    let file = try MemoryFileSystem().create("size.sst")
    var state: TableState?
    let writing = try clock.measure {
      let writer = try TableWriter(file: file, identity: Devops.identity)
      for one in series {
        try writer.beginSeries(one.key)
        try writer.append(one.batch)
      }
      state = try writer.finish()
    }
    let table = try Table.open(
      file: file, state: try #require(state), cache: BlockCache(byteCountMax: 64 << 20))
    let valueCount = hostCount * rowCount * 10
    let bytes = Double(table.state.byteCount) / Double(valueCount)
    var sum: UInt64 = 0
    let reading = try clock.measure {
      let reader = table.makeReader(of: Array("cpu".utf8), fields: devops.fields)
      var batch = ColumnBatch(fields: devops.fields)
      for ordinal in 0..<UInt32(hostCount) {
        try reader.begin(ordinal, times: Int64.min..<Int64.max, descending: false)
        while try reader.next() != nil {
          try reader.read(into: &batch)
          for column in batch.columns { sum &+= column.values.last ?? 0 }
        }
      }
    }
    let lasts = series.flatMap { $0.batch.columns.map { $0.values.last ?? 0 } }
    let expected = lasts.reduce(UInt64(0)) { $0 &+ $1 }
    #expect(sum == expected)
    #expect(bytes <= 0.45, "\(bytes) bytes a value")
    let rows = Double(hostCount * rowCount)
    print(
      "table of \(hostCount) hosts: \(bytes) bytes a value; written in \(writing / rows) a row, read in \(reading / rows)"
    )
  }

  @Test("tens of thousands of series of two points are listed and read quickly")
  func manyShortSeries() throws {
    let count = runsSlowTests ? 87_000 : 5_000
    let field = FieldKey(name: Array("v".utf8), type: .float)
    var batch = ColumnBatch(fields: [field])
    batch.timestamps = [10, 20]
    batch.columns[0].values = [(1.5 as Double).bitPattern, (2.5 as Double).bitPattern]
    batch.columns[0].presentCount = 2
    let keys = (0..<count).map { index in
      SeriesKey(
        measurement: Array("w".utf8),
        tags: [
          (Array("location".utf8), Array("us-\(index)".utf8)),
          (Array("sensor".utf8), Array("s\(index % 9)".utf8)),
        ])
    }.sorted()
    let file = try MemoryFileSystem().create("short.sst")
    let clock = ContinuousClock()
    var state: TableState?
    let writing = try clock.measure {
      let writer = try TableWriter(file: file, identity: Devops.identity)
      for key in keys {
        try writer.beginSeries(key)
        try writer.append(batch)
      }
      state = try writer.finish()
    }
    let table = try Table.open(
      file: file, state: try #require(state), cache: BlockCache(byteCountMax: 64 << 20))
    var list = SeriesList()
    let listing = try clock.measure { list = try table.series(of: Array("w".utf8), where: nil) }
    var (rowCount, sum) = (0, 0.0)
    let reading = try clock.measure {
      let reader = table.makeReader(of: Array("w".utf8), fields: [field])
      for ordinal in list.ordinals {
        try reader.begin(ordinal, times: 0..<100, descending: false)
        while try reader.next() != nil {
          try reader.read(into: &batch)
          rowCount += batch.count
          for value in batch.columns[0].values { sum += Double(bitPattern: value) }
        }
      }
    }
    #expect(list.count == count && rowCount == 2 * count && sum == 4 * Double(count))
    // A row group is read once, and the index and the dictionary beside it: not a block a series.
    #expect(table.blocksRead < 200)
    print(
      "\(count) series of 2 points: written in \(writing), listed in \(listing), read in \(reading), \(table.state.byteCount) bytes"
    )
  }
}

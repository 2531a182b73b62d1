import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: damage")
struct TableDamageTests {
  private static let model = MemoryRun(
    modelPoints(
      """
      cpu,host=a,zone=x user=1.5,idle=7i 100
      cpu,host=a,zone=x user=2.5,text="one" 110
      cpu,host=b up=true,user=3i 100
      mem,host=a used=77u 105
      """), sequence: 7...9)

  private static func bytes(_ model: MemoryRun) throws -> [UInt8] {
    let file = try MemoryFileSystem().create("table.sst")
    _ = try TableSamples.write(model, to: file)
    return try file.bytes()
  }

  private static func open(_ bytes: [UInt8]) throws -> Table {
    let file = try MemoryFileSystem().create("table.sst")
    try file.write(bytes, at: 0)
    return try Table.open(file: file, number: 42, cache: BlockCache(byteCountMax: 1 << 20))
  }

  /// Every row of a table as text.
  private static func rows(_ table: Table) throws -> [ModelPoint] {
    var points: [ModelPoint] = []
    for measurement in try table.measurements() {
      let fields = try table.fields(of: measurement)
      let list = try table.series(of: measurement, where: nil)
      let reader = table.makeReader(of: measurement, fields: fields)
      for index in 0..<list.count {
        guard let key = SeriesKey(validating: Array(list.keyBytes[list.keyRange(index)])) else { continue }
        points += try readPoints(
          reader, list.ordinals[index], key: key, fields: fields, times: Int64.min..<Int64.max)
      }
    }
    return points
  }

  @Test("every flipped bit is found by verify, and reading gives the truth or an error, never other rows")
  func bitFlips() throws {
    let good = try Self.bytes(Self.model)
    let truth = try Self.rows(Self.open(good))
    try Self.open(good).verify()
    #expect(truth == Self.model.series.flatMap(\.points))
    var (unseen, wrong, unnamed) = (0, 0, 0)
    // Every eleventh meets every place of a bit in a byte; `--all` takes each.
    for bit in stride(from: 0, to: good.count * 8, by: runsSlowTests ? 1 : 11) {
      var bad = good
      bad[bit >> 3] ^= 1 << UInt8(bit & 7)
      do {
        let table = try Self.open(bad)
        if let found = try? Self.rows(table), found != truth { wrong += 1 }
        try table.verify()
        unseen += 1
      } catch {
        let found = error as? StorageError
        let isNamed = found?.code == .corrupt || found?.code == .unsupportedVersion
        if !isNamed || found?.file != "table.sst" { unnamed += 1 }
      }
    }
    #expect(
      unseen == 0 && wrong == 0 && unnamed == 0, "\(unseen) unseen, \(wrong) wrong, \(unnamed) without a name"
    )
  }

  @Test("every truncation and every byte too many is refused")
  func truncations() throws {
    let good = try Self.bytes(Self.model)
    var taken = 0
    for count in 0..<good.count {
      do {
        _ = try Self.open(Array(good[..<count]))
        taken += 1
      } catch {
        if (error as? StorageError)?.code != .corrupt { taken += 1 }
      }
    }
    #expect(taken == 0)
    #expect(throws: StorageError.self) { try Self.open(good + [0]) }
    #expect(throws: StorageError.self) { try Self.open([0] + good) }
    #expect(try Self.rows(Self.open(good)).count == 4)
  }

  @Test(
    "bytes that pass for a file but say nonsense are refused without a trap: any byte changed and its checksum mended"
  )
  func mended() throws {
    // Snappy is off for blocks this small: a block is payload, 1, CRC32C. Change a byte, mend the block's checksum.
    let good = try Self.bytes(Self.model)
    let extents = try Self.blockExtents(Self.open(good))
    var random = SplitMix64(seed: 5)
    var (changed, passed) = (0, 0)
    for extent in extents {
      let values = runsSlowTests ? [0, 1, 0x7f, 0x80, 0xff] : [UInt8(truncatingIfNeeded: random.next())]
      for place in extent.lowerBound..<extent.upperBound - 5 {
        for value in values {
          var bad = good
          bad[place] = value
          let checksum = crc(bad[extent.lowerBound..<extent.upperBound - 4])
          for index in 0..<4 {
            bad[extent.upperBound - 4 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
          }
          // Any answer is fine but a trap.
          guard let table = try? Self.open(bad) else { continue }
          _ = try? Self.rows(table)
          _ = try? table.series(
            of: Array("cpu".utf8), where: .equals(key: Array("host".utf8), value: Array("b".utf8)))
          if bad != good {
            (changed, passed) = (changed + 1, passed + ((try? table.verify()) == nil ? 0 : 1))
          }
        }
      }
    }
    #expect(extents.count > 20)
    // Names, strings, needless filter bits and bytes that an encoding does not use cannot be told from the truth.
    #expect(passed * 4 < changed, "verify passed \(passed) of \(changed)")
  }

  /// From the dump, whose lines begin with offset and length.
  private static func blockExtents(_ table: Table) throws -> [Range<Int>] {
    try dumpTable(table).split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 3, let offset = Int(words[0]), let count = Int(words[1]), words[2] == "none" else {
        return nil
      }
      return offset..<offset + count
    }
  }

  private func crc(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    var state = ~UInt32(0)
    for byte in bytes {
      state ^= UInt32(byte)
      for _ in 0..<8 { state = state >> 1 ^ (state & 1 == 1 ? 0x82f6_3b78 : 0) }
    }
    return ~state
  }

  @Test("a newer format version is refused by that name")
  func newer() throws {
    var bytes = try Self.bytes(Self.model)
    let start = bytes.count - 112
    bytes[start + 96] = 2
    let checksum = crc(bytes[start..<start + 108])
    for index in 0..<4 {
      bytes[start + 108 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(8 * index))
    }
    let expected = StorageError(
      .unsupportedVersion, file: "table.sst", offset: UInt64(start + 96),
      "table of format version 2; this Varve reads 1 to 1")
    #expect(throws: expected) { try Self.open(bytes) }
  }

  @Test("a table that the manifest describes otherwise is refused")
  func otherState() throws {
    let file = try MemoryFileSystem().create("table.sst")
    var state = try TableSamples.write(Self.model, to: file)
    state.rowCount += 1
    #expect(throws: StorageError.self) {
      try Table.open(file: file, state: state, cache: BlockCache(byteCountMax: 0))
    }
  }

  @Test("a writer refuses series and rows out of order, rows outside of its window, a table without rows")
  func misuse() throws {
    let fields = [FieldKey(name: Array("v".utf8), type: .integer)]
    func writer() throws -> TableWriter {
      try TableWriter(file: try MemoryFileSystem().create("t"), identity: TableSamples.identity())
    }
    func key(_ name: String) -> SeriesKey { SeriesKey(measurement: Array(name.utf8), tags: []) }
    func rows(_ times: [Int64]) -> ColumnBatch {
      TableSamples.batch(
        times.map { ModelPoint(key: key("b"), timestamp: $0, fields: ["v": .integer(1)]) }, fields: fields)
    }
    #expect(throws: StorageError.self) { try writer().finish() }
    #expect(throws: StorageError.self) { try writer().append(rows([1])) }
    let late = try writer()
    try late.beginSeries(key("b"))
    try late.append(rows([1, 2]))
    #expect(throws: StorageError.self) { try late.append(rows([2])) }
    let unsorted = try writer()
    try unsorted.beginSeries(key("b"))
    #expect(throws: StorageError.self) { try unsorted.append(rows([3, 2])) }
    #expect(throws: StorageError.self) { try unsorted.append(rows([TableSamples.window.upperBound])) }
    try unsorted.append(rows([3]))
    #expect(throws: StorageError.self) { try unsorted.beginSeries(key("a")) }
  }
}

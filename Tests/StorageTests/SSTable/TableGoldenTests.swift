import FoundationEssentials
import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: golden file of format version 1")
struct TableGoldenTests {
  private static let folder = packageRoot + "/Fixtures/format-1"

  /// A long series of a few types with gaps, short series with sparse tags, a field of two types, a second measurement.
  private static var model: MemoryRun {
    var lines = (0..<1_100).map { row in
      let time = 1_600_000_000_000_000_000 + row * 10_000_000_000
      let extra = row % 100 == 7 ? ",note=\"row-\(row)\",up=true" : ""
      return "cpu,host=a,zone=eu usage=\(row * 7 % 101)i,load=\(row / 4).25\(extra) \(time)"
    }
    lines += [
      "cpu,host=b usage=5i,load=1.5 1600000000000000000", "cpu,host=b usage=6i 1600000010000000000",
      "cpu,host=b,zone=us usage=0.5,total=18446744073709551615u 1600000000000000000",
      "cpu,zone=us usage=3i 1600000005000000000", "mem,host=a free=-1i 1600000000000000000",
    ]
    return MemoryRun(lines.joined(separator: "\n"), sequence: 7)
  }

  private static func bytes() throws -> [UInt8] {
    let file = try MemoryFileSystem().create("table.sst")
    let identity = TableIdentity(
      number: 42, keyspace: KeyspaceID(3), database: "metrics", policy: "autogen",
      window: 1_599_955_200_000_000_000..<1_600_041_600_000_000_000, sequenceRange: 7...9, horizon: .min)
    let writer = try TableWriter(file: file, identity: identity)
    for series in model.series {
      try writer.beginSeries(series.key)
      let fields = try model.fields(of: Array(series.key.measurement))
      try writer.append(TableSamples.batch(series.points, fields: fields))
    }
    _ = try writer.finish()
    return try file.bytes()
  }

  private static func table(_ bytes: [UInt8]) throws -> Table {
    let file = try MemoryFileSystem().create("table.sst")
    try file.write(bytes, at: 0)
    return try Table.open(file: file, number: 42, cache: BlockCache(byteCountMax: 1 << 20))
  }

  /// `VARVE_WRITE_FIXTURES=1` writes the files anew, for a reviewed change.
  private static let writes = ProcessInfo.processInfo.environment["VARVE_WRITE_FIXTURES"] == "1"

  @Test("the writer makes the same bytes, and the dump says what they are")
  func golden() throws {
    let bytes = try Self.bytes()
    let dump = try dumpTable(Self.table(bytes), payloadByteCount: 48)
    if Self.writes {
      try FileManager.default.createDirectory(atPath: Self.folder, withIntermediateDirectories: true)
      try Data(bytes).write(to: URL(filePath: Self.folder + "/table.sst"))
      try Data(dump.utf8).write(to: URL(filePath: Self.folder + "/table.sst.txt"))
    }
    let golden = Array(try Data(contentsOf: URL(filePath: Self.folder + "/table.sst")))
    #expect(
      golden == bytes,
      "first difference at byte \(zip(golden, bytes).enumerated().first { $1.0 != $1.1 }?.offset ?? min(golden.count, bytes.count))"
    )
    #expect(try String(contentsOf: URL(filePath: Self.folder + "/table.sst.txt"), encoding: .utf8) == dump)
  }

  @Test(
    "the golden files are read: rows, series, properties; that from before there were ranges too",
    arguments: ["table.sst", "table-without-ranges.sst"])
  func read(name: String) throws {
    let table = try Self.table(Array(try Data(contentsOf: URL(filePath: Self.folder + "/" + name))))
    try table.verify()
    let model = Self.model
    for measurement in try model.measurements() {
      let fields = try model.fields(of: measurement)
      #expect(try table.fields(of: measurement) == fields)
      let (found, expected) = try (
        table.series(of: measurement, where: nil), model.series(of: measurement, where: nil)
      )
      #expect(found.keyBytes == expected.keyBytes)
      let reader = table.makeReader(of: measurement, fields: fields)
      for index in 0..<found.count {
        let series = model.series[Int(expected.ordinals[index])]
        let points = try readPoints(
          reader, found.ordinals[index], key: series.key, fields: fields, times: Int64.min..<Int64.max)
        #expect(points == series.points)
      }
    }
    let properties = try table.properties()
    #expect(properties.database == "metrics" && properties.keyspace == 3 && properties.horizon == .min)
    #expect(properties.rowCount == 1_105 && properties.rowGroupCount == 3 && properties.valueCount == 2_229)
  }

  @Test(
    "names of files",
    arguments: [
      (Int64(1_763_596_800_000_000_000), UInt64(42), "tables/0000003/20251120T000000Z-0000000042.sst"),
      (0, 1, "tables/0000003/19700101T000000Z-0000000001.sst"),
      (-1, 12_345_678_901, "tables/0000003/19691231T235959Z-12345678901.sst"),
      (Int64.min, 1, "tables/0000003/16770921T001243Z-0000000001.sst"),
      (Int64.max, 1, "tables/0000003/22620411T234716Z-0000000001.sst"),
      (951_782_400_000_000_000, 1, "tables/0000003/20000229T000000Z-0000000001.sst"),
    ])
  func fileNames(start: Int64, number: UInt64, name: String) {
    #expect(tableFileName(keyspace: KeyspaceID(3), windowStart: start, number: number) == name)
  }
}

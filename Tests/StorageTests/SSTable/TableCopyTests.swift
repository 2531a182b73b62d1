import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: row groups are copied undecoded")
struct TableCopyTests {
  @Test("a copy has the same rows and statistics, between rows that are written anew")
  func copy() throws {
    let lines = (0..<40_000).map { row in
      row % 5 == 0 ? "m,id=1 v=\(row)i,w=\(row % 7).5 \(row)" : "m,id=1 v=\(row)i \(row)"
    }
    let model = MemoryRun(lines.joined(separator: "\n"), sequence: 1)
    let source = try TableSamples.table(model)
    let fields = try source.fields(of: Array("m".utf8))
    let reader = source.makeStreamingReader(of: Array("m".utf8), fields: fields)
    let file = try MemoryFileSystem().create("copy.sst")
    let writer = try TableWriter(file: file, identity: TableSamples.identity())
    try writer.beginSeries(model.series[0].key)
    // Points before the table's first, as a merge would find them in another run.
    try writer.append(
      TableSamples.batch(
        (-10..<0).map { ModelPoint(key: model.series[0].key, timestamp: $0, fields: ["v": .integer($0)]) },
        fields: fields))
    try reader.begin(0, times: Int64.min..<Int64.max, descending: false)
    var (copied, bytes) = (0, 0)
    var batch = ColumnBatch(fields: fields)
    while let span = try reader.next() {
      let raw = try #require(try reader.rawRowGroup())
      #expect(raw.rowCount == span.rowCount)
      if copied == 1 {
        try reader.read(into: &batch)
        try writer.append(batch)
      } else {
        try writer.copyRowGroup(raw)
        bytes += raw.byteCount
      }
      copied += 1
    }
    #expect(copied == 3 && bytes > 0)
    try writer.beginSeries(SeriesKey(measurement: Array("n".utf8), tags: []))
    try writer.append(
      TableSamples.batch(
        [ModelPoint(key: model.series[0].key, timestamp: 4, fields: ["v": .integer(4)])], fields: fields))
    let table = try Table.open(
      file: file, state: try writer.finish(), cache: BlockCache(byteCountMax: 1 << 20))
    try table.verify()
    let points = try readPoints(
      table.makeReader(of: Array("m".utf8), fields: fields), 0, key: model.series[0].key, fields: fields,
      times: Int64.min..<Int64.max)
    #expect(points.count == 40_010)
    #expect(Array(points.dropFirst(10)) == model.series[0].points)
  }

  @Test("a group that the times cut, or that series share, is not offered")
  func refused() throws {
    let lines = (0..<2_000).map { "m,id=1 v=\($0)i \($0)" } + ["n,id=1 v=1i 1", "n,id=2 v=1i 1"]
    let table = try TableSamples.table(MemoryRun(lines.joined(separator: "\n"), sequence: 1))
    let fields = try table.fields(of: Array("m".utf8))
    let cut = table.makeStreamingReader(of: Array("m".utf8), fields: fields)
    try cut.begin(0, times: 0..<1_999, descending: false)
    _ = try cut.next()
    #expect(try cut.rawRowGroup() == nil)
    let shared = table.makeStreamingReader(of: Array("n".utf8), fields: fields)
    try shared.begin(1, times: 0..<1_999, descending: false)
    _ = try shared.next()
    #expect(try shared.rawRowGroup() == nil)
  }
}

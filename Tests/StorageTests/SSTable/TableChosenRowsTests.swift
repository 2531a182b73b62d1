import LineProtocol
import Storage
import TestSupport
import Testing

@Suite("Table: rows that a condition chooses", .tags(.property))
struct TableChosenRowsTests {
  /// Bits of rows, of which about one in `share` is chosen, in runs of about `length`.
  private static func bits(_ count: Int, share: Int, length: Int, _ random: inout SplitMix64) -> [UInt64] {
    var bits = [UInt64](repeating: 0, count: (count + 63) / 64)
    var row = 0
    while row < count {
      let end = min(count, row + Int.random(in: 1...length, using: &random))
      if share > 0, Int.random(in: 0..<share, using: &random) == 0 {
        for chosen in row..<end { bits[chosen >> 6] |= 1 << UInt64(chosen & 63) }
      }
      row = end
    }
    return bits
  }

  private struct Row: Equatable {
    var time: Int64
    var cells: [[UInt8]?]
  }

  private static func rows(_ batch: ColumnBatch, _ bits: [UInt64]?) -> [Row] {
    func isChosen(_ row: Int) -> Bool { bits.map { $0[row >> 6] >> UInt64(row & 63) & 1 == 1 } ?? true }
    return (0..<batch.count).filter(isChosen).map { row in
      Row(
        time: batch.timestamps[row],
        cells: batch.columns.map { column in
          guard column.isPresent(row) else { return nil }
          return column.key.type == .string ? Array(column.string(row)) : Array("\(column.values[row])".utf8)
        })
    }
  }

  @Test(
    "they are those of the whole stretch, whatever is decoded to decide", arguments: 0..<3 as Range<UInt64>,
    [(share: 0, length: 1), (1, 9), (2, 1), (40, 3), (7, 1_500)])
  func chosen(seed: UInt64, density: (share: Int, length: Int)) throws {
    let model = MemoryRun(TableSamples.points(seed: seed, longRowCount: 5_200), sequence: 1...1)
    let table = try TableSamples.table(model)
    var random = SplitMix64(seed: seed)
    var chosenCount = 0
    for measurement in try model.measurements() {
      let fields = try model.fields(of: measurement) + [FieldKey(name: Array("absent".utf8), type: .float)]
      let (plain, choosing) = (table.makeReader(of: measurement, fields: fields), table.makeReader(of: measurement, fields: fields))
      let list = try table.series(of: measurement, where: nil)
      for index in 0..<list.count {
        let (first, last) = (list.firstTimestamps[index], list.lastTimestamps[index])
        let from = Int64.random(in: first...last, using: &random)
        let times = from..<Int64.random(in: from...last, using: &random) + 1
        for reader in [plain, choosing] { try reader.begin(list.ordinals[index], times: times, descending: false) }
        var (all, some) = (ColumnBatch(fields: fields), ColumnBatch(fields: fields))
        while try plain.next() != nil {
          _ = try choosing.next()
          try plain.read(into: &all)
          let bits = Self.bits(all.count, share: density.share, length: density.length, &random)
          let deciding = fields.map { _ in random.next() % 3 == 0 }
          var isAsked = false
          let isChosen = try choosing.read(into: &some, deciding: deciding) { rows in
            isAsked = rows.timestamps == all.timestamps
            return bits
          }
          let wanted = Self.rows(all, bits)
          if Self.rows(some, isChosen ? nil : bits) != wanted || isChosen != isAsked && all.count > 0 {
            Issue.record("seed \(seed), series \(index), times \(times): rows differ")
            return
          }
          if isChosen { chosenCount += wanted.count }
        }
        #expect(try choosing.next() == nil)
      }
    }
    #expect(density.share == 0 || density.share > 2 || chosenCount > 0)
  }

  @Test("columns of stretches without such a row are not read")
  func spared() throws {
    let points = modelPoints((0..<2_000).map { "m v=\($0)i,w=\($0 % 7)i,s=\"t\($0)\" \($0)" }.joined(separator: "\n"))
    let table = try TableSamples.table(MemoryRun(points, sequence: 1...1))
    let fields = try table.fields(of: Array("m".utf8))
    func bytesRead(_ chosen: UInt64) throws -> UInt64 {
      let reader = table.makeReader(of: Array("m".utf8), fields: fields)
      try reader.begin(0, times: Int64.min..<Int64.max, descending: false)
      _ = try #require(try reader.next())
      var batch = ColumnBatch(fields: fields)
      let deciding = fields.map { $0.name == Array("v".utf8) }
      #expect(try reader.read(into: &batch, deciding: deciding) { Array(repeating: chosen, count: ($0.count + 63) / 64) })
      #expect(batch.count == (chosen == 0 ? 0 : 2_000 / 64 + 1))
      return reader.counts?.bytesRead ?? 0
    }
    #expect(try bytesRead(0) < bytesRead(1))
  }
}

import LineProtocol
import Query
import Storage
import TestSupport
import Testing

@Suite("Rows as text")
struct RowTextTests {
  /// Columns of every type, dense, sparse, and without any value.
  private static func series(rowCount: Int, seed: UInt64) -> ResultSeries {
    var random = SplitMix64(seed: seed)
    let texts = ["", " a", "host_1", "a,b", "\"q\"", "naïve", "<&>", "a longer text of more than sixteen bytes", "\n"]
    func column(_ value: (inout SplitMix64) -> Cell, share: Int) -> Column {
      Column((0..<rowCount).map { _ in random.next() % 8 < UInt64(share) ? value(&random) : .absent })
    }
    let columns = [0, 1, 7, 8].flatMap { share in
      [
        column({ .integer(Int64(bitPattern: $0.next()) >> Int64($0.next() % 64)) }, share: share),
        column({ .unsigned($0.next() >> ($0.next() % 64)) }, share: share),
        column({ .float(Double(Int64(bitPattern: $0.next()) >> Int64($0.next() % 64)) / 1_000) }, share: share),
        column({ .float(Double(bitPattern: $0.next())) }, share: share),
        column({ .boolean($0.next() % 2 == 0) }, share: share),
        column({ .string(texts[Int($0.next() % UInt64(texts.count))]) }, share: share),
      ]
    }
    let times = (0..<rowCount).map { Int64($0 / 3) * 500_000_000 }
    return ResultSeries(
      name: "m", columnNames: ["time"] + columns.indices.map { "c\($0)" }, timestamps: times, columns: columns,
      rowCount: rowCount)
  }

  private static func text(_ format: ResultFormat, _ options: RenderOptions, _ series: ResultSeries) -> [UInt8] {
    var result = StatementResult(statementID: 0)
    result.series = [series]
    var renderer = format.makeRenderer(options)
    var out: [UInt8] = []
    renderer.begin(into: &out)
    renderer.append(result, into: &out)
    renderer.finish(into: &out)
    return out
  }

  /// A value as JSON has it, written by itself.
  private static func json(_ column: Column, _ row: Int) -> [UInt8] {
    var out: [UInt8] = []
    let isNumber = column.key.type != .float || Double(bitPattern: column.isPresent(row) ? column.values[row] : 0).isFinite
    if !column.isPresent(row) || !isNumber { return Array("null".utf8) }
    if column.key.type == .string {
      out.appendJSONString(Array(column.string(row)))
    } else {
      out.appendText(column, row)
    }
    return out
  }

  private static func time(_ nanoseconds: Int64, _ precision: Precision?) -> [UInt8] {
    var out: [UInt8] = []
    if let precision { out.appendEpoch(nanoseconds, unit: precision) } else { out.appendRFC3339(nanoseconds) }
    return precision == nil ? [UInt8(ascii: "\"")] + out + [UInt8(ascii: "\"")] : out
  }

  @Test("rows are their values one by one", arguments: [1, 2, 63, 64, 65, 200], [Precision?.none, .milliseconds])
  func values(rowCount: Int, precision: Precision?) {
    for seed in UInt64(1)...5 {
      let series = Self.series(rowCount: rowCount, seed: seed)
      let times = series.timestamps ?? []
      let rows = (0..<rowCount).map { row in
        [Self.time(times[row], precision)] + series.columns.map { Self.json($0, row) }
      }
      let options = RenderOptions(precision: precision)
      let document = rows.map { [0x5b] + $0.joined(separator: [0x2c]) + [0x5d] }.joined(separator: [0x2c])
      let whole = String(decoding: Self.text(.json, options, series), as: UTF8.self)
      #expect(whole.hasSuffix("\"values\":[\(String(decoding: Array(document), as: UTF8.self))]}]}]}\n"))

      var csv = Array(series.columnNames.joined(separator: ",").utf8) + [0x0a]
      for row in 0..<rowCount {
        if let precision {
          csv.appendEpoch(times[row], unit: precision)
        } else {
          csv.appendRFC3339(times[row])
        }
        for column in series.columns {
          csv.append(0x2c)
          if column.key.type == .string, column.isPresent(row) {
            csv.appendCSVField(Array(column.string(row)))
          } else {
            csv.appendText(column, row)
          }
        }
        csv.append(0x0a)
      }
      #expect(Self.text(.csv, options, series) == csv)
    }
  }

  @Test("times of any day are RFC 3339, from the first to the last of 64 bits")
  func times() {
    let day: Int64 = 86_400_000_000_000
    let times: [Int64] = [
      .min, .min + 1, -day - 1_000_000_000, -day, -1_000_000_000, -1, 0, 59_000_000_000, 60_000_000_000, day - 1, day - 1_000_000_000,
      day, day + 3_599_000_000_000, day + 3_600_000_000_000, 1_700_000_000_000_000_000, 1_700_000_000_500_000_000, 0, .max - 1, .max,
    ]
    let series = ResultSeries(
      name: "m", columnNames: ["time"], timestamps: times, columns: [], rowCount: times.count)
    let rows = times.map { "[" + String(decoding: Self.time($0, nil), as: UTF8.self) + "]" }.joined(separator: ",")
    let found = String(decoding: Self.text(.json, RenderOptions(), series), as: UTF8.self)
    #expect(found.hasSuffix("\"values\":[\(rows)]}]}]}\n"))
    #expect(found.contains("[\"1969-12-31T23:59:59Z\"]") && found.contains("[\"1970-01-02T00:59:59Z\"]"))
  }

  @Test("chunks of any length have the rows of the whole", arguments: [1, 7, 63, 64, 65, 300], [false, true])
  func chunks(length: Int, isPretty: Bool) {
    func rows(_ chunkRowCount: Int?) -> String {
      var options = RenderOptions()
      (options.chunkRowCount, options.isPretty) = (chunkRowCount, isPretty)
      let text = String(decoding: Self.text(.json, options, Self.series(rowCount: 300, seed: 9)), as: UTF8.self)
      // What is between brackets of rows; the rest is heads and ends of documents.
      let parts = text.split(separator: isPretty ? "\"values\": [" : "\"values\":[").dropFirst()
      let end = isPretty ? "\n                    ]" : "]]"
      return parts.map { part in String(part[..<(part.firstRange(of: end)?.lowerBound ?? part.endIndex)]) }
        .joined(separator: isPretty ? "," : "],")
    }
    #expect(rows(length) == rows(nil))
  }

  /// Rows of so many hosts in turn: numbers around texts that come again, each kept once, and `shift` bytes into its column.
  private static func repeating(hostCount: Int, rows: Range<Int>, bytes: [[UInt8]]?, shift: Int) -> ResultSeries {
    func text(_ place: Int, _ host: Int) -> [UInt8] { place == 2 && host % 5 == 0 ? [] : Array("t\(place)<\(host + shift)>".utf8) }
    var columns: [Column] = []
    for place in 0..<5 {
      var column = Column(key: FieldKey(name: [], type: place % 3 == 0 ? .integer : .string))
      if place % 3 == 0 {
        column.values = rows.map { UInt64(bitPattern: Int64($0 * 7_919 % 211 - (place == 0 ? 0 : 20))) }
      } else {
        var words: [UInt64] = []
        for host in 0..<hostCount {
          words.append(UInt64(column.bytes.count) << 32 | UInt64(text(place, host).count))
          column.bytes += text(place, host)
        }
        if let bytes { column.bytes = bytes[place] }
        column.values = rows.map { words[$0 % hostCount] }
      }
      column.presentCount = rows.count
      if place == 1 {
        column.validity = Array(repeating: 0xffff_ffef_ffff_fffe, count: (rows.count + 63) / 64)
        if rows.count % 64 != 0 { column.validity[rows.count / 64] &= (1 << UInt64(rows.count % 64)) - 1 }
        column.presentCount = column.validity.reduce(0) { $0 + $1.nonzeroBitCount }
      }
      columns.append(column)
    }
    return ResultSeries(
      name: "m", columnNames: ["time"] + columns.indices.map { "c\($0)" }, timestamps: rows.map { Int64($0 / 3) * 1_000_000_000 },
      columns: columns, rowCount: rows.count)
  }

  @Test(
    "texts that come again are those of their rows, in pieces that share their bytes and in pieces of other texts at the same places",
    arguments: [1, 3, 100, 1_000, 6_000])
  func repeated(hostCount: Int) {
    let shared = Self.repeating(hostCount: hostCount, rows: 0..<1, bytes: nil, shift: 0).columns.map(\.bytes)
    let other = Self.repeating(hostCount: hostCount, rows: 0..<1, bytes: nil, shift: 1).columns.map(\.bytes)
    let length = 780
    var pieces: [ResultSeries] = []
    for start in stride(from: 0, to: 12 * length, by: length) {
      // Long runs of pieces that share, then such as lie at the same places, and back.
      let isOther = start / length % 8 == 5 && shared.map(\.count) == other.map(\.count)
      pieces.append(
        Self.repeating(hostCount: hostCount, rows: start..<start + length, bytes: isOther ? other : shared, shift: isOther ? 1 : 0))
    }
    var renderer = ResultFormat.json.makeRenderer(RenderOptions(precision: .seconds))
    var (out, rows) = ([UInt8](), [[UInt8]]())
    renderer.begin(into: &out)
    for (index, piece) in pieces.enumerated() {
      var result = StatementResult(statementID: 0)
      result.series = [piece]
      (result.hasMore, result.continuation) = (index < pieces.count - 1, index == 0 ? .begins : .sameSeries)
      renderer.append(result, into: &out)
      rows += (0..<piece.rowCount).map { row in
        let cells = [Self.time((piece.timestamps ?? [])[row], .seconds)] + piece.columns.map { Self.json($0, row) }
        return [0x5b] + Array(cells.joined(separator: [0x2c])) + [0x5d]
      }
    }
    renderer.finish(into: &out)
    let wanted = Array("\"values\":[".utf8) + Array(rows.joined(separator: [0x2c])) + Array("]}]}]}\n".utf8)
    #expect(out.suffix(wanted.count).elementsEqual(wanted))
  }
}

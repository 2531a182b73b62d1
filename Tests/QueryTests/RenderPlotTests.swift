import LineProtocol
import Query
import Storage
import Testing

@Suite("Charts")
struct PlotTests {
  private let waves: StatementResult = {
    let times = (0..<60).map { Int64($0) * 60_000_000_000 + 1_767_225_600_000_000_000 }
    func wave(_ period: Int) -> [Cell] {
      times.indices.map { .float(Double(($0 * period) % 40) - 20 + Double($0)) }
    }
    return result(
      0, ResultSeries("cpu", tags: [("host", "a<b")], times: times, ["mean": wave(1)]),
      ResultSeries("cpu", tags: [("host", "b")], times: times, ["mean": wave(7)]))
  }()

  @Test(
    "ticks are round and enclose the values",
    arguments: [
      (0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1]), (3, 97, [0, 20, 40, 60, 80, 100]),
      (-0.3, 0.2, [-0.3, -0.2, -0.1, 0, 0.1, 0.2]),
      (5, 5, [4.4, 4.6, 4.8, 5, 5.2, 5.4, 5.6]), (0, 0, [-1, -0.5, 0, 0.5, 1]),
      (-1.7e308, 1.7e308, [-1.7e308, 1.7e308]),
      (1e9, 2e9, [1e9, 1.2e9, 1.4e9, 1.6e9, 1.8e9, 2e9]),
    ] as [(Double, Double, [Double])])
  func ticks(low: Double, high: Double, expected: [Double]) {
    #expect(PlotData.ticks(low, high, count: 6) == expected)
  }

  @Test(
    "labels of values are short",
    arguments: [
      (0.1 + 0.2, "0.3"), (1500, "1500"), (20_000, "20k"), (1.5e6, "1.5M"), (-2e9, "-2G"), (0, "0"),
      (1e-5, "0.00001"),
    ] as [(Double, String)])
  func labels(value: Double, expected: String) {
    #expect(PlotData.valueLabel(value) == expected)
  }

  @Test("a terminal chart has an axis, dots and a legend, and keeps its width")
  func terminal() throws {
    let data = try #require(PlotData([waves]))
    var out: [UInt8] = []
    TerminalPlot(data, columnCount: 60, rowCount: 8, hasColor: false).append(to: &out)
    let lines = String(decoding: out, as: UTF8.self).split(separator: "\n")
    #expect(lines.allSatisfy { $0.count <= 60 })
    #expect(lines.count == 11)
    #expect(lines.prefix(8).allSatisfy { $0.contains("│") || $0.contains("┤") })
    #expect(lines[8].contains("└") && lines[8].contains("┬"))
    #expect(lines[9].contains("00:15"))
    #expect(lines[10].contains("host=a<b") && lines[10].contains("host=b"))
    #expect(lines.joined().unicodeScalars.contains { (0x2801...0x28ff).contains($0.value) })
    #expect(!out.contains(0x1b))
    var colored: [UInt8] = []
    TerminalPlot(data, columnCount: 60, rowCount: 8, hasColor: true).append(to: &colored)
    #expect(colored.contains(0x1b))
  }

  @Test("a picture has a line for each series, and escapes names")
  func picture() throws {
    let data = try #require(PlotData([waves]))
    var out: [UInt8] = []
    SVGPlot(data, title: "SELECT \"x\" < 3 & more").append(to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.hasPrefix("<svg ") && text.hasSuffix("</svg>\n"))
    #expect(text.components(separatedBy: "<polyline").count == 3)
    #expect(text.contains("host=a&lt;b") && text.contains("&lt; 3 &amp; more"))
    #expect(text.contains(">2026-01-01 UTC<"))
  }

  @Test("the time axis is round in the zone of the statement, and says which it is")
  func zone() throws {
    let times = (0..<12).map { Int64($0) * 1_800_000_000_000 + 1_767_225_600_000_000_000 }
    var answer = result(0, ResultSeries("m", times: times, ["v": times.indices.map { .float(Double($0)) }]))
    answer.timeZone = "Asia/Kolkata"
    let data = try #require(PlotData([answer]))
    #expect(data.timeTicks(count: 6).map(data.timeLabel) == ["06:00", "07:00", "08:00", "09:00", "10:00", "11:00"])
    #expect(data.timeAxisNote == "2026-01-01 Asia/Kolkata")
    answer.timeZone = "Mars/Olympus"
    #expect(try #require(PlotData([answer])).timeAxisNote == "2026-01-01 UTC")
  }

  @Test("a line of more points than the picture tells apart is a pale band with its means on it")
  func band() throws {
    let times = (0..<100_000).map { Int64($0) * 1_000_000_000 }
    let dense = result(0, ResultSeries("m", times: times, ["v": times.indices.map { .float($0 % 2 == 0 ? 0 : 10) }]))
    let data = try #require(PlotData([dense]))
    var out: [UInt8] = []
    SVGPlot(data, title: "").append(to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.components(separatedBy: "<polygon").count == 2 && out.count < 40_000)
    let band = try #require(PlotBand(data.lines[0], over: data.times, placeCount: 100))
    #expect((100...101).contains(band.stretches.count))
    #expect(band.stretches.allSatisfy { $0.min == 0 && $0.max == 10 && abs($0.mean - 5) < 0.1 || $0.time == times.last })
    #expect(PlotBand(data.lines[0], over: data.times, placeCount: 50_000) == nil)
  }

  @Test("a sparkline shows the course of a line over the time of all of them, gaps as blanks")
  func sparkline() throws {
    let minute: Int64 = 60_000_000_000
    let ramp = ResultSeries("m", tags: [("host", "a")], times: (0..<8).map { $0 * minute }, ["v": (0..<8).map { .float(Double($0)) }])
    let late = ResultSeries("m", tags: [("host", "b")], times: [7 * minute], ["v": [.float(3)]])
    let data = try #require(PlotData([result(0, ramp, late)]))
    let summaries = data.lines.map { Sparkline.summary(of: $0, in: data, width: 8) }
    #expect(summaries.map(\.text) == ["▁▂▃▄▅▆▇█", "       ▅"])
    #expect(summaries[0].count == 8 && summaries[0].min == 0 && summaries[0].mean == 3.5 && summaries[0].max == 7)
    #expect(summaries[0].last == 7 && summaries[1].last == 3)
    let huge = try #require(PlotData([result(0, ResultSeries("m", times: [0, minute], ["v": [.float(-1.7e308), .float(1.7e308)]]))]))
    #expect(Sparkline.summary(of: huge.lines[0], in: huge, width: 2).text == "▁█")
  }

  @Test("a PNG has two pixels for each unit of the SVG, a line in each colour, and words")
  func pixels() throws {
    let data = try #require(PlotData([waves]))
    let svg = SVGPlot(data, title: "")
    var out: [UInt8] = []
    try PNGPlot(data, title: "").append(to: &out)
    let picture = try #require(PNGPixels(out))
    #expect(picture.width == 2 * svg.width && picture.height == 2 * svg.height)
    #expect(picture.colors.first == PNGPixels.Color(red: 255, green: 255, blue: 255))
    for (red, green, blue) in [(0x44, 0x77, 0xaa), (0xee, 0x66, 0x77)] as [(UInt8, UInt8, UInt8)] {
      #expect(picture.colors.count { $0 == .init(red: red, green: green, blue: blue) } > 1_000)
    }
    // The names in the legend: without a font there would be none.
    let ink = PNGPixels.Color(red: 0x22, green: 0x22, blue: 0x22)
    #expect(picture.colors.suffix(picture.width * 80).count { $0 == ink } > 100)
  }

  @Test("a PNG of nothing is drawn too")
  func emptyPNG() throws {
    var out: [UInt8] = []
    try PNGPlot(nil, title: "SELECT x FROM y").append(to: &out)
    let picture = try #require(PNGPixels(out))
    #expect(picture.width == 1_920 && Set(picture.colors).count > 10)
  }

  @Test("a picture of nothing says so")
  func emptyPicture() {
    var out: [UInt8] = []
    SVGPlot(nil, title: "SELECT x FROM y").append(to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.contains(">SELECT x FROM y<") && text.contains("no numbers over time"))
    #expect(!text.contains("<polyline") && text.hasSuffix("</svg>\n"))
  }

  @Test("a long statement is broken over the lines of the title, and cut with an ellipsis")
  func longTitle() {
    let words = Array(repeating: "twelve bytes", count: 60).joined(separator: " ")
    #expect(SVGText.lines("short", placeCount: 100, lineCountMax: 3) == ["short"])
    #expect(SVGText.lines("", placeCount: 100, lineCountMax: 3) == [])
    let lines = SVGText.lines(words, placeCount: 100, lineCountMax: 3)
    #expect(lines.count == 3 && lines.allSatisfy { $0.count <= 100 })
    #expect(lines.allSatisfy { !$0.hasPrefix(" ") } && lines[2].hasSuffix("…"))
    // A word longer than a line is cut where the line ends; a wide character takes two places.
    let word = SVGText.lines(String(repeating: "x", count: 25), placeCount: 10, lineCountMax: 3)
    #expect(word.map(\.count) == [10, 10, 5])
    #expect(SVGText.lines("日本語", placeCount: 4, lineCountMax: 3) == ["日本", "語"])
  }

  @Test("past the colours lines differ by dashes, past the limit they are counted")
  func manyLines() throws {
    let series = (0..<34).map { ResultSeries("m", tags: [("n", "\($0)")], times: [0, 60], ["v": [1, 2]]) }
    var statement = result()
    statement.series = series
    let data = try #require(PlotData([statement]))
    var out: [UInt8] = []
    SVGPlot(data, title: "").append(to: &out)
    let text = String(decoding: out, as: UTF8.self)
    #expect(text.contains("and 2 more lines"))
    #expect(Set((0..<36).map { SVGLineStyle($0).stroke }).count == 36)
  }

  @Test(
    "ticks of time are round: of the clock, of the day, Mondays, firsts of months and years",
    arguments: [
      // 90 minutes, 2 days, 30 days, 2 years, 300 years, all from 2026-01-01T00:00:00Z but the last, from 1900.
      (1_767_225_600, 5_400, 8, "00:00 00:15 00:30 00:45 01:00 01:15 01:30"),
      (1_767_225_600, 172_800, 5, "01-01 00:00 01-01 12:00 01-02 00:00 01-02 12:00 01-03 00:00"),
      (1_767_225_600, 2_592_000, 8, "2026-01-05 2026-01-12 2026-01-19 2026-01-26"),
      (1_767_225_600, 63_072_000, 8, "2026-01-01 2026-07-01 2027-01-01 2027-07-01 2028-01-01"),
      (
        -2_208_988_800, 9_467_107_200, 8,
        "1900-01-01 1950-01-01 2000-01-01 2050-01-01 2100-01-01 2150-01-01 2200-01-01"
      ),
    ] as [(Int64, Int64, Int, String)])
  func timeTicks(start: Int64, length: Int64, count: Int, expected: String) throws {
    let times = [start * 1_000_000_000, (start + length) * 1_000_000_000]
    let data = try #require(PlotData([result(0, ResultSeries("m", times: times, ["n": [1, 2]]))]))
    #expect(data.timeTicks(count: count).map(data.timeLabel).joined(separator: " ") == expected)
  }

  @Test("months begin where the calendar says, over all times there are")
  func months() {
    var wrong: [String] = []
    for month in 1678 * 12..<2262 * 12 {
      guard let start = CivilTime.nanoseconds(year: month / 12, month: month % 12 + 1) else {
        wrong.append("\(month): none")
        continue
      }
      let civil = CivilTime(nanoseconds: start)
      let before = CivilTime(nanoseconds: start - 1)
      let isStart = civil.year * 12 + civil.month - 1 == month && civil.day == 1 && civil.hour == 0
      if !isStart || before.year * 12 + before.month != month { wrong.append("\(month): \(civil)") }
    }
    #expect(wrong.isEmpty)
    #expect(CivilTime.nanoseconds(year: 1600, month: 1) == nil)
  }

  @Test("texts and lists have no chart; single points, equal values and extreme times do")
  func odd() throws {
    #expect(PlotData([result(0, ResultSeries("m", times: [1], ["s": ["x"]]))]) == nil)
    #expect(PlotData([result(0, ResultSeries("m", times: nil, ["n": [1]]))]) == nil)
    #expect(PlotData([result(0, ResultSeries("m", times: [1], ["n": [nil]]))]) == nil)
    let odd = [
      ResultSeries("m", times: [5], ["n": [1]]),
      ResultSeries("m", times: [.min, .max], ["n": [-1e300, 1e300]]),
      ResultSeries("m", times: [0, 1], ["n": [.float(.nan), 7.5]]),
      ResultSeries("m", times: [.max], ["n": [0]]),
      ResultSeries("m", times: [0, 1, 2], ["n": [.float(-1.7e308), 0, .float(1.7e308)]]),
      ResultSeries("m", times: [0, 1], ["n": [.integer(.min), .integer(.max)]]),
    ]
    for series in odd {
      let data = try #require(PlotData([result(0, series)]))
      var out: [UInt8] = []
      TerminalPlot(data, columnCount: 40, rowCount: 5, hasColor: false).append(to: &out)
      SVGPlot(data, title: "").append(to: &out)
      let text = String(decoding: out, as: UTF8.self)
      #expect(!text.contains("nan") && !text.contains("inf"))
      let ticks = data.timeTicks(count: 10)
      #expect(ticks.count <= 10 && ticks.allSatisfy(data.times.contains))
    }
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}

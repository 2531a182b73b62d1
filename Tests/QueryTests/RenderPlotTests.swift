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
      ResultSeries("m", times: [0, 1], ["n": [.integer(.min), .integer(.max)]]),
    ]
    for series in odd {
      let data = try #require(PlotData([result(0, series)]))
      var out: [UInt8] = []
      TerminalPlot(data, columnCount: 40, rowCount: 5, hasColor: false).append(to: &out)
      SVGPlot(data, title: "").append(to: &out)
      #expect(!out.isEmpty)
    }
  }
}

extension String {
  fileprivate func components(separatedBy separator: String) -> [Substring] {
    split(separator: separator, omittingEmptySubsequences: false)
  }
}

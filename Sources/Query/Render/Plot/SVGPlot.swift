/// Draws a chart as SVG: a title, axes with ticks and labels, a grid, one colour a line, a legend below.
package struct SVGPlot {
  private let data: PlotData?
  private let titleLines: [String]
  private let legend: SVGLegend
  private let valueTicks: [Double]
  /// Units from the left edge to the axis: as many as the widest label of a value needs.
  private let left: Double
  private let top: Double
  private static let plotHeight = 400.0
  private static let right = 936.0
  private static let timeTickCountMax = 10
  /// Stretches that are told apart across the chart.
  private static let placeCount = 440

  /// Units across; a PNG has a multiple of them in pixels.
  package let width = 960
  /// Units down: the chart, and a row for each line of title and legend.
  package let height: Int

  /// - Parameter data: `nil` where there is nothing to draw: the picture then says so.
  package init(_ data: PlotData?, title: String) {
    self.data = data
    valueTicks = data?.valueTicks(count: 8) ?? []
    let labelWidth = valueTicks.map { SVGText.width(PlotData.valueLabel($0)) }.max() ?? 0
    left = max(48, labelWidth + 20)
    titleLines = SVGText.lines(title, placeCount: 100, lineCountMax: 3)
    top = 24 + 20 * Double(titleLines.count)
    legend = SVGLegend(data, left: left, right: Self.right, top: top + Self.plotHeight + 68)
    height = Int(legend.bottom) + 8
  }

  package func append(to out: inout [UInt8]) {
    put(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" "
        + "viewBox=\"0 0 \(width) \(height)\" font-family=\"sans-serif\" font-size=\"12\">\n", to: &out)
    put("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", to: &out)
    for (row, line) in titleLines.enumerated() {
      SVGText.append(line, at: (left, 28 + 20 * Double(row)), size: 14, "#222222", to: &out)
    }
    guard let data else {
      let middle = (x: Double(width) / 2, y: top + Self.plotHeight / 2)
      let words = "no numbers over time in the answer"
      SVGText.append(words, at: middle, anchor: "middle", size: 14, "#555555", to: &out)
      return put("</svg>\n", to: &out)
    }
    appendGrid(data, to: &out)
    appendValueLabels(to: &out)
    appendTimeLabels(data, to: &out)
    for (index, line) in data.lines.enumerated() { appendLine(line, index, data, to: &out) }
    legend.append(to: &out)
    put("</svg>\n", to: &out)
  }

  // MARK: Coordinates

  private var bottom: Double { top + Self.plotHeight }

  private func x(_ time: Int64, _ data: PlotData) -> Double {
    let times = data.times
    let part =
      (Double(time) - Double(times.lowerBound)) / (Double(times.upperBound) - Double(times.lowerBound))
    return left + part * (Self.right - left)
  }

  private func y(_ value: Double) -> Double {
    top + PlotData.depth(of: value, in: valueTicks) * Self.plotHeight
  }

  // MARK: Parts

  private func appendGrid(_ data: PlotData, to out: inout [UInt8]) {
    for tick in data.timeTicks(count: Self.timeTickCountMax) {
      let place = x(tick, data)
      appendStroke((place, top), (place, bottom), "#f0f0f0", to: &out)
      appendStroke((place, bottom), (place, bottom + 5), "#888888", to: &out)
    }
    for tick in valueTicks {
      let place = y(tick)
      appendStroke((left, place), (Self.right, place), tick == 0 ? "#aaaaaa" : "#e4e4e4", to: &out)
    }
    appendStroke((left, top), (left, bottom), "#888888", to: &out)
    appendStroke((left, bottom), (Self.right, bottom), "#888888", to: &out)
  }

  private func appendValueLabels(to out: inout [UInt8]) {
    for tick in valueTicks {
      let label = PlotData.valueLabel(tick)
      SVGText.append(label, at: (left - 8, y(tick) + 4), anchor: "end", "#555555", to: &out)
    }
  }

  private func appendTimeLabels(_ data: PlotData, to out: inout [UInt8]) {
    for tick in data.timeTicks(count: Self.timeTickCountMax) {
      let label = data.timeLabel(tick)
      let edge = Double(width) - 4 - SVGText.width(label) / 2
      let place = (x: min(x(tick, data), edge), y: bottom + 20)
      SVGText.append(label, at: place, anchor: "middle", "#555555", to: &out)
    }
    let middle = (x: (left + Self.right) / 2, y: bottom + 40)
    SVGText.append(data.timeAxisNote, at: middle, anchor: "middle", "#555555", to: &out)
  }

  private func appendStroke(
    _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ color: String, to out: inout [UInt8]
  ) {
    put(
      "<line x1=\"\(svgNumber(a.x))\" y1=\"\(svgNumber(a.y))\" "
        + "x2=\"\(svgNumber(b.x))\" y2=\"\(svgNumber(b.y))\" stroke=\"\(color)\"/>\n", to: &out)
  }

  private func appendLine(_ line: PlotData.Line, _ index: Int, _ data: PlotData, to out: inout [UInt8]) {
    let style = SVGLineStyle(index)
    // A few points are seen as points, a single one would not be seen otherwise.
    if line.times.count <= 40 {
      for (time, value) in zip(line.times, line.values) {
        put(
          "<circle cx=\"\(svgNumber(x(time, data)))\" cy=\"\(svgNumber(y(value)))\" "
            + "r=\"\(line.times.count == 1 ? "4" : "2.5")\" fill=\"\(style.color)\"/>\n", to: &out)
      }
      if line.times.count == 1 { return }
    }
    guard let band = PlotBand(line, over: data.times, placeCount: Self.placeCount) else {
      return appendPolyline(zip(line.times, line.values).map { (x($0, data), y($1)) }, style, to: &out)
    }
    appendBand(band, style, data, to: &out)
    appendPolyline(band.stretches.map { (x($0.time, data), y($0.mean)) }, style, to: &out)
  }

  private func appendPolyline(_ points: [(Double, Double)], _ style: SVGLineStyle, to out: inout [UInt8]) {
    put(
      "<polyline fill=\"none\" \(style.stroke) stroke-linejoin=\"round\" points=\"\(Self.list(points))\"/>\n",
      to: &out)
  }

  /// From the least to the greatest value of each stretch, pale behind the line of the means.
  private func appendBand(_ band: PlotBand, _ style: SVGLineStyle, _ data: PlotData, to out: inout [UInt8]) {
    let above = band.stretches.map { (x($0.time, data), y($0.max)) }
    let below = band.stretches.reversed().map { (x($0.time, data), y($0.min)) }
    put(
      "<polygon fill=\"\(style.color)\" fill-opacity=\"0.25\" stroke=\"none\" points=\"\(Self.list(above + below))\"/>\n",
      to: &out)
  }

  private static func list(_ points: [(Double, Double)]) -> String {
    points.map { "\(svgNumber($0)),\(svgNumber($1))" }.joined(separator: " ")
  }

  private func put(_ text: String, to out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
}

/// Draws a chart as SVG: axes with ticks and labels, a grid, one colour a line, a legend below.
package struct SVGPlot {
  private let data: PlotData
  private let title: String
  private let width = 960.0
  private let plotHeight = 400.0
  private let margin = (left: 72.0, right: 24.0, top: 44.0)
  /// P. Tol's "bright" and "muted" schemes: apart for colour-blind eyes, readable on white.
  private static let colors = [
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#882255", "#44aa99", "#999933",
    "#332288",
    "#cc6677", "#117733",
  ]

  package init(_ data: PlotData, title: String) {
    self.data = data
    self.title = title
  }

  package func append(to out: inout [UInt8]) {
    let legend = legendPlaces()
    let height = margin.top + plotHeight + 44 + legend.height
    put(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(text(width))\" height=\"\(text(height))\" "
        + "viewBox=\"0 0 \(text(width)) \(text(height))\" font-family=\"sans-serif\" font-size=\"12\">\n",
      to: &out)
    put("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n", to: &out)
    put("<text x=\"\(text(margin.left))\" y=\"26\" font-size=\"14\" fill=\"#222222\">", to: &out)
    put(Self.escaped(title.count > 120 ? title.prefix(119) + "…" : title) + "</text>\n", to: &out)
    let ticks = data.valueTicks(count: 6)
    appendAxes(ticks, to: &out)
    for (index, line) in data.lines.enumerated() { appendLine(line, index, ticks, to: &out) }
    appendLegend(legend.places, to: &out)
    put("</svg>\n", to: &out)
  }

  // MARK: Coordinates

  private func x(_ time: Int64) -> Double {
    let times = data.times
    let part =
      (Double(time) - Double(times.lowerBound)) / (Double(times.upperBound) - Double(times.lowerBound))
    return margin.left + part * (width - margin.left - margin.right)
  }

  private func y(_ value: Double, _ ticks: [Double]) -> Double {
    let (low, high) = (ticks.first ?? 0, ticks.last ?? 1)
    return margin.top + (high - value) / (high - low) * plotHeight
  }

  // MARK: Parts

  private func appendAxes(_ ticks: [Double], to out: inout [UInt8]) {
    let (left, right, bottom) = (margin.left, width - margin.right, margin.top + plotHeight)
    for tick in ticks {
      let place = y(tick, ticks)
      appendStroke((left, place), (right, place), "#e4e4e4", to: &out)
      put(
        "<text x=\"\(text(left - 8))\" y=\"\(text(place + 4))\" text-anchor=\"end\" fill=\"#555555\">"
          + "\(PlotData.valueLabel(tick))</text>\n", to: &out)
    }
    for tick in data.timeTicks(count: 8) {
      let place = x(tick)
      appendStroke((place, bottom), (place, bottom + 5), "#888888", to: &out)
      put(
        "<text x=\"\(text(place))\" y=\"\(text(bottom + 20))\" text-anchor=\"middle\" fill=\"#555555\">"
          + "\(data.timeLabel(tick))</text>\n", to: &out)
    }
    appendStroke((left, bottom), (right, bottom), "#888888", to: &out)
    appendStroke((left, margin.top), (left, bottom), "#888888", to: &out)
  }

  private func appendStroke(
    _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ color: String, to out: inout [UInt8]
  ) {
    put(
      "<line x1=\"\(text(a.x))\" y1=\"\(text(a.y))\" x2=\"\(text(b.x))\" y2=\"\(text(b.y))\" stroke=\"\(color)\"/>\n",
      to: &out)
  }

  private func appendLine(_ line: PlotData.Line, _ index: Int, _ ticks: [Double], to out: inout [UInt8]) {
    let color = Self.colors[index % Self.colors.count]
    if line.times.count == 1 {
      put(
        "<circle cx=\"\(text(x(line.times[0])))\" cy=\"\(text(y(line.values[0], ticks)))\" r=\"3\" ", to: &out
      )
      put("fill=\"\(color)\"/>\n", to: &out)
      return
    }
    put(
      "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.5\" stroke-linejoin=\"round\" points=\"",
      to: &out)
    for (position, (time, value)) in zip(line.times, line.values).enumerated() {
      put("\(position == 0 ? "" : " ")\(text(x(time))),\(text(y(value, ticks)))", to: &out)
    }
    put("\"/>\n", to: &out)
  }

  /// Where each line's name stands: rows below the chart, about seven units a letter.
  private func legendPlaces() -> (places: [(x: Double, y: Double)], height: Double) {
    var places: [(x: Double, y: Double)] = []
    var (column, row) = (margin.left, margin.top + plotHeight + 44)
    for line in data.lines {
      let needed = 30 + 7 * Double(displayWidth(line.label.utf8))
      if column > margin.left, column + needed > width - margin.right {
        (column, row) = (margin.left, row + 20)
      }
      places.append((column, row))
      column += needed
    }
    return (places, row + 16 - margin.top - plotHeight - 44 + (data.omittedCount > 0 ? 20 : 0))
  }

  private func appendLegend(_ places: [(x: Double, y: Double)], to out: inout [UInt8]) {
    for (index, (line, place)) in zip(data.lines, places).enumerated() {
      let color = Self.colors[index % Self.colors.count]
      put(
        "<rect x=\"\(text(place.x))\" y=\"\(text(place.y - 5))\" width=\"14\" height=\"3\" fill=\"\(color)\"/>"
          + "<text x=\"\(text(place.x + 20))\" y=\"\(text(place.y))\" fill=\"#222222\">\(Self.escaped(line.label))</text>\n",
        to: &out)
    }
    if data.omittedCount > 0, let last = places.last {
      put(
        "<text x=\"\(text(margin.left))\" y=\"\(text(last.y + 20))\" fill=\"#555555\">and \(data.omittedCount) more"
          + " lines</text>\n", to: &out)
    }
  }

  // MARK: Text

  /// A coordinate with one decimal.
  private func text(_ value: Double) -> String {
    let tenths = Int64((value * 10) + (value < 0 ? -0.5 : 0.5))
    return tenths % 10 == 0
      ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }

  /// Text of XML; control characters, which XML has no form for, become U+FFFD.
  private static func escaped(_ text: some StringProtocol) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\n", "\r", "\t": out += " "
      case "\u{0}"..<" ", "\u{fffe}", "\u{ffff}": out += "\u{fffd}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private func put(_ text: String, to out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
}

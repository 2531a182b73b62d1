/// How a line is told from the others: a colour, and dashes once the colours are used up.
package struct SVGLineStyle {
  let color: String
  private let dashes: String?

  /// P. Tol's "bright" and "muted" schemes: apart for colour-blind eyes, readable on white.
  private static let colors = [
    "#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#882255", "#44aa99", "#999933",
    "#332288", "#cc6677", "#117733",
  ]
  private static let dashPatterns = [nil, "6 3", "2 2"]

  package init(_ index: Int) {
    color = Self.colors[index % Self.colors.count]
    dashes = Self.dashPatterns[index / Self.colors.count % Self.dashPatterns.count]
  }

  /// The attributes of a stroke.
  package var stroke: String {
    "stroke=\"\(color)\" stroke-width=\"1.5\"" + (dashes.map { " stroke-dasharray=\"\($0)\"" } ?? "")
  }
}

/// The names of a chart's lines in rows, each behind a piece of its line.
struct SVGLegend {
  private let entries: [(label: String, x: Double, y: Double)]
  private let omitted: (text: String, x: Double, y: Double)?
  /// Where the next thing below may begin.
  let bottom: Double

  init(_ data: PlotData?, left: Double, right: Double, top: Double) {
    var entries: [(label: String, x: Double, y: Double)] = []
    var (x, y) = (left, top)
    for line in data?.lines ?? [] {
      let label = SVGText.lines(line.label, placeCount: 110, lineCountMax: 1).first ?? ""
      let needed = 28 + SVGText.width(label)
      if x > left, x + needed > right { (x, y) = (left, y + 20) }
      entries.append((label, x, y))
      x += needed + 16
    }
    self.entries = entries
    let omittedCount = data?.omittedCount ?? 0
    let noun = omittedCount == 1 ? "line" : "lines"
    omitted = omittedCount > 0 ? ("and \(omittedCount) more \(noun)", left, y + 20) : nil
    bottom = y + (omittedCount > 0 ? 28 : 8)
  }

  func append(to out: inout [UInt8]) {
    for (index, entry) in entries.enumerated() {
      let (x, y) = (entry.x, entry.y - 4)
      out.append(
        contentsOf: ("<line x1=\"\(svgNumber(x))\" y1=\"\(svgNumber(y))\" x2=\"\(svgNumber(x + 20))\" "
          + "y2=\"\(svgNumber(y))\" \(SVGLineStyle(index).stroke)/>\n").utf8)
      SVGText.append(entry.label, at: (x + 28, entry.y), "#222222", to: &out)
    }
    if let omitted { SVGText.append(omitted.text, at: (omitted.x, omitted.y), "#555555", to: &out) }
  }
}

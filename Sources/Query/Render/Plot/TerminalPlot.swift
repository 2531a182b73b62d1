/// Draws a chart with braille dots, two by four a character, axes with labels, one colour a line.
package struct TerminalPlot {
  private let data: PlotData
  private let width: Int
  private let height: Int
  private let hasColor: Bool
  /// Colours of the terminal's own palette, apart from each other and readable on light and dark.
  private static let colors = [36, 33, 35, 32, 34, 31, 96, 93, 95, 92, 94, 91]

  /// - Parameters: `columnCount` places of the terminal's line; `rowCount` lines of the chart itself.
  package init(_ data: PlotData, columnCount: Int = 80, rowCount: Int = 16, hasColor: Bool) {
    self.data = data
    self.hasColor = hasColor
    width = columnCount
    height = max(rowCount, 4)
  }

  package func append(to out: inout [UInt8]) {
    let ticks = data.valueTicks(count: max(height / 4, 2) + 1)
    let labels = ticks.map(PlotData.valueLabel)
    let margin = labels.map(\.utf8.count).max() ?? 0
    let canvas = drawn(BrailleCanvas(width: max(width - margin - 2, 4), height: height), ticks)
    var labelRows: [Int: String] = [:]
    for (tick, label) in zip(ticks, labels) {
      labelRows[Int(PlotData.depth(of: tick, in: ticks) * Double(height - 1) + 0.5)] = label
    }
    for row in 0..<height {
      let label = labelRows[row] ?? ""
      put(
        String(repeating: " ", count: margin - label.utf8.count) + label + (label.isEmpty ? " │" : " ┤"),
        to: &out)
      canvas.appendRow(row, colors: hasColor ? Self.colors : [], to: &out)
      put("\n", to: &out)
    }
    appendTimeAxis(margin, canvas.width, to: &out)
    appendLegend(margin, to: &out)
  }

  private func drawn(_ empty: BrailleCanvas, _ ticks: [Double]) -> BrailleCanvas {
    var canvas = empty
    let times = data.times
    let span = Double(times.upperBound) - Double(times.lowerBound)
    // Values lie on the middle of rows of characters, where the labels are.
    let inset = 1.5
    let dotHeight = Double(4 * height - 1) - 2 * inset
    for (index, line) in data.lines.enumerated() {
      var previous: (x: Int, y: Int)?
      for (time, value) in zip(line.times, line.values) {
        let x = Int((Double(time) - Double(times.lowerBound)) / span * Double(2 * canvas.width - 1) + 0.5)
        let y = Int(PlotData.depth(of: value, in: ticks) * dotHeight + inset + 0.5)
        canvas.line(from: previous ?? (x, y), to: (x, y), color: index)
        previous = (x, y)
      }
      // Without colours a line is told by its number at its end.
      if !hasColor, let end = previous { canvas.mark(end.x, end.y, "\(index + 1)") }
    }
    return canvas
  }

  private func appendTimeAxis(_ margin: Int, _ axisWidth: Int, to out: inout [UInt8]) {
    let times = data.times
    let span = Double(times.upperBound) - Double(times.lowerBound)
    var axis = [String](repeating: "─", count: axisWidth)
    var labels = [Character](repeating: " ", count: axisWidth + margin + 2)
    var end = 0
    for tick in data.timeTicks(count: max(axisWidth / 12, 1)) {
      let place = Int((Double(tick) - Double(times.lowerBound)) / span * Double(axisWidth - 1) + 0.5)
      axis[place] = "┬"
      let label = Array(data.timeLabel(tick))
      guard label.count <= labels.count else { continue }
      let start = min(max(margin + 2 + place - label.count / 2, 0), labels.count - label.count)
      guard start >= end else { continue }
      labels.replaceSubrange(start..<start + label.count, with: label)
      end = start + label.count + 1
    }
    put(String(repeating: " ", count: margin + 1) + "└" + axis.joined() + "\n", to: &out)
    var text = String(labels)
    while text.last == " " { text.removeLast() }
    put(text + "\n", to: &out)
  }

  private func appendLegend(_ margin: Int, to out: inout [UInt8]) {
    var column = 0
    for (index, line) in data.lines.enumerated() {
      var label: [UInt8] = []
      label.appendVisible(line.label.utf8)
      let place = displayWidth(label) + 5
      if column > 0, column + place > width - margin {
        put("\n", to: &out)
        column = 0
      }
      put(column == 0 ? String(repeating: " ", count: margin + 2) : "   ", to: &out)
      let color = Self.colors[index % Self.colors.count]
      put(hasColor ? "\u{1b}[\(color)m━━\u{1b}[0m " : "\(index + 1): ", to: &out)
      out += label
      column += place
    }
    put("\n", to: &out)
    if data.omittedCount > 0 {
      put("\(String(repeating: " ", count: margin + 2))and \(data.omittedCount) more lines\n", to: &out)
    }
  }

  private func put(_ text: String, to out: inout [UInt8]) { out.append(contentsOf: text.utf8) }
}

/// Dots in characters U+2800...U+28FF, each with the colour of the line that came last.
struct BrailleCanvas {
  let width: Int
  let height: Int
  private var dots: [UInt8]
  private var colors: [Int]
  private var marks: [Int: UInt8] = [:]

  init(width: Int, height: Int) {
    self.width = max(width, 1)
    self.height = height
    dots = [UInt8](repeating: 0, count: self.width * height)
    colors = [Int](repeating: -1, count: self.width * height)
  }

  /// Bits of a braille character by row and column (Unicode 2800: dots 1-8).
  private static let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]

  mutating func dot(_ x: Int, _ y: Int, color: Int) {
    guard x >= 0, y >= 0, x < 2 * width, y < 4 * height else { return }
    let index = y / 4 * width + x / 2
    dots[index] |= Self.bits[y % 4][x % 2]
    colors[index] = color
  }

  /// Text that covers dots, ending at a dot's character.
  mutating func mark(_ x: Int, _ y: Int, _ text: String) {
    let end = min(x / 2, width - 1)
    for (place, byte) in text.utf8.reversed().enumerated() where end >= place {
      marks[min(y / 4, height - 1) * width + end - place] = byte
    }
  }

  /// A straight line (J. Bresenham, 1965).
  mutating func line(from a: (x: Int, y: Int), to b: (x: Int, y: Int), color: Int) {
    let (dx, dy) = (abs(b.x - a.x), -abs(b.y - a.y))
    let (stepX, stepY) = (a.x < b.x ? 1 : -1, a.y < b.y ? 1 : -1)
    var (x, y, error) = (a.x, a.y, dx + dy)
    while true {
      dot(x, y, color: color)
      if x == b.x, y == b.y { return }
      let doubled = 2 * error
      if doubled >= dy {
        error += dy
        x += stepX
      }
      if doubled <= dx {
        error += dx
        y += stepY
      }
    }
  }

  /// Appends a row of characters, colour changes only where the colour changes.
  func appendRow(_ row: Int, colors palette: [Int], to out: inout [UInt8]) {
    var current = -1
    var end = width
    while end > 0, dots[row * width + end - 1] == 0, marks[row * width + end - 1] == nil { end -= 1 }
    for column in 0..<end {
      let index = row * width + column
      if let mark = marks[index] {
        out.append(mark)
        continue
      }
      if dots[index] == 0 {
        out.append(UInt8(ascii: " "))
        continue
      }
      if !palette.isEmpty, colors[index] != current {
        current = colors[index]
        out.append(contentsOf: "\u{1b}[\(palette[current % palette.count])m".utf8)
      }
      let scalar = Unicode.Scalar(0x2800 + UInt32(dots[index])) ?? " "
      out.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
    if current >= 0 { out.append(contentsOf: "\u{1b}[0m".utf8) }
  }
}

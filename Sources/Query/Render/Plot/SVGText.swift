/// Words in a picture.
package enum SVGText {
  /// Units that a text of the usual size takes, about: the fonts of readers differ.
  static func width(_ text: String) -> Double { 7.2 * Double(displayWidth(text.utf8)) }

  /// A text broken at blanks into lines of at most so many places; what is left over ends in an ellipsis.
  package static func lines(_ text: String, placeCount: Int, lineCountMax: Int) -> [String] {
    var lines: [String] = []
    var rest = Substring(text)
    while !rest.isEmpty, lines.count < lineCountMax {
      let head = prefix(rest, placeCount: placeCount)
      if head.endIndex == rest.endIndex {
        lines.append(String(rest))
        break
      }
      if lines.count == lineCountMax - 1 {
        lines.append(prefix(rest, placeCount: placeCount - 1) + "…")
        break
      }
      let end = head.lastIndex(of: " ") ?? head.endIndex
      lines.append(String(rest[..<end]))
      rest = rest[end...].drop { $0 == " " }
    }
    return lines
  }

  /// As many characters as fit into so many places, one at least.
  private static func prefix(_ text: Substring, placeCount: Int) -> Substring {
    var (end, used) = (text.startIndex, 0)
    while end < text.endIndex {
      used += displayWidth(text[end].utf8)
      if used > placeCount, end > text.startIndex { break }
      text.formIndex(after: &end)
    }
    return text[..<end]
  }

  static func append(
    _ text: String, at place: (x: Double, y: Double), anchor: String = "start", size: Int = 12,
    _ color: String, to out: inout [UInt8]
  ) {
    let element =
      "<text x=\"\(svgNumber(place.x))\" y=\"\(svgNumber(place.y))\""
      + (anchor == "start" ? "" : " text-anchor=\"\(anchor)\"") + (size == 12 ? "" : " font-size=\"\(size)\"")
      + " fill=\"\(color)\">\(escaped(text))</text>\n"
    out.append(contentsOf: element.utf8)
  }

  /// Text of XML; control characters, which XML has no form for, become U+FFFD.
  private static func escaped(_ text: String) -> String {
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
}

/// A coordinate with one decimal.
func svgNumber(_ value: Double) -> String {
  let tenths = Int64((value * 10) + (value < 0 ? -0.5 : 0.5))
  return tenths % 10 == 0
    ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
}

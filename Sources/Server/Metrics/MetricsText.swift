/// Builds Prometheus text, format 0.0.4: each family once, with help and type, its samples together.
struct MetricsText {
  enum Kind: String { case counter, gauge, histogram }

  private(set) var bytes: [UInt8] = []

  /// Starts a family.
  mutating func family(_ name: String, _ kind: Kind, _ help: String) {
    append("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
  }

  /// One sample of the family started last.
  mutating func sample(_ name: String, _ labels: [(name: String, value: String)] = [], _ value: UInt64) {
    sample(name, labels, text: String(value))
  }

  mutating func sample(_ name: String, _ labels: [(name: String, value: String)] = [], _ value: Double) {
    sample(name, labels, text: value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value))
  }

  mutating func sample(_ name: String, _ labels: [(name: String, value: String)] = [], _ value: Int) {
    sample(name, labels, text: String(value))
  }

  /// A histogram: counts by upper bound (the last one open), the sum.
  mutating func histogram(_ name: String, bounds: [Double], counts: [UInt64], sum: Double) {
    var total: UInt64 = 0
    for (index, count) in counts.enumerated() {
      total += count
      sample(name + "_bucket", [("le", index < bounds.count ? String(bounds[index]) : "+Inf")], total)
    }
    if counts.count <= bounds.count { sample(name + "_bucket", [("le", "+Inf")], total) }
    sample(name + "_sum", [], sum)
    sample(name + "_count", [], total)
  }

  private mutating func sample(_ name: String, _ labels: [(name: String, value: String)], text: String) {
    append(name)
    if !labels.isEmpty {
      append("{" + labels.map { "\($0.name)=\"\(Self.escape($0.value))\"" }.joined(separator: ",") + "}")
    }
    append(" " + text + "\n")
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Backslash, quote and newline are escaped; blanks would split a sample for simple readers, so they become `_`.
  private static func escape(_ text: String) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\\": out += "\\\\"
      case "\"": out += "\\\""
      case "\n": out += "\\n"
      case " ": out += "_"
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

package import LineProtocol

/// A field's value in a model: dull, boxed, easy to compare.
package enum ModelValue: Hashable, Sendable {
  case float(Double)
  case integer(Int64)
  case unsigned(UInt64)
  case boolean(Bool)
  case string(String)

  package var type: FieldType {
    switch self {
    case .float: .float
    case .integer: .integer
    case .unsigned: .unsigned
    case .boolean: .boolean
    case .string: .string
    }
  }

  /// The word of a number or a boolean; 0 for a string.
  package var word: UInt64 {
    switch self {
    case .float(let value): value.bitPattern
    case .integer(let value): UInt64(bitPattern: value)
    case .unsigned(let value): value
    case .boolean(let value): value ? 1 : 0
    case .string: 0
    }
  }
}

/// A point in a model.
package struct ModelPoint: Sendable, Equatable {
  package var key: SeriesKey
  package var timestamp: Int64
  /// By name: at most one type in a point.
  package var fields: [String: ModelValue]

  package init(key: SeriesKey, timestamp: Int64, fields: [String: ModelValue]) {
    self.key = key
    self.timestamp = timestamp
    self.fields = fields
  }

  /// Reads `m,tag=a f=1.5,n=3i,u=4u,b=true,s="text" 100`: no escapes, no blanks in strings, one space between parts. For
  /// tests only: a line that is not of this form traps.
  package init(line: Substring) {
    let parts = line.split(separator: " ")
    precondition(parts.count == 3, "not 'series fields timestamp': \(line)")
    let names = parts[0].split(separator: ",")
    let tags = names.dropFirst().map { tag in
      let pair = tag.split(separator: "=")
      return (key: Array(pair[0].utf8), value: Array(pair[1].utf8))
    }
    key = SeriesKey(measurement: Array(names[0].utf8), tags: tags)
    guard let time = Int64(parts[2]) else { preconditionFailure("no timestamp: \(line)") }
    timestamp = time
    fields = [:]
    for field in parts[1].split(separator: ",") {
      let pair = field.split(separator: "=", maxSplits: 1)
      fields[String(pair[0])] = ModelPoint.value(pair[1])
    }
  }

  private static func value(_ text: Substring) -> ModelValue {
    if text == "true" || text == "false" { return .boolean(text == "true") }
    if text.hasPrefix("\"") { return .string(String(text.dropFirst().dropLast())) }
    if text.hasSuffix("i"), let value = Int64(text.dropLast()) { return .integer(value) }
    if text.hasSuffix("u"), let value = UInt64(text.dropLast()) { return .unsigned(value) }
    guard let value = Double(text) else { preconditionFailure("no value: \(text)") }
    return .float(value)
  }
}

/// Points of several lines, `ModelPoint(line:)` each; blank lines are skipped.
package func modelPoints(_ lines: String) -> [ModelPoint] {
  lines.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }.map {
    ModelPoint(line: $0)
  }
}

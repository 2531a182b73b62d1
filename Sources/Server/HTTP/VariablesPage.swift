/// The metrics as the JSON document that `/debug/vars` of InfluxDB is: an object a value, with its name, tags and number, as what
/// reads that page (Telegraf's `inputs.influxdb`) takes it.
enum VariablesPage {
  /// - Parameter page: the metrics as Prometheus text.
  static func json(_ page: [UInt8]) -> String {
    var entries: [String] = []
    for line in page.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      guard let blank = line.lastIndex(of: UInt8(ascii: " ")),
        let number = Double(String(decoding: line[(blank + 1)...], as: UTF8.self)), number.isFinite
      else { continue }
      let key = String(decoding: line[..<blank], as: UTF8.self)
      let name = String(key.prefix { $0 != "{" })
      let value = String(decoding: line[(blank + 1)...], as: UTF8.self)
      let tags = tags(of: key.dropFirst(name.count)).map { "\(jsonString($0)):\(jsonString($1))" }
      entries.append(
        "\(jsonString(key)):{\"name\":\(jsonString(name)),\"tags\":{\(tags.joined(separator: ","))},\"values\":{\"value\":\(value)}}")
    }
    return "{\(entries.joined(separator: ",\n"))}"
  }

  /// The labels between braces; `\"`, `\\` and `\n` in values are as Prometheus writes them.
  private static func tags(of text: Substring) -> [(key: String, value: String)] {
    var found: [(String, String)] = []
    var (key, value, isValue, isEscaped) = ("", "", false, false)
    for character in text.dropFirst().dropLast() {
      switch character {
      case _ where isEscaped:
        value.append(character == "n" ? "\n" : character)
        isEscaped = false
      case "\\" where isValue: isEscaped = true
      case "\"":
        if isValue { found.append((key, value)) }
        if isValue { (key, value) = ("", "") }
        isValue.toggle()
      case _ where isValue: value.append(character)
      case ",", "=", " ": break
      default: key.append(character)
      }
    }
    return found
  }
}

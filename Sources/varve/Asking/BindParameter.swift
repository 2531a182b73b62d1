import Query

/// `--param NAME=VALUE`.
package struct BindParameter: Equatable {
  package var name: String
  package var value: String

  package static func all(_ arguments: Arguments) throws -> [BindParameter] {
    try arguments.strings("param").map { text in
      let pair = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, !pair[0].isEmpty else {
        throw UsageError("--param takes NAME=VALUE, not \"\(text)\"")
      }
      return BindParameter(name: String(pair[0]), value: String(pair[1]))
    }
  }

  /// Whether the value is JSON as it stands: a number, a boolean, or an object that says what it is, such as `{"duration":"1h"}`; all
  /// else is a string.
  private var isBare: Bool {
    if value == "true" || value == "false" || value.hasPrefix("{") && value.hasSuffix("}") { return true }
    let isNumeric = value.utf8.allSatisfy { (48...57).contains($0) || [43, 45, 46, 69, 101].contains($0) }
    return isNumeric && Double(value) != nil && value.first != "+" && value.first != "." && value.last != "."
  }

  /// A JSON object of all parameters.
  package static func json(_ parameters: [BindParameter]) -> String {
    var out: [UInt8] = Array("{".utf8)
    for (index, parameter) in parameters.enumerated() {
      if index > 0 { out.append(UInt8(ascii: ",")) }
      out.appendJSONString(parameter.name)
      out.append(UInt8(ascii: ":"))
      if parameter.isBare {
        out += Array(parameter.value.utf8)
      } else {
        out.appendJSONString(parameter.value)
      }
    }
    return String(decoding: out, as: UTF8.self) + "}"
  }
}

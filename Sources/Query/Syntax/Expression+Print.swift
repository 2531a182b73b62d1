extension Expression: CustomStringConvertible {
  /// As InfluxQL; parses to an equal expression.
  var description: String {
    switch self {
    case .reference(let name, let cast): Self.quoteName(name) + (cast.map { "::\($0.rawValue)" } ?? "")
    case .call(let name, let arguments): "\(name)(\(arguments.map(\.description).joined(separator: ", ")))"
    case .distinct(let name): "DISTINCT \(Self.quoteName(name))"
    case .binary(let sign, let left, let right): "\(left) \(sign.rawValue) \(right)"
    case .chain(let sign, let terms): terms.map(\.description).joined(separator: " \(sign.rawValue) ")
    case .parenthesis(let inner): "(\(inner))"
    case .wildcard(let cast): "*" + (cast.map { "::\($0.rawValue)" } ?? "")
    case .regex(let pattern): Self.quoteRegex(pattern)
    case .string(let text): Self.quoteString(text)
    case .number(let value): Self.print(value)
    case .integer(let value): "\(value)"
    case .unsigned(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .duration(let nanoseconds): DurationLiteral.print(nanoseconds)
    case .months(let count): count % 12 == 0 ? "\(count / 12)y" : "\(count)mo"
    }
  }

  /// A number with a point, without an exponent, as the grammar wants it.
  private static func print(_ value: Double) -> String {
    let text = value.description
    guard text.contains("e"), value.isFinite else { return text }
    // Only literals of more than 16 digits come here; the grammar has no exponents.
    guard abs(value) >= 1 else {
      var digits = ""
      var rest = abs(value)
      for _ in 0..<330 where rest > 0 {
        rest *= 10
        let digit = Int(rest)
        digits += "\(digit)"
        rest -= Double(digit)
      }
      return (value < 0 ? "-0." : "0.") + digits
    }
    var (digits, rest) = ("", abs(value).rounded(.towardZero))
    while rest >= 1 {
      digits = "\(Int(rest.truncatingRemainder(dividingBy: 10)))" + digits
      rest = (rest / 10).rounded(.towardZero)
    }
    return (value < 0 ? "-" : "") + digits + ".0"
  }

  /// A name, in double quotes where it needs them.
  static func quoteName(_ name: String) -> String {
    let bytes = Array(name.utf8)
    let isBare =
      bytes.first.map { !Lexer.isDigit($0) } == true && bytes.allSatisfy(Lexer.isWordByte)
      && Keyword(bytes: bytes) == nil
    return isBare ? name : "\"\(escape(name, quote: "\""))\""
  }

  /// A string in single quotes.
  static func quoteString(_ text: String) -> String { "'\(escape(text, quote: "'"))'" }

  /// A regular expression between slashes.
  static func quoteRegex(_ pattern: String) -> String {
    var out = "/"
    for character in pattern.unicodeScalars {
      if character == "/" { out += "\\" }
      out.unicodeScalars.append(character)
    }
    return out + "/"
  }

  static func escape(_ text: String, quote: Unicode.Scalar) -> String {
    var out = ""
    for character in text.unicodeScalars {
      switch character {
      case "\n": out += "\\n"
      case "\\", quote:
        out += "\\"
        out.unicodeScalars.append(character)
      default: out.unicodeScalars.append(character)
      }
    }
    return out
  }
}

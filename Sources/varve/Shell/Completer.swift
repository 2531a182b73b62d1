import Query

/// Completes the word before the cursor: from the words of the language, and the names that are there.
struct Completer {
  let schema: Schema
  /// The shell's own words, without a backslash.
  let directives: [String]

  /// What stands at the beginning of a statement.
  private static let beginnings = [
    "ALTER RETENTION POLICY", "CREATE DATABASE", "CREATE RETENTION POLICY", "DELETE FROM", "DROP DATABASE",
    "DROP MEASUREMENT",
    "DROP RETENTION POLICY", "DROP SERIES", "EXPLAIN ANALYZE SELECT", "EXPLAIN SELECT", "KILL QUERY",
    "SELECT",
    "SHOW DATABASES", "SHOW FIELD KEYS", "SHOW MEASUREMENTS", "SHOW QUERIES", "SHOW RETENTION POLICIES",
    "SHOW SERIES",
    "SHOW SHARDS", "SHOW TAG KEYS", "SHOW TAG VALUES",
  ]
  /// What may stand behind a name or value.
  private static let clauses = [
    "AND", "AS", "ASC", "BY", "DESC", "FROM", "GROUP BY", "INTO", "KEY", "LIMIT", "OFFSET", "ON", "OR",
    "ORDER BY time", "SLIMIT",
    "SOFFSET", "WHERE", "WITH KEY =",
  ]
  private static let groupings = ["fill(", "time(", "tz("]
  private static let choiceCountMax = 200

  /// Completes a statement or the shell's own word, given up to the cursor.
  func complete(_ text: String) -> LineEditor.Completion {
    let line = LineTokens(text)
    let found = candidates(line).filter {
      $0.lowercased().hasPrefix(line.word.lowercased()) && $0 != line.word
    }
    guard let first = found.first else { return LineEditor.Completion() }
    var shared = Substring(first)
    for one in found.dropFirst() {
      while !one.lowercased().hasPrefix(shared.lowercased()) { shared.removeLast() }
    }
    if found.count == 1 {
      let isOpen = first.hasSuffix("(") || line.words.last == "("
      let ending = line.quote.map(String.init) ?? (isOpen ? "" : " ")
      return LineEditor.Completion(replacedCount: line.word.count, text: first + ending)
    }
    // What is typed stays as it is typed until something is added to it.
    if shared.count > line.word.count {
      return LineEditor.Completion(replacedCount: line.word.count, text: String(shared))
    }
    var choices = Array(found.prefix(Self.choiceCountMax))
    if found.count > choices.count { choices.append("… \(found.count - choices.count) more") }
    return LineEditor.Completion(choices: choices)
  }

  private func candidates(_ line: LineTokens) -> [String] {
    let words = line.words.map { $0.uppercased() }
    if line.quote == "'" {
      return line.comparedKey.map { schema.tagValues(of: $0, in: line.measurements) } ?? []
    }
    guard let last = words.last else {
      return line.word.hasPrefix("\\") ? directives.map { "\\" + $0 } : Self.beginnings + directives
    }
    let first = words[0].drop { $0 == "\\" }
    if first == "USE" { return bare(schema.databases, line) }
    if first == "DESCRIBE" || first == "D" { return bare(schema.measurements, line) }
    if first == "FORMAT" { return ResultFormat.allCases.map(\.rawValue) + ["column"] }
    switch last {
    case "FROM", "MEASUREMENT", "INTO": return bare(schema.measurements, line)
    case "DATABASE", "ON": return bare(schema.databases, line)
    case "SHOW", "DROP", "CREATE", "EXPLAIN", "ALTER", "KILL":
      return Self.beginnings.filter { $0.hasPrefix(last + " ") }.map { String($0.dropFirst(last.count + 1)) }
    case "BY": return Self.groupings + bare(schema.tagKeys(of: line.measurements), line)
    case "KEY", "=", "IN", "!=": return bare(schema.tagKeys(of: line.measurements), line)
    default: break
    }
    switch line.clause {
    case "SELECT":
      return InfluxQLNames.functions.map { $0 + "(" } + bare(schema.fieldKeys(of: line.measurements), line)
        + ["FROM"]
    case "WHERE":
      let names = schema.tagKeys(of: line.measurements) + schema.fieldKeys(of: line.measurements) + ["time"]
      return bare(names, line) + Self.clauses
    case "GROUP": return Self.groupings + bare(schema.tagKeys(of: line.measurements), line) + Self.clauses
    default: return Self.clauses
    }
  }

  /// Names as they are written: quoted where they must be; as they are inside of a quote.
  private func bare(_ names: [String], _ line: LineTokens) -> [String] {
    line.quote == nil ? names.map(InfluxQLNames.written) : names
  }
}

/// A line cut at its cursor: the words before it, and the one that is being typed.
package struct LineTokens {
  package private(set) var words: [String] = []
  /// What is typed of the last word, without its quote.
  package private(set) var word = ""
  /// The quote that is open before it.
  private(set) var quote: Character?

  package init(_ text: String) {
    for character in text {
      if let open = quote {
        if character == open {
          words.append(word)
          (word, quote) = ("", nil)
        } else {
          word.append(character)
        }
      } else if character == "\"" || character == "'" {
        endWord()
        quote = character
      } else if character.isLetter || character.isNumber || "_\\.:-".contains(character) {
        word.append(character)
      } else {
        endWord()
        if !character.isWhitespace { addSign(character) }
      }
    }
  }

  private mutating func endWord() {
    if !word.isEmpty { words.append(word) }
    word = ""
  }

  /// `!=` and `=~` are one word.
  private mutating func addSign(_ sign: Character) {
    if let last = words.last, ["!", "=", "<", ">"].contains(last), sign == "=" || sign == "~" {
      words[words.count - 1] = last + String(sign)
    } else {
      words.append(String(sign))
    }
  }

  /// The clause that the cursor is in.
  var clause: String? {
    words.reversed().lazy.map { $0.uppercased() }.first {
      ["SELECT", "FROM", "WHERE", "GROUP", "ORDER", "LIMIT"].contains($0)
    }
  }

  /// What stands behind `FROM`.
  var measurements: [String] {
    guard let from = words.lastIndex(where: { $0.uppercased() == "FROM" }) else { return [] }
    return words[(from + 1)...].prefix { $0 == "," || !InfluxQLNames.isKeyword($0) }.filter {
      $0 != "," && $0 != "("
    }
  }

  /// The name that the open string is compared with.
  var comparedKey: String? {
    guard words.count >= 2, ["=", "!=", "<>"].contains(words[words.count - 1]) else { return nil }
    return words[words.count - 2]
  }
}

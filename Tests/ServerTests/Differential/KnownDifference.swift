import Foundation

/// A difference that stays, with its reason in `Sources/Query/Query.docc/Differences.md`.
struct KnownDifference: Sendable {
  /// As the page has it.
  let name: String
  /// Whether a statement with these two answers is such a case.
  let holds:
    @Sendable (_ statement: StatementText, _ influx: DifferentialAnswer, _ varve: DifferentialAnswer) -> Bool
  /// Of a difference in what is cut off: the statement without the cut, whose answers must agree, but for other differences, and have
  /// all that these have.
  var whole: @Sendable (_ statement: StatementText) -> String? = { _ in nil }

  init(
    name: String,
    whole: @escaping @Sendable (_ statement: StatementText) -> String? = { _ in nil },
    holds: @escaping @Sendable (
      _ statement: StatementText, _ influx: DifferentialAnswer, _ varve: DifferentialAnswer
    ) -> Bool
  ) {
    (self.name, self.holds, self.whole) = (name, holds, whole)
  }

  /// The first that explains it.
  static func rule(
    for statement: String, _ influx: DifferentialAnswer, _ varve: DifferentialAnswer
  ) -> KnownDifference? {
    let text = StatementText(statement)
    return all.first { $0.holds(text, influx, varve) }
  }

  static let all: [KnownDifference] = [
    KnownDifference(name: "offset without limit") { text, _, _ in
      text.isSelect
        && (text.has("OFFSET") && !text.has("LIMIT") || text.has("SOFFSET") && !text.has("SLIMIT"))
    },
    KnownDifference(name: "durations beside fields") { text, influx, _ in
      text.isSelect && text.hasDurationBesideField && (influx.error == nil || influx.error?.contains("two literals") == true)
    },
    KnownDifference(name: "arithmetic of times") { _, influx, varve in
      influx.message == "invalid operation: time and *influxql.BinaryExpr are not compatible" && varve.message == nil
    },
    KnownDifference(name: "infinite values") { _, influx, _ in
      influx.error?.hasPrefix(DifferentialAnswer.noDocument) == true
    },
    KnownDifference(name: "groups of lists of tag keys", whole: { $0.without(["SLIMIT", "SOFFSET"]) }) { text, _, _ in
      text.text.hasPrefix("SHOW TAG KEYS") && text.has("SLIMIT")
    },
    KnownDifference(name: "samples of one time") { text, influx, varve in
      text.calls == ["sample"] && (Self.haveSameRows(influx, varve) || text.has("LIMIT") && Self.agree(influx, varve) { $0 == "time" })
    },
    KnownDifference(name: "absolute values of integers") { text, _, _ in
      text.calls.contains("abs")
        && (["ticks", "free", "errors", "limit", "rx", "::integer"].contains(where: text.text.contains))
    },
    KnownDifference(name: "time in an alternative") { text, _, _ in
      text.text.contains("(time ") && text.has("OR")
    },
    KnownDifference(name: "bucket of a subquery before the bound") { text, influx, varve in
      text.isNested && influx.message == nil && influx.series.count < varve.series.count && influx.isPart(of: varve)
        && (text.text.contains("time(") || text.calls.contains("integral"))
    },
    KnownDifference(name: "bucket of a subquery before the bound") { text, influx, varve in
      text.isNested && text.text.components(separatedBy: "time(").count > 2
        && Self.firstTime(influx) != Self.firstTime(varve)
    },
    KnownDifference(name: "bucket of a subquery before the bound") { text, _, _ in
      text.isNested && text.text.contains("time(") && text.text.contains("time DESC")
    },
    KnownDifference(name: "measurements by what they lack") { text, _, _ in
      text.text.hasPrefix("SHOW MEASUREMENT") && (text.isNegated || text.text.contains("= ''"))
    },
    KnownDifference(name: "cardinality by a tag that is not there") { text, _, _ in
      text.text.hasPrefix("SHOW") && text.has("CARDINALITY") && (text.isNegated || text.text.contains("= ''"))
    },
    KnownDifference(name: "other fields of an empty bucket") { text, influx, varve in
      text.calls.count == 1 && text.text.contains("fill(")
        && Self.agree(influx, varve) { $0 == "time" || $0 == influx.series.first?.columns[1] }
    },
    KnownDifference(name: "a column without a value beside the previous one") { text, _, _ in
      text.text.contains("fill(previous)") && text.calls.count > 1
    },
    KnownDifference(name: "several columns of one time") { text, _, _ in
      text.isTransformation && !text.text.contains("time(")
        && (text.calls.count > 1 || text.text.contains("(*)") || text.text.contains("time DESC"))
    },
    KnownDifference(name: "area of integers in buckets") { text, _, _ in
      text.text.contains("time(")
        && (text.isNested && text.calls.contains("integral")
          || text.calls.contains("integral") && text.text.contains("::integer")
          || ["ticks", "free", "errors", "limit", "rx"].contains { text.text.contains("integral(\($0)") })
    },
    KnownDifference(name: "first or last of one time") { text, influx, varve in
      (text.calls.contains("first") || text.calls.contains("last"))
        && (text.isNested || Self.agree(influx, varve) { $0 == "time" })
    },
    KnownDifference(name: "area against time") { text, _, _ in
      text.calls.contains("integral") && text.text.contains("time DESC")
    },
    KnownDifference(name: "areas by tags") { text, _, _ in
      text.calls.contains("integral") && text.groupsByTags
    },
    KnownDifference(name: "most frequent of equals") { text, _, _ in text.calls.contains("mode") },
    KnownDifference(name: "percentile among equals") { text, influx, varve in
      text.calls.contains("percentile")
        && (text.isNested || Self.agree(influx, varve) { $0.hasPrefix("percentile") })
    },
    KnownDifference(name: "best of the first rows") { text, _, _ in
      (text.calls.contains("top") || text.calls.contains("bottom"))
        && (text.has("LIMIT") || text.has("OFFSET"))
    },
    KnownDifference(name: "low percentile of few points") { text, influx, varve in
      text.calls.contains("percentile")
        && (text.text.contains("time(") && (text.text.contains(", 12.5)") || text.text.contains(", 5)"))
          || influx.series.count < varve.series.count || text.has("SLIMIT")
          || zip(influx.series, varve.series).contains { ($0.values?.count ?? 0) < ($1.values?.count ?? 0) })
    },
    KnownDifference(name: "words after EXACT") { text, _, varve in
      text.has("EXACT") && varve.message?.contains("expected CARDINALITY") == true
    },
    KnownDifference(name: "limit of each call") { text, _, _ in
      (text.calls.count > 1 || text.text.contains("(/") || text.text.contains("(*")) && (text.has("LIMIT") || text.has("OFFSET"))
    },
    KnownDifference(name: "buckets over a clock change") { text, _, _ in
      text.text.contains("time(") && text.text.contains("tz('Europe/Berlin')")
    },
    KnownDifference(name: "rows filled") { text, _, _ in
      text.isSelect && text.calls.isEmpty && text.text.contains("fill(")
    },
    KnownDifference(name: "deviation of one value") { text, influx, varve in
      text.calls.contains("stddev")
        && (text.isTransformation || text.isNested || Self.agreeByTime(influx, varve, text))
    },
    KnownDifference(name: "groups without rows are counted", whole: { $0.without(["SLIMIT", "SOFFSET"]) }) {
      text, influx, varve in
      text.has("SLIMIT") && (text.has("SOFFSET") || influx.series.count <= varve.series.count)
    },
    KnownDifference(name: "one measurement named twice") { text, _, _ in
      Set(text.places).count < text.places.count
    },
    KnownDifference(name: "points of one time in two policies") { text, influx, varve in
      Set(text.sources).count < text.sources.count
        && (text.has("LIMIT") || text.has("OFFSET") || text.isTransformation || text.calls.contains("integral")
          || Self.haveSameRows(influx, varve))
    },
    KnownDifference(name: "groups of two policies", whole: { $0.without(["SLIMIT", "SOFFSET"]) }) { text, _, _ in
      text.has("SLIMIT") && Set(text.sources).count < text.sources.count
    },
    KnownDifference(name: "a field that some measurements have") { text, influx, varve in
      text.isNegated && (text.sources.count > 1 || text.sources.contains { $0.hasPrefix("/") }) && influx.isPart(of: varve)
    },
    KnownDifference(name: "forecast of few points") { text, influx, varve in
      text.text.contains("holt_winters") && text.groupsByTags && influx.isPart(of: varve)
    },
    KnownDifference(name: "tags of another policy") { text, influx, varve in
      text.sources.contains { $0.hasPrefix("/") } && influx.withoutForeignTags(beside: varve).isEqual(to: varve, within: 1)
    },
    // The points themselves are compared before.
    KnownDifference(name: "series whose points were deleted") { text, influx, varve in
      text.text == "SHOW SERIES" && influx.message == nil && varve.message == nil && varve.isPart(of: influx)
    },
    KnownDifference(name: "arithmetic as a condition") { _, influx, varve in
      influx.message == nil && varve.message?.hasPrefix("invalid condition expression: ") == true
    },
    KnownDifference(name: "several values transformed") { _, _, varve in
      varve.message?.contains("() cannot be used inside ") == true
    },
    KnownDifference(name: "fields in conditions of lists") { text, _, _ in
      !text.isSelect && text.text.contains("usage > 5")
    },
    KnownDifference(name: "rows of a subquery by groups") { text, influx, varve in
      text.isNested && (text.groupsByTags || text.text.contains("time DESC")) && Self.haveSameRows(influx, varve)
    },
    KnownDifference(name: "rows of a subquery by groups", whole: { $0.without(["LIMIT", "OFFSET"]) }) {
      text, influx, varve in
      // Other rows of the whole, but as many.
      text.isNested && (text.groupsByTags || text.text.contains("time DESC"))
        && text.has("LIMIT") && Self.agree(influx, varve) { _ in false }
    },
    KnownDifference(name: "values beside times that contradict each other") { text, influx, varve in
      text.isTransformation && text.text.contains("time(") && influx.message == nil && varve.message == nil
        && varve.series.isEmpty && influx.series.allSatisfy { ($0.values?.count ?? 0) == 1 }
    },
    KnownDifference(name: "columns of a subquery's groups") { text, _, _ in
      text.isNested && text.groupsByTags && text.text.contains(" AS y")
    },
    KnownDifference(name: "subquery filled by tags") { text, _, _ in
      text.isNested && text.text.contains("fill(") && text.groupsByTags
    },
  ]

  private static func firstTime(_ answer: DifferentialAnswer) -> AnsweredSeries.Value? {
    answer.series.first?.values?.first?.first
  }

  /// Whether series have the same rows in whatever order.
  private static func haveSameRows(_ a: DifferentialAnswer, _ b: DifferentialAnswer) -> Bool {
    // To twelve digits: functions of numbers differ in the last ones.
    func text(_ value: AnsweredSeries.Value) -> String {
      if case .float(let number) = value { String(format: "%.12g", number) } else { "\(value)" }
    }
    func sorted(_ series: DifferentialAnswer.Series) -> [String] {
      (series.values ?? []).map { $0.map(text).joined(separator: " ") }.sorted()
    }
    return a.series.map(sorted) == b.series.map(sorted)
  }

  /// Whether rows of one time agree where InfluxDB has a value, and those of one answer alone have none, unless rows were counted.
  private static func agreeByTime(_ a: DifferentialAnswer, _ b: DifferentialAnswer, _ text: StatementText) -> Bool {
    let isCut = text.has("LIMIT") || text.has("OFFSET")
    let isFilled = text.text.contains("fill(")
    func rows(_ series: DifferentialAnswer.Series) -> [Int64: [AnsweredSeries.Value]] {
      Dictionary((series.values ?? []).map { ($0.first?.integer ?? 0, $0) }, uniquingKeysWith: { first, _ in first })
    }
    func firstTime(_ series: DifferentialAnswer.Series) -> Int64 { series.values?.first?.first?.integer ?? .max }
    func hasNothing(_ row: [AnsweredSeries.Value]) -> Bool { row.dropFirst().allSatisfy { $0 == .null } }
    // Of a group whose buckets all have one value.
    let shown = a.series.filter { series in
      b.series.contains { $0.name == series.name && $0.tags == series.tags } || !(series.values ?? []).allSatisfy(hasNothing)
    }
    return shown.count == b.series.count
      && zip(shown, b.series).allSatisfy { x, y in
        let (ours, theirs) = (rows(y), rows(x))
        return x.name == y.name && x.tags == y.tags && x.columns == y.columns
          && theirs.allSatisfy { time, row in
            guard let other = ours[time] else { return isCut || hasNothing(row) || isFilled && time < firstTime(y) }
            return zip(row, other).allSatisfy { $0 == .null && isFilled || DifferentialAnswer.areEqual($0, $1, within: 16) }
          } && (isCut || isFilled || ours.allSatisfy { theirs[$0] != nil || hasNothing($1) })
      }
  }

  /// Whether rows agree in number and in the columns of these names, whatever their times.
  private static func agree(
    _ a: DifferentialAnswer, _ b: DifferentialAnswer, _ isCompared: (String) -> Bool
  ) -> Bool {
    a.series.count == b.series.count
      && zip(a.series, b.series).allSatisfy { x, y in
        let (rows, others) = (x.values ?? [], y.values ?? [])
        return x.columns == y.columns && rows.count == others.count
          && zip(rows, others).allSatisfy { row, other in
            x.columns.indices.allSatisfy {
              !isCompared(x.columns[$0]) || DifferentialAnswer.areEqual(row[$0], other[$0])
            }
          }
      }
  }
}

/// What the rules ask of a statement's text.
struct StatementText {
  let text: String
  private let words: [Substring]
  /// The names before opening parentheses, but those of `time`, `fill` and `tz`.
  let calls: [String]

  private static let transformations = [
    "derivative", "non_negative_derivative", "difference", "non_negative_difference", "moving_average",
    "cumulative_sum",
    "elapsed",
  ]

  init(_ text: String) {
    self.text = text
    words = text.split { " ()".contains($0) }
    var found: [String] = []
    var name = ""
    for character in text {
      if character.isLetter || character.isNumber || character == "_" {
        name.append(character)
      } else {
        if character == "(", !name.isEmpty, !["time", "fill", "tz", "FROM", "IN"].contains(name) {
          found.append(name)
        }
        name = ""
      }
    }
    calls = found
  }

  var isSelect: Bool { text.hasPrefix("SELECT") }
  var isNested: Bool { text.contains("FROM (SELECT") }
  var isTransformation: Bool { calls.contains(where: Self.transformations.contains) }

  /// The measurements named after the first `FROM`, with their policies.
  var places: [String] {
    guard let rest = text.components(separatedBy: "FROM ").dropFirst().first else { return [] }
    return rest.components(separatedBy: ", ").map { $0.split(separator: " ").first.map(String.init) ?? "" }
  }

  /// The same, without policies.
  var sources: [String] {
    places.map { $0.hasPrefix("/") ? $0 : String($0.split(separator: ".").last ?? "") }
  }

  /// Whether a duration stands beside an operator whose other side is neither a time nor another literal's end.
  var hasDurationBesideField: Bool {
    let operators: [Substring] = ["=", "!=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"]
    return words.indices.contains(where: { place in
      guard words[place].last == "s", words[place].dropLast().allSatisfy(\.isNumber), words[place].count > 1 else { return false }
      let isRight = place > 1 && operators.contains(words[place - 1]) && !["time", "now"].contains(words[place - 2])
      let isLeft = place + 2 < words.count && operators.contains(words[place + 1]) && words[place + 2] != "time"
      return isRight && !words[place - 2].hasSuffix("'") || isLeft && place > 0 && !operators.contains(words[place - 1])
    })
  }

  var isNegated: Bool { has("!=") || has("<>") || has("!~") }

  /// The statement without clauses of a word and a number at its end; `nil` where it has none of them there.
  func without(_ clauses: [String]) -> String? {
    var words = text.components(separatedBy: " ")
    // Those of a subquery stay.
    var place = (words.lastIndex { $0.hasSuffix(")") } ?? 0) + 1
    // What is asked of time zones comes last.
    if words.last?.hasPrefix("tz(") == true { place = (words.dropLast().lastIndex { $0.hasSuffix(")") } ?? 0) + 1 }
    let before = words.count
    while place + 1 < words.count {
      if clauses.contains(words[place]) { words.removeSubrange(place...place + 1) } else { place += 1 }
    }
    return words.count < before ? words.joined(separator: " ") : nil
  }

  func has(_ word: String) -> Bool { words.contains { $0 == word } }

  /// Whether a `GROUP BY` in it names anything but time.
  var groupsByTags: Bool {
    text.components(separatedBy: "GROUP BY ").dropFirst().contains { rest in
      var names = Substring(rest)
      if names.hasPrefix("time("), let end = names.firstIndex(of: ")") {
        names = names[names.index(after: end)...]
      }
      return names.hasPrefix(", ")
        || names.first.map { !" )".contains($0) } ?? false && !rest.hasPrefix("time(")
    }
  }
}

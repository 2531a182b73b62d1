import Foundation
import TestSupport
import Testing

/// Varve beside a real `influxd` 1.6.7: the same points, the same statements, the same answers.
///
/// `VARVE_DIFFERENTIAL_STATEMENTS` is how many, `VARVE_DIFFERENTIAL_SEED` which; `VARVE_DIFFERENTIAL_ASK` shows the answers of
/// given ones instead, between semicolons. What differs on purpose is in
/// `Sources/Query/Query.docc/Differences.md` and known here by name.
@Suite("Differential: InfluxDB 1.6.7", .serialized)
struct DifferentialTests {
  private static let environment = ProcessInfo.processInfo.environment
  private static let statementCount =
    environment["VARVE_DIFFERENTIAL_STATEMENTS"].flatMap { Int($0) } ?? (runsSlowTests ? 5_000 : 100)
  private static let seed = environment["VARVE_DIFFERENTIAL_SEED"].flatMap { UInt64($0) } ?? 1

  /// Two servers with the same points.
  private struct Pair {
    var influx: String
    var varve: String

    func answers(_ statement: String) throws -> (
      influx: DifferentialAnswer, varve: DifferentialAnswer, areEqual: Bool
    ) {
      let target = Self.target(statement)
      // HTTP/1.0: long answers come whole, not in pieces.
      let theirs = try RawHTTP.ask(influx, "POST", target, version: "HTTP/1.0")
      let ours = try RawHTTP.ask(varve, "POST", target, version: "HTTP/1.0")
      let (a, b) = (try DifferentialAnswer(theirs), try DifferentialAnswer(ours))
      return (a, b, theirs.status == ours.status && theirs.body == ours.body
        || a.isEqual(to: b, within: DifferentialAnswer.ulpCount(of: statement)))
    }

    /// The difference that explains two answers that are not equal; `nil` where none does.
    func rule(
      for statement: String, _ found: (influx: DifferentialAnswer, varve: DifferentialAnswer, areEqual: Bool)
    ) throws -> KnownDifference? {
      guard let rule = KnownDifference.rule(for: statement, found.influx, found.varve) else { return nil }
      guard let whole = rule.whole(StatementText(statement)) else { return rule }
      let all = try answers(whole)
      guard found.influx.isPart(of: all.influx), found.varve.isPart(of: all.varve) else { return nil }
      return try all.areEqual || self.rule(for: whole, all) != nil ? rule : nil
    }

    private static func target(_ statement: String) -> String {
      "/query?db=metrics&epoch=ns&params=\(percentEncoded(StatementGrammar.parameters))&q=\(percentEncoded(statement))"
    }

    func texts(_ statement: String) throws -> (influx: String, varve: String) {
      let target = Self.target(statement)
      return (
        try RawHTTP.ask(influx, "POST", target, version: "HTTP/1.0").text.trimmingCharacters(in: .newlines),
        try RawHTTP.ask(varve, "POST", target, version: "HTTP/1.0").text.trimmingCharacters(in: .newlines)
      )
    }

    func write(_ data: DifferentialData) throws {
      for server in [influx, varve] {
        for definition in DifferentialData.definitions {
          let answer = try RawHTTP.ask(server, "POST", "/query?q=\(percentEncoded(definition))")
          #expect(answer.status == 200 && !answer.text.contains("error"), "\(definition): \(answer.text)")
        }
        for (database, policy, lines) in data.bodies {
          let answer = try RawHTTP.ask(
            server, "POST", "/write?db=\(database)&rp=\(policy)", body: Array(lines.utf8))
          #expect(answer.status == 204, "\(answer.text)")
        }
      }
    }
  }

  @Test(
    "generated statements have the same answers",
    .enabled(if: InfluxProcess.binary != nil, "no influxd is installed here: nothing to compare with"))
  func statements() throws {
    let binary = try #require(InfluxProcess.binary)
    try TemporaryDirectory.with { directory in
      let influx = try InfluxProcess(binary, directory: directory)
      defer { influx.stop() }
      let varve = try ServerProcess(dataDirectory: directory + "/varve")
      defer { varve.stop() }
      let pair = Pair(influx: influx.http, varve: varve.http)
      try pair.write(DifferentialData(seed: Self.seed))
      if let statements = Self.environment["VARVE_DIFFERENTIAL_ASK"] {
        for statement in statements.split(separator: ";") {
          let texts = try pair.texts(String(statement))
          print("\(statement)\n  influx: \(texts.influx)\n  varve:  \(texts.varve)")
        }
      } else {
        try compare(pair)
        try compareChanges(pair)
      }
    }
  }

  private func compare(_ pair: Pair) throws {
    var grammar = StatementGrammar(seed: Self.seed)
    var known: [String: Int] = [:]
    var errorCount = 0
    var reported = Set<String>()
    for _ in 0..<Self.statementCount {
      let statement = grammar.statement()
      let text = statement.description
      let start = Date()
      let found = try pair.answers(text)
      if Date().timeIntervalSince(start) > 1 { print("slow \(Date().timeIntervalSince(start)): \(text)") }
      if found.influx.message != nil { errorCount += 1 }
      if found.areEqual { continue }
      if let rule = try pair.rule(for: text, found) {
        known[rule.name, default: 0] += 1
        continue
      }
      let smallest = try statement.reduced { candidate in
        let text = candidate.description
        let found = try pair.answers(text)
        return try !found.areEqual && pair.rule(for: text, found) == nil
      }
      if reported.insert(smallest.description).inserted { try report(smallest.description, of: text, pair) }
    }
    let names = known.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    print(
      "differential: seed \(Self.seed), \(Self.statementCount) statements, \(errorCount) errors; known: \(names)"
    )
  }

  /// Deletes, drops and copies on both, and looks after each whether both hold the same.
  private func compareChanges(_ pair: Pair) throws {
    var grammar = StatementGrammar(seed: Self.seed ^ 0x5eed)
    var changes: [String] = []
    for _ in 0..<Self.statementCount / 50 {
      let change = grammar.change()
      changes.append(change)
      for text in [change] + StatementGrammar.checks {
        let found = try pair.answers(text)
        if try found.areEqual || pair.rule(for: text, found) != nil { continue }
        let texts = try pair.texts(text)
        let shared = zip(texts.influx, texts.varve).prefix { $0 == $1 }.count
        let start = max(0, shared - 150)
        Issue.record(
          "\(text)\n  after:  \(changes.suffix(3).joined(separator: "; "))\n  influx: \(texts.influx.dropFirst(start).prefix(500))\n  varve:  \(texts.varve.dropFirst(start).prefix(500))"
        )
        // What follows would only say it again.
        return
      }
    }
    print("differential: seed \(Self.seed), \(changes.count) changes")
  }

  /// Prints both answers from shortly before the first difference on.
  private func report(_ smallest: String, of statement: String, _ pair: Pair) throws {
    let (theirs, ours) = try pair.texts(smallest)
    let shared = zip(theirs, ours).prefix { $0 == $1 }.count
    let start = max(0, shared - 150)
    Issue.record(
      "\(smallest)\n  of:     \(statement)\n  influx: \(theirs.dropFirst(start).prefix(500))\n  varve:  \(ours.dropFirst(start).prefix(500))"
    )
  }
}

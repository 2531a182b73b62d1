import Client
import Glibc
import LineProtocol
import Query

/// A word of the shell's own: `\timing on`. Those of the `influx` 1.x shell are written without the backslash too.
package struct ShellDirective: Sendable {
  package var names: [String]
  /// What follows, for help.
  var operands: String
  var help: String
  var run: @Sendable (Shell, String) throws -> Void

  private init(
    _ names: String..., operands: String = "", help: String,
    run: @escaping @Sendable (Shell, String) throws -> Void
  ) {
    (self.names, self.operands, self.help, self.run) = (names, operands, help, run)
  }

  static let all: [ShellDirective] = [
    ShellDirective("use", "c", operands: "DATABASE[.POLICY]", help: "the database of what follows") {
      shell, text in
      try shell.use(text)
    },
    ShellDirective("databases", "l", help: "the databases") { shell, _ in try shell.run("SHOW DATABASES") },
    ShellDirective(
      "describe", "d", operands: "[MEASUREMENT]", help: "the measurements, or the tags and fields of one"
    ) { shell, name in
      let from = InfluxQLNames.written(name)
      try shell.run(
        name.isEmpty ? "SHOW MEASUREMENTS" : "SHOW TAG KEYS FROM \(from); SHOW FIELD KEYS FROM \(from)")
    },
    ShellDirective(
      "format", operands: "NAME", help: "table (or column), csv, json, jsonl, line, markdown, vertical"
    ) { shell, name in
      guard let format = ResultFormat(rawValue: name == "column" ? "table" : name) else {
        throw UsageError("there is no format \"\(name)\": table, csv, json, jsonl, line, markdown, vertical")
      }
      shell.state.format = format
    },
    ShellDirective("precision", operands: "rfc3339|ns|us|ms|s", help: "how times are shown") { shell, name in
      let unit = Precision(name == "u" ? "us" : name)
      guard name == "rfc3339" || (unit != nil && unit != .auto) else {
        throw UsageError("there is no precision \"\(name)\": rfc3339, ns, us, ms, s, m, h")
      }
      shell.state.rendering.precision = name == "rfc3339" ? nil : unit
    },
    ShellDirective("pretty", operands: "[on|off]", help: "JSON over several lines") { shell, text in
      shell.state.rendering.isPretty = try isOn(text, before: shell.state.rendering.isPretty)
    },
    ShellDirective(
      "time", operands: "[RANGE]", help: "only what lies in it: 14:00..14:10, -1h, yesterday; nothing: all"
    ) { shell, text in
      try shell.change { $0.time = text.isEmpty || text == "all" ? nil : text }
    },
    ShellDirective("tz", operands: "[ZONE]", help: "of days and times: Europe/Berlin, or local; nothing: UTC")
    { shell, name in
      let zone = try QueryOptions.timeZone(name)
      try shell.change { $0.timeZone = zone }
    },
    ShellDirective("timing", operands: "[on|off]", help: "how long each statement takes") { shell, text in
      shell.state.showsTime = try isOn(text, before: shell.state.showsTime)
    },
    ShellDirective(
      "plot", operands: "[on|off|FILE.svg|FILE.png]",
      help: "draws each answer, or the last statement's into a file"
    ) { shell, text in
      if text.contains(".") { return try shell.plot(into: text) }
      shell.state.drawsPlot = try isOn(text, before: shell.state.drawsPlot)
    },
    ShellDirective("pager", operands: "[on|off|COMMAND]", help: "what shows long answers (PAGER)") {
      shell, text in
      switch text {
      case "off": shell.state.pager.command = ""
      case "on", "": shell.state.pager = Pager(environment: environmentText)
      default: shell.state.pager.command = text
      }
    },
    ShellDirective("watch", operands: "[5s]", help: "runs the last statement again and again until Ctrl-C") {
      shell, text in
      try shell.watch(every: text.isEmpty ? "2s" : text)
    },
    ShellDirective("insert", operands: "[INTO POLICY] LINE", help: "writes a line of line protocol") {
      shell, text in
      try shell.insert(text)
    },
    ShellDirective("connect", operands: "HOST:PORT", help: "to another server") { shell, text in
      try shell.connect(text)
    },
    ShellDirective("history", help: "the statements so far") { shell, _ in
      try Output.standard.write(shell.past.map { $0 + "\n" }.joined())
    },
    ShellDirective("settings", help: "what is set") { shell, _ in try shell.showSettings() },
    ShellDirective("clear", operands: "[database|retention policy]", help: "the screen, or what use chose") {
      shell, text in
      try shell.clear(text)
    },
    // Of the influx 1.x shell; scripts that set them go on.
    ShellDirective(
      "chunked", "chunk", "consistency", "node", "auth", operands: "…",
      help: "taken as influx takes them, without effect"
    ) { _, _ in },
    ShellDirective("help", "?", operands: "[WORD]", help: "this, or what one word does") { shell, word in
      try shell.help(word)
    },
    ShellDirective("exit", "quit", "q", help: "ends; so does Ctrl-D") { shell, _ in shell.state.isOver = true
    },
  ]

  /// The directive that a line begins with, and what follows it; `nil` for a statement.
  ///
  /// - Throws: `UsageError` for a backslash before what is none.
  package static func parse(_ line: String) throws -> (directive: ShellDirective, text: String)? {
    let parts = line.split(maxSplits: 1) { $0.isWhitespace }.map(String.init)
    guard let word = parts.first else { return nil }
    let hasBackslash = word.hasPrefix("\\")
    let name = (hasBackslash ? String(word.dropFirst()) : word).lowercased()
    var text = String((parts.count > 1 ? parts[1] : "").drop { $0.isWhitespace })
    while text.last?.isWhitespace == true || (text.last == ";" && name != "insert") { text.removeLast() }
    // One letter alone is no word of influx.
    guard let directive = all.first(where: { $0.names.contains(name) && (hasBackslash || name.count > 1) })
    else {
      guard hasBackslash else { return nil }
      let near = nearest(to: name, among: all.flatMap(\.names)).map { "; did you mean \\\($0)?" } ?? ""
      throw UsageError("there is no \\\(name)\(near) \\? lists what there is")
    }
    return (directive, text)
  }

  private static func isOn(_ text: String, before: Bool) throws -> Bool {
    switch text.lowercased() {
    case "": !before
    case "on", "true": true
    case "off", "false": false
    default: throw UsageError("takes on or off, not \"\(text)\"")
    }
  }
}

/// A variable of the environment; `nil` where it is not set.
func environmentText(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

/// One subcommand: its words for help, its flags, and what it does.
package struct Subcommand: Sendable {
  package var name: String
  /// One line for the list of subcommands.
  package var summary: String
  /// What follows the name: `'InfluxQL'`, `[FILE…]`.
  package var operands = ""
  /// Whether arguments that are no flags are taken.
  package var operandCountMax: Int
  package var flags: [Flag]
  /// Lines that can be run, with what each does.
  package var examples: [(line: String, does: String)]
  /// Does it; the exit status.
  package var run: @Sendable (Arguments) throws -> Int32

  package init(
    name: String, summary: String, operands: String = "", operandCountMax: Int = 0, flags: [Flag],
    examples: [(line: String, does: String)], run: @escaping @Sendable (Arguments) throws -> Int32
  ) {
    self.name = name
    self.summary = summary
    self.operands = operands
    self.operandCountMax = operandCountMax
    self.flags =
      flags + [
        Flag(
          "config", .string, "FILE",
          help: "read flags from a JSON5 file; a key is a flag's name without dashes"),
        Flag("help", .toggle, help: "print this"),
      ]
    self.examples = examples
    self.run = run
  }

  /// What `--help` prints.
  package var help: String {
    var text =
      "\(summary)\n\nUsage: varve \(name) [flags]\(operands.isEmpty ? "" : " " + operands)\n\nFlags:\n"
    let heads = flags.map { flag in
      switch flag.kind {
      case .toggle: "--\(flag.name)"
      case .optional: "--\(flag.name) [\(flag.valueName)]"
      default: "--\(flag.name) \(flag.valueName)"
      }
    }
    let width = heads.map(\.count).max() ?? 0
    for (head, flag) in zip(heads, flags) {
      var words = flag.help
      if case .choice(let choices) = flag.kind { words += ": \(choices.joined(separator: ", "))" }
      if flag.isRepeatable { words += "; may be repeated" }
      if let text = flag.defaultText { words += " (default \(text))" }
      text += "  \(head)\(String(repeating: " ", count: width - head.count + 2))\(words)\n"
    }
    text += "\nExamples:\n"
    for example in examples { text += "  # \(example.does)\n  \(example.line)\n" }
    return text
  }
}

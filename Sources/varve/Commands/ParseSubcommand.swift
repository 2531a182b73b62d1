import LineProtocol

/// `varve parse`.
package let parseCommand = Subcommand(
  name: "parse",
  summary: "Check line protocol without storing it: one JSON object a point or refused line",
  operands: "[FILE]",
  operandCountMax: 1,
  flags: [
    Flag(
      "precision", .choice(["ns", "us", "ms", "s", "m", "h", "auto"]), "UNIT", default: "ns",
      help: "the unit of timestamps"),
    Flag(
      "crlf", .choice(["strip", "strict"]), "MODE", default: "strip",
      help: "what a carriage return at a line's end is"),
  ],
  examples: [
    ("varve parse Fixtures/sample.lp", "every point of a file as JSON"),
    ("varve bench generate sample | varve parse --precision ns", "standard input"),
  ],
  run: { arguments in
    let input = try readInflated(arguments.operands.first ?? "-")
    let answer = runParse(
      input: input, precision: Precision(arguments.text("precision")) ?? .nanoseconds,
      carriageReturn: CarriageReturnMode(rawValue: arguments.text("crlf")) ?? .strip)
    try Output.standard.write(answer.output)
    return answer.hadRejects ? 1 : 0
  })

/// All bytes of a file or standard input; `.gz` is inflated.
private func readInflated(_ name: String) throws -> [UInt8] {
  let file = try InputFile(name)
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 1 << 18)
  while true {
    let count = try unsafe piece.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
    if count == 0 { return bytes }
    bytes += piece[..<count]
  }
}

/// Reads a command line against the table of a subcommand's flags.
package struct ArgumentParser: Sendable {
  private let subcommand: Subcommand
  /// Names that are a flag of any subcommand: one configuration file may serve all of them.
  private let knownKeys: Set<String>
  private let environment: [String: String]
  /// Gives the bytes of a file.
  private let readFile: @Sendable (String) throws -> [UInt8]

  package init(
    _ subcommand: Subcommand, knownKeys: Set<String> = [], environment: [String: String] = [:],
    readFile: @escaping @Sendable (String) throws -> [UInt8]
  ) {
    self.subcommand = subcommand
    self.knownKeys = knownKeys.union(subcommand.flags.map(\.name))
    self.environment = environment
    self.readFile = readFile
  }

  /// Flag beats environment beats file.
  package func parse(_ line: [String]) throws -> Arguments {
    var arguments = Arguments(flags: subcommand.flags)
    try readLine(line, into: &arguments)
    arguments.markWritten()
    if arguments.isOn("help") { return arguments }
    try readEnvironment(into: &arguments)
    if let path = arguments.string("config") { try readConfiguration(path, into: &arguments) }
    arguments.readAgain = { try parse(line) }
    return arguments
  }

  // MARK: Command line

  private func readLine(_ line: [String], into arguments: inout Arguments) throws {
    var index = 0
    while index < line.count {
      let word = line[index]
      index += 1
      if word == "--" {
        arguments.operands += line[index...]
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        arguments.operands.append(word)
        continue
      }
      if word == "-h" {
        arguments.set("help", to: ["true"])
        continue
      }
      let parts = word.drop { $0 == "-" }.split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let flag = try flag(String(parts[0]), written: word)
      var value = parts.count > 1 ? String(parts[1]) : nil
      if value == nil { value = try Self.followingValue(flag, line, &index) }
      try add(flag, value ?? "", source: "--\(flag.name)", into: &arguments)
    }
    if arguments.operands.count > subcommand.operandCountMax {
      let extra = arguments.operands[subcommand.operandCountMax]
      throw UsageError("\"\(extra)\" is one argument too many")
    }
  }

  /// What follows a flag that was written without `=`.
  private static func followingValue(_ flag: Flag, _ line: [String], _ index: inout Int) throws -> String {
    switch flag.kind {
    case .toggle: return "true"
    case .optional(let endings):
      guard index < line.count, endings.contains(where: line[index].hasSuffix) else { return "" }
    default:
      guard index < line.count else {
        throw UsageError("--\(flag.name) needs a value: --\(flag.name) \(flag.valueName)")
      }
    }
    index += 1
    return line[index - 1]
  }

  private func flag(_ name: String, written: String) throws -> Flag {
    if written.hasPrefix("--"), let flag = subcommand.flags.first(where: { $0.name == name }) { return flag }
    let near = nearest(to: name, among: subcommand.flags.map(\.name)).map { "; did you mean --\($0)?" }
    throw UsageError("unknown flag \(written)\(near ?? "; varve \(subcommand.name) --help lists them")")
  }

  private func add(_ flag: Flag, _ value: String, source: String, into arguments: inout Arguments) throws {
    if let complaint = flag.complaint(about: value) { throw UsageError("\(source) \(complaint)") }
    if flag.isRepeatable {
      arguments.append(flag.name, value)
    } else if arguments.isGiven(flag.name), flag.kind != .toggle {
      throw UsageError("\(source) is given twice")
    } else {
      arguments.set(flag.name, to: [value])
    }
  }

  // MARK: Environment and file

  private func readEnvironment(into arguments: inout Arguments) throws {
    for flag in subcommand.flags where !arguments.isGiven(flag.name) && flag.name != "help" {
      guard let text = environment[flag.environmentName] else { continue }
      let values = flag.isRepeatable ? text.split(separator: ",").map(String.init) : [text]
      for value in values { try add(flag, value, source: flag.environmentName, into: &arguments) }
    }
  }

  private func readConfiguration(_ path: String, into arguments: inout Arguments) throws {
    let configuration = try ConfigurationValue(file: path, bytes: readFile(path))
    guard case .object(let entries) = configuration else {
      throw UsageError("\(path) must hold one object: { database: \"metrics\" }")
    }
    arguments.configuration = configuration
    for (key, value) in entries.sorted(by: { $0.key < $1.key }) {
      guard let flag = subcommand.flags.first(where: { $0.name == key }) else {
        if knownKeys.contains(key) { continue }
        let near = nearest(to: key, among: knownKeys.sorted()).map { "; did you mean \($0)?" } ?? ""
        throw UsageError("\(path): unknown key \"\(key)\"\(near)")
      }
      if arguments.isGiven(key) { continue }
      guard let texts = value.texts else { continue }
      if texts.count != 1, !flag.isRepeatable {
        throw UsageError("\(path): \"\(key)\" takes one value, not a list")
      }
      for text in texts { try add(flag, text, source: "\(path): \"\(key)\"", into: &arguments) }
    }
  }
}

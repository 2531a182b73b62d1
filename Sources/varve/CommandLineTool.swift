import Client
import Storage

/// Finds the subcommand, reads its flags, runs it, and turns what it throws into words and a status.
package struct CommandLineTool {
  /// What `--version` prints.
  package static let version = "0.1.0"
  /// Every subcommand there is, in the order of help.
  package static let subcommands: [Subcommand] = [
    serveCommand, queryCommand, shellCommand, importCommand, exportCommand, parseCommand, inspectCommand, compactCommand, backupCommand,
    restoreCommand, statsCommand, topCommand, verifyCommand, repairCommand, doctorCommand, benchCommand,
  ]

  package init() {}

  /// Runs one command line, without the program's name.
  ///
  /// - Returns: 0 done, 1 failed, 2 misused, 130 interrupted.
  package func run(_ line: [String], environment: [String: String]) -> Int32 {
    guard let name = line.first else {
      printError(Self.help)
      return 2
    }
    do {
      if ["--version", "-V", "version"].contains(name) {
        return try say("varve \(Self.version)\n")
      }
      if ["--help", "-h", "help"].contains(name) { return try help(Array(line.dropFirst())) }
      guard let subcommand = Self.subcommands.first(where: { $0.name == name }) else {
        let near =
          nearest(to: name, among: Self.subcommands.map(\.name)).map { "; did you mean \($0)?" } ?? ""
        let list = Self.subcommands.map(\.name).joined(separator: ", ")
        throw UsageError("unknown subcommand \"\(name)\"\(near) There are: \(list)")
      }
      return try run(subcommand, Array(line.dropFirst()), environment)
    } catch {
      return report(error, "varve")
    }
  }

  private func run(_ subcommand: Subcommand, _ line: [String], _ environment: [String: String]) throws
    -> Int32
  {
    let keys = Set(Self.subcommands.flatMap { $0.flags.map(\.name) })
    do {
      let parser = ArgumentParser(
        subcommand, knownKeys: keys, environment: environment, readFile: { try readWholeFile($0) })
      let arguments = try parser.parse(line)
      if arguments.isOn("help") {
        return try say(subcommand.help)
      }
      let status = try subcommand.run(arguments)
      try Output.standard.flush()
      return status
    } catch {
      return report(error, "varve \(subcommand.name)")
    }
  }

  private func help(_ line: [String]) throws -> Int32 {
    guard let name = line.first else { return try say(Self.help) }
    guard let subcommand = Self.subcommands.first(where: { $0.name == name }) else {
      throw UsageError("unknown subcommand \"\(name)\"")
    }
    return try say(subcommand.help)
  }

  /// Words that were asked for, on standard output.
  private func say(_ text: String) throws -> Int32 {
    try Output.standard.write(text)
    try Output.standard.flush()
    return 0
  }

  /// Words on standard error, and the status.
  private func report(_ error: any Error, _ who: String) -> Int32 {
    switch error {
    case is BrokenPipe: return 0
    case is Interrupted:
      printError("\(who): \(error)")
      return 130
    case let error as UsageError:
      printError("\(who): \(error.description)")
      return 2
    case let error as CommandFailure:
      if !error.description.isEmpty { printError("\(who): \(error.description)") }
      return 1
    case let error as ClientError where error.code == .unreachable:
      printError(
        "\(who): \(error.description); start one with \"varve serve\", or name another with --server URL")
      return 1
    default:
      printError("\(who): \(error)")
      return 1
    }
  }

  private static var help: String {
    var text =
      "Varve: a time-series store for line protocol\n\nUsage: varve SUBCOMMAND [flags] [arguments]\n\n"
    let width = subcommands.map(\.name.count).max() ?? 0
    for one in subcommands {
      text += "  \(one.name)\(String(repeating: " ", count: width - one.name.count + 2))\(one.summary)\n"
    }
    return text + "\nvarve SUBCOMMAND --help says more; varve --version prints the version.\n"
  }
}

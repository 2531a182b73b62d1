import Testing
import varve

private let table = Subcommand(
  name: "try", summary: "Try things", operands: "[FILE]", operandCountMax: 1,
  flags: [
    Flag("wal-limit", .size, "N", default: "512MiB", help: "log kept"),
    Flag("retention", .duration, "D", default: "0", help: "TTL"),
    Flag("tcp", .string, "ADDR", isRepeatable: true, default: "127.0.0.1:8094", help: "listener"),
    Flag("format", .choice(["table", "csv"]), "FORMAT", help: "of rows"),
    Flag("plot", .optional(endings: [".svg"]), "FILE.svg", help: "draw"),
    Flag("partial", .toggle, help: "do not wait"),
    Flag("connections", .integer, "N", default: "2", help: "senders"),
  ], examples: [("varve try", "tries")], run: { _ in 0 })

private func parse(
  _ line: [String], environment: [String: String] = [:], file: String? = nil
) throws -> Arguments {
  try ArgumentParser(table, knownKeys: ["sync"], environment: environment) { _ in Array((file ?? "").utf8) }
    .parse(line)
}

/// What a misuse is told.
private func complaint(
  _ line: [String], environment: [String: String] = [:], file: String? = nil
) -> String {
  do {
    _ = try parse(line, environment: environment, file: file)
    return ""
  } catch {
    return (error as? UsageError)?.description ?? "\(error)"
  }
}

@Suite("Arguments")
struct ArgumentTests {
  @Test("flags in both spellings, operands, defaults")
  func line() throws {
    let arguments = try parse(["--wal-limit", "1GiB", "a.lp", "--tcp=:1", "--tcp", ":2", "--partial"])
    #expect(arguments.byteCount("wal-limit") == 1 << 30)
    #expect(arguments.operands == ["a.lp"])
    #expect(arguments.strings("tcp") == [":1", ":2"])
    #expect(arguments.isOn("partial"))
    #expect(arguments.integer("connections") == 2)
    #expect(arguments.string("format") == nil)
    #expect(!arguments.isGiven("connections"))
    #expect(try parse([]).strings("tcp") == ["127.0.0.1:8094"])
    #expect(try parse(["--", "--partial"]).operands == ["--partial"])
  }

  @Test("an optional value is taken only where it ends as it must")
  func optional() throws {
    #expect(try parse(["--plot", "a.lp"]).string("plot") == "")
    #expect(try parse(["--plot", "a.lp"]).operands == ["a.lp"])
    #expect(try parse(["--plot", "a.svg"]).string("plot") == "a.svg")
    #expect(try parse(["--plot=x"]).string("plot") == "x")
  }

  @Test("flag beats environment beats file beats default")
  func precedence() throws {
    let environment = ["VARVE_WAL_LIMIT": "2MiB", "VARVE_TCP": ":3,:4", "VARVE_PARTIAL": "true"]
    let file = "{ 'wal-limit': '3MiB', connections: 7, retention: '1w', tcp: ':9', sync: 'none', /* five */ }"
    let all = try parse(["--wal-limit", "1MiB", "--config", "f"], environment: environment, file: file)
    #expect(all.byteCount("wal-limit") == 1 << 20)
    #expect(all.strings("tcp") == [":3", ":4"])
    #expect(all.isOn("partial"))
    #expect(all.integer("connections") == 7)
    #expect(all.nanoseconds("retention") == 604_800_000_000_000)
    #expect(try parse(["--config", "f"], file: file).byteCount("wal-limit") == 3 << 20)
  }

  @Test("a directory is meant where the command line says so, or where nothing names a server")
  func directories() throws {
    let table = Subcommand(
      name: "try", summary: "", flags: [CommonFlags.server, CommonFlags.data], examples: [], run: { _ in 0 })
    func usesDirectory(_ line: [String], _ environment: [String: String]) throws -> Bool {
      try ArgumentParser(table, environment: environment) { _ in [] }.parse(line).usesDirectory()
    }
    #expect(try !usesDirectory([], [:]))
    #expect(try usesDirectory(["--data", "d"], ["VARVE_SERVER": "u"]))
    #expect(try !usesDirectory(["--server", "u"], ["VARVE_DATA": "d"]))
    #expect(try usesDirectory([], ["VARVE_DATA": "d"]))
    #expect(try !usesDirectory([], ["VARVE_DATA": "d", "VARVE_SERVER": "u"]))
    #expect(throws: UsageError.self) { try usesDirectory(["--data", "d", "--server", "u"], [:]) }
  }

  @Test("listeners of the file are kept as they stand")
  func objects() throws {
    let arguments = try parse(["--config", "f"], file: "{tcp: [':1', {listen: ':2', database: 'edge'}]}")
    #expect(
      arguments.configuration
        == .object([
          "tcp": .list([.string(":1"), .object(["listen": .string(":2"), "database": .string("edge")])])
        ]))
    #expect(arguments.strings("tcp") == ["127.0.0.1:8094"])
  }

  @Test(
    "misuse names what is wrong and the nearest that is right",
    arguments: [
      (["--wal-limt", "1"], "unknown flag --wal-limt; did you mean --wal-limit?"),
      (["--zzzzzzzz"], "unknown flag --zzzzzzzz; varve try --help lists them"),
      (["-partial"], "unknown flag -partial; did you mean --partial?"),
      (["--format", "cvs"], "--format takes table, csv, not \"cvs\"; did you mean csv?"),
      (["--wal-limit", "1GB"], "--wal-limit takes a size such as 128MiB, 1GiB or bytes, not \"1GB\""),
      (
        ["--retention", "30"],
        "--retention takes a duration such as 90s, 12h, 30d or 1w, 0 or INF for ever, not \"30\""
      ),
      (["--connections", "-1"], "--connections takes a whole number, not \"-1\""),
      (["--tcp"], "--tcp needs a value: --tcp ADDR"),
      (["--connections", "1", "--connections", "2"], "--connections is given twice"),
      (["a", "b"], "\"b\" is one argument too many"),
    ] as [([String], String)])
  func misuse(line: [String], expected: String) {
    #expect(complaint(line) == expected)
  }

  @Test("the file and the environment are to blame by name")
  func blame() {
    #expect(
      complaint([], environment: ["VARVE_CONNECTIONS": "x"])
        == "VARVE_CONNECTIONS takes a whole number, not \"x\"")
    #expect(
      complaint(["--config", "f"], file: "{formt: 'csv'}") == "f: unknown key \"formt\"; did you mean format?"
    )
    #expect(complaint(["--config", "f"], file: "[]") == "f must hold one object: { database: \"metrics\" }")
    #expect(
      complaint(["--config", "f"], file: "{connections: [1, 2]}")
        == "f: \"connections\" takes one value, not a list")
    #expect(complaint(["--config", "f"], file: "{").hasPrefix("f is not JSON5: "))
  }

  @Test(
    "sizes",
    arguments: [
      ("0", 0), ("4096", 4096), ("1KiB", 1024), ("128MiB", 128 << 20), ("1gib", 1 << 30), ("2TiB", 2 << 40),
      ("", nil), ("MiB", nil), ("1MB", nil), ("-1", nil), ("99999999999TiB", nil), ("1.5GiB", nil),
    ] as [(String, Int?)])
  func sizes(text: String, byteCount: Int?) {
    #expect(Quantity.byteCount(text) == byteCount)
  }

  @Test(
    "durations",
    arguments: [
      ("0", 0), ("INF", 0), ("inf", 0), ("90s", 90_000_000_000), ("12h", 43_200_000_000_000),
      ("30d", 2_592_000_000_000_000), ("1w", 604_800_000_000_000), ("1h30m", 5_400_000_000_000),
      ("100ms", 100_000_000),
      ("5u", 5_000), ("7ns", 7), ("", nil), ("5", nil), ("s", nil), ("5x", nil), ("-5s", nil), ("1.5h", nil),
      ("99999999999w", nil),
    ] as [(String, Int64?)])
  func durations(text: String, nanoseconds: Int64?) {
    #expect(Quantity.nanoseconds(text) == nanoseconds)
  }

  @Test("help has a line for every flag of every subcommand, and an example")
  func help() {
    for subcommand in CommandLineTool.subcommands {
      for flag in subcommand.flags {
        #expect(subcommand.help.contains("--\(flag.name)"), "\(subcommand.name)")
        #expect(!flag.help.isEmpty)
        if let text = flag.defaultText {
          #expect(flag.complaint(about: text) == nil, "\(subcommand.name) --\(flag.name)")
        }
      }
      #expect(!subcommand.examples.isEmpty, "\(subcommand.name)")
      #expect(Set(subcommand.flags.map(\.name)).count == subcommand.flags.count, "\(subcommand.name)")
    }
  }

  @Test("unknown subcommands and no subcommand are misuse")
  func subcommands() {
    #expect(CommandLineTool().run(["qery"], environment: [:]) == 2)
    #expect(CommandLineTool().run([], environment: [:]) == 2)
    #expect(CommandLineTool().run(["query", "--nosuch"], environment: [:]) == 2)
  }

  @Test("every example in help can be parsed")
  func examples() throws {
    for subcommand in CommandLineTool.subcommands {
      for example in subcommand.examples {
        for words in shellCommands(example.line) where words.first == "varve" {
          let named = try #require(
            CommandLineTool.subcommands.first { $0.name == words[1] }, "\(example.line)")
          do {
            _ = try ArgumentParser(named) { _ in Array("{}".utf8) }.parse(Array(words.dropFirst(2)))
          } catch {
            Issue.record("\(example.line): \(error)")
          }
        }
      }
    }
  }

  /// Words of each command of a pipe, as a shell without expansions splits them.
  private func shellCommands(_ line: String) -> [[String]] {
    var (commands, word, quote, isOpen) = ([[String]()], "", Character?.none, false)
    func close() {
      if isOpen { commands[commands.count - 1].append(word) }
      (word, isOpen) = ("", false)
    }
    for character in line {
      switch character {
      case quote: quote = nil
      case "'" where quote == nil, "\"" where quote == nil: (quote, isOpen) = (character, true)
      case " " where quote == nil: close()
      case "|" where quote == nil:
        close()
        commands.append([])
      default:
        word.append(character)
        isOpen = true
      }
    }
    close()
    return commands
  }
}

import Glibc
import TestSupport
import Testing
import varve

@Suite("The shell")
struct ShellTests {
  private func command() throws -> BuiltCommand {
    try #require(try BuiltCommand(), "varve is not built beside the tests")
  }

  private static let hasEditor =
    access("/usr/lib/x86_64-linux-gnu/libedit.so.2", F_OK) == 0
    || access("/usr/lib/aarch64-linux-gnu/libedit.so.2", F_OK) == 0

  @Test(
    "standard input is run line by line, the shell's own words too; a failure is told, the rest runs, the status is 1"
  )
  func script() throws {
    let command = try command()
    let lines = """
      show measurements
      use metrics
      \\format jsonl
      SELECT max(usage_user) FROM cpu
        GROUP BY host
      precision s
      SELECT last(usage_user) FROM cpu
      SELEC x;
      \\tz Nowhere/City
      \\nonsense
      \\time 1970..
      format csv
      show databases
      """
    try command.write(lines, to: "script")
    let outcome = try command.run("varve shell --from Fixtures/sample.lp < script")
    #expect(outcome.status == 1)
    let output = outcome.output.split(separator: "\n").map(String.init)
    #expect(output.prefix(5) == ["name", "cpu", "disk", "mem", "net"])
    #expect(
      output.dropFirst(5).prefix(4).allSatisfy {
        $0.hasPrefix("{\"statement_id\":0,\"name\":\"cpu\",\"tags\":{\"host\":")
      })
    #expect(output.count == 12 && output.suffix(2) == ["name", "metrics"])
    #expect(outcome.errors.contains("found SELEC, expected") && outcome.errors.contains("  ^"))
    #expect(outcome.errors.contains("Nowhere/City") && outcome.errors.contains("there is no \\nonsense"))
  }

  @Test(
    "misuse of a word names what it takes",
    arguments: [
      ("format xml", "table, csv"), ("precision y", "rfc3339"), ("\\timing perhaps", "on or off"),
      ("use nodb", "no database \"nodb\""),
      ("\\watch 5", "duration"), ("\\watch 5s", "no statement yet"), ("insert m v=1", "needs a server"),
      ("\\time noon", "is no time"),
      ("\\help wat", "no \"wat\""), ("\\plot x.svg", "no statement yet"),
      ("\\formt csv", "did you mean \\format"),
    ])
  func misuse(line: String, words: String) throws {
    let outcome = try command().run("echo '\(line)' | varve shell --from Fixtures/sample.lp")
    #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
  }

  @Test(
    "a server is asked, written to by insert, and left for another; one that is not there is told at once")
  func server() throws {
    let command = try command()
    let server = try StartedServer(command)
    let outcome = try command.run(
      "printf 'insert shelf,place=a height=1.5 1000000000\\nSELECT height FROM shelf\\nsettings\\nconnect 127.0.0.1:1\\n' | varve shell"
    )
    #expect(outcome.output.hasPrefix("time,height\n1970-01-01T00:00:01Z,1.5\n"))
    #expect(outcome.output.contains("database,metrics"))
    #expect(outcome.status == 1 && outcome.errors.contains("no server answers"))
    #expect(server.stop() == 0)
    let gone = try command.run("varve shell </dev/null")
    #expect(gone.status == 1 && gone.errors.contains("start one with"))
  }

  @Test(
    "typed: completion, a statement over lines, history across shells, Ctrl-C, Ctrl-D",
    .enabled(if: hasEditor))
  func typed() throws {
    let command = try command()
    command.variables = ["VARVE_HISTORY": command.folder + "/history", "TERM": "xterm", "PAGER": ""]
    let shell = try TypedCommand("varve shell --from Fixtures/sample.lp", of: command)
    shell.wait(for: "metrics> ")
    // The editor draws only what is new.
    shell.type("sel\t")
    shell.wait(for: "SELECT ")
    shell.type("max(usage_us\t)\n")
    shell.wait(for: "er")
    shell.wait(for: "...> ")
    shell.type("FROM cpu WHERE host = 'dog\t;\n")
    #expect(shell.wait(for: "metrics> ").contains("max"))
    // Thrown away, whole or not.
    shell.type("SELECT mean(\n")
    shell.wait(for: "...> ")
    shell.type("x\u{3}")
    shell.wait(for: "^C")
    shell.wait(for: "metrics> ")
    shell.type("\\d c\t\n")
    #expect(shell.wait(for: "fieldKey").contains("tagKey"))
    shell.wait(for: "metrics> ")
    // All that begin alike are listed.
    shell.type("SELECT usage_\t\t")
    #expect(shell.wait(for: "usage_user").contains("usage_system"))
    // The line is drawn again, with its prompt.
    shell.type("\u{3}")
    shell.wait(for: "^C")
    shell.wait(for: "metrics> ")
    shell.type("\u{4}")
    #expect(shell.end() == 0)
    let again = try TypedCommand("varve shell --from Fixtures/sample.lp", of: command)
    again.wait(for: "metrics> ")
    again.type("\\history\n")
    again.wait(for: "SELECT max(usage_user) FROM cpu WHERE host = 'dogwood';")
    again.wait(for: "metrics> ")
    // Two lines back.
    again.type("\u{10}\u{10}\u{10}\n")
    #expect(again.wait(for: "metrics> ").contains("max"))
    again.type("exit\n")
    #expect(again.end() == 0)
    let status = try command.run("stat -c %a history")
    #expect(status.output == "600\n")
  }

  /// A shell without a history that is waiting for its first line.
  private func typedShell(pager: String = "") throws -> TypedCommand {
    let command = try command()
    command.variables = ["VARVE_HISTORY": "", "TERM": "xterm", "PAGER": pager]
    let shell = try TypedCommand("varve shell --from Fixtures/sample.lp", of: command)
    shell.wait(for: "metrics> ")
    return shell
  }

  @Test("Ctrl-D typed while an answer is shown leaves the shell after it", .enabled(if: hasEditor))
  func typedAhead() throws {
    let shell = try typedShell(pager: "echo a pager; sleep 0.3; cat")
    shell.type("SHOW DATABASES\n")
    shell.wait(for: "a pager")
    shell.type("\u{4}")
    #expect(shell.end() == 0)
  }

  @Test("Ctrl-C breaks off what runs and leaves the shell", .enabled(if: hasEditor))
  func interrupted() throws {
    let shell = try typedShell()
    shell.type("SHOW DATABASES\n")
    shell.wait(for: "metrics> ")
    shell.type("\\watch 1h\n")
    shell.wait(for: "every 1h")
    shell.wait(for: "metrics")
    usleep(300_000)
    shell.type("\u{3}")
    shell.wait(for: "metrics> ")
    shell.type("q\u{3}\\q\n")
    #expect(shell.end() == 0)
  }
}

@Suite("Completion")
struct CompleterTests {
  @Test(
    "words of a line up to the cursor",
    arguments: [
      ("SELECT me", ["SELECT"], "me"), ("SELECT \"a b\", c FROM ", ["SELECT", "a b", ",", "c", "FROM"], ""),
      ("WHERE host != 'a", ["WHERE", "host", "!="], "a"), ("a =~ /x", ["a", "=~", "/"], "x"), ("", [], ""),
      ("\\for", [], "\\for"),
    ])
  func tokens(text: String, words: [String], word: String) {
    let line = LineTokens(text)
    #expect(line.words == words && line.word == word)
  }

  @Test("what is a word of the shell, with and without a backslash")
  func directives() throws {
    #expect(try ShellDirective.parse("use metrics;")?.text == "metrics")
    #expect(try ShellDirective.parse("\\WATCH  5s ")?.text == "5s")
    #expect(try ShellDirective.parse("insert m v=\"a;\" ")?.text == "m v=\"a;\"")
    #expect(try ShellDirective.parse("SELECT 1") == nil)
    #expect(
      try ShellDirective.parse("c") == nil && ShellDirective.parse("\\c x")?.directive.names[0] == "use")
    #expect(throws: UsageError.self) { try ShellDirective.parse("\\x") }
  }
}
